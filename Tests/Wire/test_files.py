"""The panel's data directory in every state that power cuts, disks and people leave it in.

Shown here: a useless secret is made anew; a useless accounts file has a generation before it; where
neither is good the panel says so on a page and nobody can set it up; what is damaged stays. A directory
or a file that is not this user's alone ends the start with one line that says what to do.
"""

import fcntl
import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from client import Visitor
from panel import NAME, PASSWORD, Panel, is_in
from program import PROGRAMS, RUN, STYLE, Program, command_of, run

NEW_PASSWORD = "another long password"
IS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def changed_once(tmp_path_factory):
    """The directory of a panel whose password has been changed once; it does not run."""
    panel = Panel(tmp_path_factory.mktemp("files") / "data")
    assert panel.set_up().status == 302
    visitor = panel.logged_in()
    response = visitor.post("/password", {"current": PASSWORD, "password": NEW_PASSWORD,
                                          "password_again": NEW_PASSWORD})
    assert response.status == 303, response.told
    panel.stop()
    return panel.data


@pytest.fixture
def data(changed_once, tmp_path):
    """A copy of it."""
    return Path(shutil.copytree(changed_once, tmp_path / "data"))


def start(data, *arguments):
    return Program.start("martlet-panel", "--listen", "127.0.0.1:0", "--data",
                         str(data), *arguments)


def try_to_start(data, before=()):
    return run("martlet-panel", "--listen", "127.0.0.1:0", "--data", str(data), within=5,
               before=before)


def works(program, password):
    visitor = Visitor(program.address, 30)
    visitor.post("/login", {"username": NAME, "password": password})
    return is_in(visitor)


def lines(program):
    """What stands on standard error, but for the log."""
    size = os.fstat(program.complained.fileno()).st_size
    printed = os.pread(program.complained.fileno(), size, 0).decode().splitlines()
    return [line for line in printed if line.startswith("martlet-panel: ")]


def assert_one_line(ended, *words):
    told = f"status {ended.returncode}, {ended.stdout!r}, {ended.stderr!r}"
    assert ended.returncode == 1 and ended.stdout == "", told
    assert ended.stderr.startswith("martlet-panel: ") and ended.stderr.count("\n") == 1, told
    for word in words:
        assert word in ended.stderr, f"{word!r} is missing: {told}"


def damaged_secrets(good):
    return {"empty": b"", "nul": bytes(65), "nuls": bytes(4096), "no line feed": good[:-1],
            "short": good[:5], "cut": good[:40] + b"\n", "no digits": b"x" + good[1:],
            "crlf": good[:-1] + b"\r\n", "twice": good + good, "huge": good * 20_000}


# The secret ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("damage", damaged_secrets(b""))
def test_useless_secret_is_made_anew(data, damage):
    path = data / "secret"
    good = path.read_bytes()
    path.write_bytes(damaged_secrets(good)[damage])
    program = start(data)
    try:
        told = [line for line in lines(program) if str(path) in line]
        assert len(told) == 1 and "new one" in told[0], lines(program)
        assert "set-up code" not in program.output()
        assert works(program, NEW_PASSWORD)
        assert re.fullmatch(rb"[0-9a-f]{64}\n", path.read_bytes()) and path.read_bytes() != good
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        program.stop()
    finally:
        program.kill()
    program = start(data)
    assert lines(program) == []
    program.stop()


def put_link(path):
    path.symlink_to("/etc/hostname")


def put_pipe(path):
    os.mkfifo(path)


def put_folder(path):
    path.mkdir()


def put_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.getcwd()
        os.chdir(path.parent)
        made.bind(path.name)
        os.chdir(here)


THINGS = [put_link, put_pipe, put_folder, put_socket]


@pytest.mark.parametrize("put", THINGS)
def test_what_is_no_secret_file_does_not_keep_it_from_starting(data, put):
    path = data / "secret"
    path.unlink()
    put(path)
    program = start(data)
    try:
        assert len([line for line in lines(program) if str(path) in line]) == 1, lines(program)
        assert works(program, NEW_PASSWORD)
        program.stop()
    finally:
        program.kill()


