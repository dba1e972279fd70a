"""What people type: names, passwords, in the ways that keyboards differ.

Shown here: blanks around a name and the case of its letters do not count; a passphrase of any length is
taken; letters composed in two ways are the same; what cannot be taken is refused in words, and in the
unit in which it is counted.
"""

import html
import re
import unicodedata

import pytest

from client import Visitor
from panel import NAME, PASSWORD, Panel, is_in

LONG = "correct horse battery staple " * 40


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A panel that is set up, for tests that leave the accounts as they are."""
    panel = Panel(tmp_path_factory.mktemp("typed") / "data")
    assert panel.set_up().status == 302
    yield panel
    panel.stop()


@pytest.fixture
def new_panel(tmp_path):
    panel = Panel(tmp_path / "data")
    yield panel
    panel.stop()


def log_in(panel, name, password):
    visitor = panel.visitor()
    response = panel.log_in(visitor, name, password)
    return is_in(visitor), response


def problem(response):
    found = re.search(r'id="problem">(.*?)</p>', response.text, re.DOTALL)
    return html.unescape(found[1]) if found else ""


# Names --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("typed", [
    NAME, f"{NAME} ", f" {NAME}", f"{NAME}\t", f"\r\n{NAME}\r\n", f"{NAME}\0", f"{NAME}\u00a0",
    f"\ufeff{NAME}\u200b", f"{NAME}{' ' * 60}", "Admin", "ADMIN", " aDmIn "])
def test_blanks_and_case_of_a_name_do_not_count(panel, typed):
    assert log_in(panel, typed, PASSWORD)[0], repr(typed)


@pytest.mark.parametrize("typed", ["", " ", "ad min", "ad\0min", "admi", "adminx", "admin" + "x" * 60,
                                   "аdmin"])
def test_other_names_do_not_log_in(panel, typed):
    is_inside, response = log_in(panel, typed, PASSWORD)
    assert not is_inside and response.status in (422, 429), response.told


def test_account_keeps_its_spelling(new_panel):
    assert new_panel.set_up(name="  Susan.B ").status == 302
    visitor = new_panel.logged_in("susan.b")
    assert ">Susan.B<" in visitor.get("/").text
    new_panel.restart()
    assert ">Susan.B<" in new_panel.logged_in("SUSAN.B").get("/").text


def test_spellings_of_a_name_are_counted_together(new_panel):
    """Ten failures are free for a name; sixteen spellings of it are not sixteen names."""
    new_panel.set_up()
    statuses = []
    for number in range(12):
        name = "".join(letter.upper() if number >> place & 1 else letter
                       for place, letter in enumerate(NAME))
        statuses.append(log_in(new_panel, name + " ", "wrong password")[1].status)
    assert 429 in statuses, statuses


# Passwords ----------------------------------------------------------------------------------------

PASSWORDS = {
    "33 Cyrillic letters": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "65 octets": "x" * 65,
    "a passphrase": LONG[:200], "1,024 octets": LONG[:1024], "512 letters": "ä" * 512,
    "8 letters": "äöüßäöüß", "blanks": "  in and around  ", "emoji": "😀" * 8,
}


@pytest.mark.parametrize("what", PASSWORDS)
def test_password_of_any_length_logs_in(new_panel, what):
    password = PASSWORDS[what]
    response = new_panel.set_up(password=password)
    assert response.status == 302, response.told
    assert log_in(new_panel, NAME, password)[0]
    for other in (password[:-1], password + "x", password[1:]):
        assert not log_in(new_panel, NAME, other)[0], f"{other!r} logs in"


REFUSED = {
    "7 letters": ("äöüäöüä", "at least 8 characters"), "4 emoji": ("😀" * 4, "at least 8 characters"),
    "1,025 octets": ("x" * 1025, "1,024 octets"), "513 letters": ("ä" * 513, "1,024 octets"),
    "a NUL": ("1234567890\0", "no use"), "no UTF-8": (b"12345678\xff", "UTF-8"),
    "half a letter": (b"12345678\xc3", "UTF-8"), "overlong": (b"12345678\xc0\x80", "UTF-8"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_password_that_cannot_be_is_refused_in_words(panel, new_panel, what):
    password, words = REFUSED[what]
    response = new_panel.set_up(password=password)
    assert response.status == 422 and words in problem(response), response.told
    visitor = panel.logged_in()
    response = visitor.post("/password", {"current": PASSWORD, "password": password,
                                          "password_again": password})
    assert response.status == 422 and words in problem(response), response.told
    if "characters" not in words:
        response = log_in(panel, NAME, password)[1]
        assert response.status == 422 and words in problem(response), response.told
        response = visitor.post("/password", {"current": password, "password": PASSWORD,
                                              "password_again": PASSWORD})
        assert response.status == 422 and words in problem(response), response.told
    assert log_in(panel, NAME, PASSWORD)[0]


def test_no_page_cuts_what_is_pasted(panel, new_panel):
    pages = [panel.visitor().get("/login"), new_panel.visitor().get("/setup"),
             panel.logged_in().get("/password")]
    for page in pages:
        fields = re.findall(r"<input[^>]*type=\"password\"[^>]*>", page.text)
        assert fields and not any("maxlength" in field for field in fields), fields


@pytest.mark.parametrize("password", ["grüße-123456", "Žluťoučký kůň", "garçon à l'hôtel", "Łódź 1234"])
def test_letters_composed_in_two_ways_are_the_same(tmp_path, password):
    composed = unicodedata.normalize("NFC", password)
    decomposed = unicodedata.normalize("NFD", password)
    assert composed != decomposed
    for number, (first, second) in enumerate([(composed, decomposed), (decomposed, composed)]):
        panel = Panel(tmp_path / str(number))
        assert panel.set_up(password=first, password_again=second).status == 302
        assert log_in(panel, NAME, first)[0] and log_in(panel, NAME, second)[0]
        assert 'id="variants"' not in panel.logged_in(password=first).get("/").text
        visitor = panel.logged_in(password=second)
        response = visitor.post("/password", {"current": first, "password": second + "!",
                                              "password_again": first + "!"})
        assert response.status == 303, response.told
        assert log_in(panel, NAME, first + "!")[0]
        panel.stop()


@pytest.mark.parametrize("password", ["йод и ёлка", "Việt Nam 123", "παράδειγμα", "한글 비밀번호 1",
                                      "がぎぐげごがぎぐ", "ﬁrst ﬂight"])
def test_letters_that_others_may_type_differently_are_said(new_panel, password):
    visitor = new_panel.visitor()
    form = {"code": new_panel.code(), "username": NAME, "password": password,
            "password_again": password}
    assert visitor.post("/setup", form).status == 302
    assert 'id="variants"' in visitor.get("/").text
    response = visitor.post("/password", {"current": password, "password": password + "1",
                                          "password_again": password + "1"})
    assert response.status == 303 and 'id="variants"' in visitor.get(response.location).text, response.told
    visitor = new_panel.logged_in(password=password + "1")
    assert 'id="variants"' not in visitor.get("/").text, "it is said for ever"


def test_library_takes_long_passwords(login_example):
    """Of a wrong one the program must not say that it is too long for it."""
    visitor = Visitor(login_example.address)
    for password in (LONG[:1024], LONG[:1025], "x" * 65, b"\xff\xfe" * 40):
        response = visitor.post("/login", {"username": "susan", "password": password})
        assert response.status == 302 and response.location.startswith("/login"), response.told