# The accounts -------------------------------------------------------------------------------------

def damaged_accounts(good):
    digit = re.search(rb"[0-9a-f]{64}", good)
    digit = digit.start() if digit else 0
    swapped = good[:digit] + (b"1" if good[digit:digit + 1] == b"0" else b"0") + good[digit + 1:]
    return {"empty": b"", "nuls": bytes(len(good)), "page of nuls": bytes(4096),
            "no line feed": good[:-1], "cut": good[:len(good) // 2], "a digit": swapped,
            "appended": good + b"x", "huge": good * 5000, "one octet": good[:1],
            "garbage": bytes(range(256)) * 20, "without accounts": without_accounts()}


def without_accounts():
    """What has the form of a file, and nobody in it."""
    first = b"martlet-accounts 2\n"
    return first + b"sha256 " + hashlib.sha256(first).hexdigest().encode() + b"\n"


@pytest.mark.parametrize("damage", damaged_accounts(b""))
def test_generation_before_is_used_and_said(data, damage):
    path = data / "accounts"
    bad = damaged_accounts(path.read_bytes())[damage]
    path.write_bytes(bad)
    program = start(data)
    try:
        told = [line for line in lines(program) if str(path) in line]
        assert len(told) == 1 and "accounts.old" in told[0], lines(program)
        assert "set-up code" not in program.output()
        assert "The file of accounts cannot be used" in Visitor(program.address).get("/login").text
        assert works(program, PASSWORD)
        visitor = Visitor(program.address, 30)
        visitor.post("/login", {"username": NAME, "password": PASSWORD})
        assert "The file of accounts cannot be used" in visitor.get("/").text
        # A change brings a good file back; the damaged one is kept.
        response = visitor.post("/password", {"current": PASSWORD, "password": NEW_PASSWORD,
                                              "password_again": NEW_PASSWORD})
        assert response.status == 303, response.told
        assert "cannot be used" not in visitor.get("/").text
        assert (data / "accounts.damaged0").read_bytes() == bad
        program.stop()
    finally:
        program.kill()
    program = start(data)
    try:
        assert lines(program) == [] and works(program, NEW_PASSWORD)
        program.stop()
    finally:
        program.kill()


@pytest.mark.parametrize("put", [*THINGS, None])
def test_generation_before_is_used_where_there_is_no_file(data, put):
    path = data / "accounts"
    path.unlink()
    if put:
        put(path)
    program = start(data)
    try:
        assert len([line for line in lines(program) if str(path) in line]) == 1, lines(program)
        assert "set-up code" not in program.output()
        assert works(program, PASSWORD)
        program.stop()
    finally:
        program.kill()


@pytest.mark.parametrize("older", ["nuls", "missing", "folder", "without accounts"])
@pytest.mark.parametrize("damage", ["empty", "nuls", "huge", "missing", "folder", "without accounts"])
def test_without_a_good_file_a_page_says_what_to_do(data, damage, older):
    for name, kind in ("accounts", damage), ("accounts.old", older):
        path = data / name
        good = path.read_bytes()
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind != "missing":
            path.write_bytes(damaged_accounts(good)[kind])
            path.chmod(0o600)
    if damage == older == "missing":
        pytest.skip("without files it is set up")
    before = {path: path.is_dir() or path.read_bytes() for path in data.iterdir()}
    program = start(data)
    try:
        told = [line for line in lines(program) if str(data / "accounts") in line]
        assert len(told) == 1 and "copy" in told[0], lines(program)
        assert "set-up code" not in program.output()
        visitor = Visitor(program.address)
        for target in ("/login", "/setup"):
            response = visitor.get(target)
            assert response.status == 503 and "copy" in response.text, response.told
            assert "<form" not in response.text
            response = visitor.post(target, {"code": "AAAA-AAAA", "username": NAME,
                                             "password": PASSWORD, "password_again": PASSWORD})
            assert response.status == 503, response.told
        assert visitor.get("/").location.startswith("/login")
        assert visitor.get(STYLE).status == 200
        program.stop()
    finally:
        program.kill()
    assert {path: path.is_dir() or path.read_bytes() for path in data.iterdir()} == before
    # As the page says: without both it can be set up.
    for name in ("accounts", "accounts.old"):
        path = data / name
        if path.is_dir():
            path.rmdir()
        elif path.exists():
            path.unlink()
    program = start(data)
    program.wait_for("set-up code: ")
    program.stop()


def test_damaged_generation_before_is_no_trouble_and_is_kept(data):
    (data / "accounts.old").write_bytes(b"half")
    program = start(data)
    try:
        visitor = Visitor(program.address, 30)
        visitor.post("/login", {"username": NAME, "password": NEW_PASSWORD})
        assert is_in(visitor)
        response = visitor.post("/password", {"current": NEW_PASSWORD, "password": PASSWORD,
                                              "password_again": PASSWORD})
        assert response.status == 303, response.told
        program.stop()
    finally:
        program.kill()
    assert (data / "accounts.old.damaged0").read_bytes() == b"half"
    (data / "accounts").write_bytes(b"")
    program = start(data)
    assert works(program, NEW_PASSWORD)
    program.stop()


def test_first_account_has_a_copy_at_once(tmp_path):
    """Damage strikes devices that were set up once and never changed, too."""
    panel = Panel(tmp_path / "data")
    assert panel.set_up().status == 302
    panel.kill()
    (panel.data / "accounts").write_bytes(b"")
    program = start(panel.data)
    assert works(program, PASSWORD) and "set-up code" not in program.output()
    program.stop()


def test_copy_is_made_for_the_files_of_an_earlier_version(data):
    (data / "accounts.old").unlink()
    program = start(data)
    program.stop()
    assert (data / "accounts.old").read_bytes() == (data / "accounts").read_bytes()
    assert stat.S_IMODE((data / "accounts.old").stat().st_mode) == 0o600


# Owners and modes ---------------------------------------------------------------------------------

only_root = pytest.mark.skipif(not IS_ROOT, reason="only root gives files away")


@only_root
def test_directory_of_another_user_is_one_line(data):
    os.chown(data, 12345, 12345)
    assert_one_line(try_to_start(data), str(data), "another user", f"chown -R 0 {data}")


@only_root
@pytest.mark.parametrize("name", ["secret", "accounts", "accounts.old", "sessions"])
def test_file_of_another_user_is_one_line(data, name):
    os.chown(data / name, 12345, 12345)
    assert_one_line(try_to_start(data), str(data / name), "another user", "chown")


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o720, 0o702, 0o1777, 0o2770])
def test_directory_that_others_may_write_to_is_one_line(data, mode):
    data.chmod(mode)
    assert_one_line(try_to_start(data), str(data), f"chmod 700 {data}")
    data.chmod(0o700)
    start(data).stop()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o666])
@pytest.mark.parametrize("name", ["secret", "accounts", "accounts.old", "sessions"])
def test_file_that_others_may_read_or_write_is_one_line(data, name, mode):
    path = data / name
    before = path.read_bytes()
    path.chmod(mode)
    assert_one_line(try_to_start(data), f"chmod 600 {path}")
    assert path.read_bytes() == before
    path.chmod(0o600)
    start(data).stop()


def test_nothing_is_made_in_a_directory_that_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    assert_one_line(try_to_start(data), "chmod 700")
    assert not os.listdir(data)


def test_directory_that_others_may_read_is_used(data):
    data.chmod(0o755)
    program = start(data)
    assert works(program, NEW_PASSWORD)
    program.stop()


def test_link_to_a_directory_of_ours_is_used(data, tmp_path):
    (tmp_path / "link").symlink_to(data)
    program = start(tmp_path / "link")
    assert works(program, NEW_PASSWORD)
    assert_one_line(try_to_start(data), "another martlet-panel")
    program.stop()


def as_nobody():
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all",
            "--inh-caps=-all")


@pytest.fixture
def for_everybody(tmp_path):
    """A folder, and a copy of the panel, that every user can reach."""
    if not IS_ROOT or RUN or not shutil.which("setpriv"):
        pytest.skip("only root becomes nobody, with setpriv")
    folder = tempfile.mkdtemp(prefix="martlet-files-")
    os.chmod(folder, 0o755)
    program = shutil.copy(PROGRAMS / "martlet-panel", folder)
    os.chmod(program, 0o755)
    yield folder, program
    shutil.rmtree(folder)


def test_other_users_do_not_use_each_others_directory(for_everybody, data):
    folder, program = for_everybody
    theirs = shutil.copytree(data, os.path.join(folder, "data"))
    arguments = (program, "--listen", "127.0.0.1:0", "--data", theirs)
    ended = subprocess.run([*as_nobody(), *arguments], capture_output=True, text=True, timeout=5,
                           check=False)
    assert ended.returncode == 1 and ended.stderr.count("\n") == 1, ended
    for path in (theirs, *(os.path.join(theirs, name) for name in os.listdir(theirs))):
        os.chown(path, 65534, 65534)
    # Root on the directory of the service's user would leave files that the service cannot read.
    assert_one_line(try_to_start(theirs), "another user")
    process = Program([*as_nobody(), *arguments], "martlet-panel")
    assert works(process, NEW_PASSWORD)
    process.stop()


@pytest.fixture
def mounted(tmp_path):
    """Mounts a file system of 1 MiB; `mounted(type, options)` is its folder."""
    if not IS_ROOT:
        pytest.skip("only root mounts a file system")
    folders = []

    def mount(kind, options):
        folder = tmp_path / f"mount{len(folders)}"
        folder.mkdir()
        if kind == "vfat":
            image = tmp_path / f"image{len(folders)}"
            image.write_bytes(bytes(1 << 20))
            if not shutil.which("mkfs.vfat"):
                pytest.skip("there is no mkfs.vfat")
            subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
            command = ["mount", "-o", f"loop,{options}", image, folder]
        else:
            command = ["mount", "-t", kind, "-o", options, "none", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot mount {kind} here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


def test_file_system_without_permissions_is_one_line_unless_it_is_ours_alone(mounted):
    folder = mounted("vfat", "umask=022")
    assert_one_line(try_to_start(folder / "data"), "umask=077")
    folder = mounted("vfat", "umask=077")
    panel = Panel(folder / "data")
    assert panel.set_up().status == 302
    panel.restart()
    panel.logged_in()
    panel.stop()


def test_read_only_file_system_shows_what_it_has(mounted, data):
    folder = mounted("tmpfs", "size=1m")
    theirs = shutil.copytree(data, folder / "data")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    program = start(theirs)
    try:
        visitor = Visitor(program.address, 30)
        visitor.post("/login", {"username": NAME, "password": NEW_PASSWORD})
        assert "Storage: " in visitor.get("/").text
        response = visitor.post("/password", {"current": NEW_PASSWORD, "password": PASSWORD,
                                              "password_again": PASSWORD})
        assert response.status == 500 and "read-only" in response.text, response.told
        assert_one_line(try_to_start(theirs), "another martlet-panel")
        program.stop()
    finally:
        program.kill()


# The lock -----------------------------------------------------------------------------------------

def test_second_panel_is_one_line(data):
    program = start(data)
    assert_one_line(try_to_start(data), str(data), "another martlet-panel")
    program.stop()
    start(data).stop()


@pytest.mark.parametrize("what", ["directory", "file"])
def test_either_lock_of_another_process_is_seen(data, what):
    """Earlier versions lock the directory; on NFS only the file can be locked."""
    path = data if what == "directory" else data / "lock"
    descriptor = os.open(path, os.O_RDONLY if what == "directory" else os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert_one_line(try_to_start(data), str(data), "another martlet-panel")
    finally:
        os.close(descriptor)
    start(data).stop()
