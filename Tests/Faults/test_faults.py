"""The panel with each call to the system failing, in turn.

Shown here: whatever fails, and wherever, it never crashes and loses nothing. A start that cannot be
ends with one line; a change that could not be stored says so on its page; what was answered as done
is done, and after a restart there is the old state or the new one, with the password that goes with
it. Without a descriptor or memory to spare it waits without using the processor.
"""

import os
import re
import resource
import subprocess
import time

import pytest

from client import Connection, request
from program import STYLE
from faulty import (CERTIFICATES, FILES, LIBRARY, NEW, NAME, OLD, PROGRAMS, Panel, accounts_text, change_password,
                    hashed, is_in, log_in, names, prepare, read_accounts, read_sessions, table, write)

pytestmark = pytest.mark.skipif(not LIBRARY, reason="scripts/test makes the library")

# What a request's page says where nothing was stored, and where only the confirmation is missing.
REFUSED, UNCONFIRMED = "Nothing has changed", "the disk has not confirmed"
# The same on the terminal.
LOGGED = "event=storage_unconfirmed"

# Calls whose count depends on how the network delivers. Tests/FaultTests has them fail in turn.
OF_CONNECTIONS = {"poll", "recv", "send", "accept4", "shutdown"}

REPAIRED = {"EINTR", "short"}


def faults_in(calls):
    """Every plan that makes one of these calls fail once."""
    faults = table()
    return [f"{call.name}:{call.position}:{fault}" for call in calls
            if call.name not in OF_CONNECTIONS for fault in faults[call.name]]


def can_be_begun_again(plan):
    return plan.rpartition(":")[2] in REPAIRED


def assert_happened(panel):
    """The end of a connection may come after its answer."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        if any(call.is_injected for call in panel.calls):
            return
        time.sleep(0.002)
    raise AssertionError(f"nothing was made to fail\n{panel.told}")


def assert_one_line(panel):
    assert panel.process.poll() == 1, f"expected status 1\n{panel.told}"
    line = panel.complaint
    assert line.startswith("martlet-panel: ") and line.count("\n") == 1 and line.endswith("\n"), (
        f"expected one line\n{panel.told}")


def passwords_that_work(panel):
    return [password for password in (OLD, NEW)
            if is_in(log_in(panel, password)[0])]


# The start ----------------------------------------------------------------------------------------

def test_first_start_with_each_fault(tmp_path):
    with Panel(tmp_path / "before") as panel:
        assert panel.is_serving and panel.code and not panel.complaint, panel.told
        plans = faults_in(panel.calls)
        panel.stop()
    assert len(plans) > 60, plans
    for number, plan in enumerate(plans):
        data = tmp_path / str(number)
        with Panel(data, plan) as panel:
            assert_happened(panel)
            if panel.is_serving:
                panel.stop()
                assert panel.complaint.count("\n") <= 1, panel.told
                secret = (data / "secret").read_bytes()
            else:
                assert not can_be_begun_again(plan), panel.told
                assert_one_line(panel)
                secret = None
            told = panel.told
        with Panel(data) as panel:
            assert panel.is_serving and panel.code, f"after:\n{told}\nthere is:\n{panel.told}"
            assert names(data) == sorted(["secret", *CERTIFICATES]), f"left over: {names(data)}\n{told}"
            assert secret in (None, (data / "secret").read_bytes()), f"another secret\n{told}"
            panel.stop()


def test_later_start_with_each_fault(tmp_path):
    with Panel(prepare(tmp_path / "before")) as panel:
        assert panel.is_serving and not panel.code, panel.told
        plans = faults_in(panel.calls)
        panel.stop()
    assert len(plans) > 40, plans
    data = prepare(tmp_path / "data")
    before = {name: (data / name).read_bytes() for name in names(data)}
    for plan in plans:
        with Panel(data, plan) as panel:
            assert_happened(panel)
            if panel.is_serving:
                assert not panel.code, f"it believes that nobody has set it up\n{panel.told}"
                panel.stop()
            else:
                assert not can_be_begun_again(plan), panel.told
                assert_one_line(panel)
            after = {name: (data / name).read_bytes() for name in names(data)}
            if "/secret: " in panel.complaint and panel.is_serving:
                # What cannot be read is made anew; that ends sessions only.
                assert after.pop("secret") != before["secret"], panel.told
                write(data / "secret", before["secret"].decode())
            if "/tls.crt: " in panel.complaint and panel.is_serving:
                # So is a certificate that cannot be read, by the same authority for the same key.
                assert after.pop("tls.crt") != before["tls.crt"], panel.told
                write(data / "tls.crt", before["tls.crt"].decode())
            assert after == {name: before[name] for name in after}, panel.told
    with Panel(data) as panel:
        assert passwords_that_work(panel) == [OLD], panel.told
        panel.stop()


# Changes ------------------------------------------------------------------------------------------

def calls_of(panel, step):
    """The calls that a step brings about."""
    count = len(panel.calls)
    step()
    # The connection's end comes after the answer.
    time.sleep(0.05)
    return panel.calls[count:]


def set_up(panel):
    visitor = panel.visitor()
    form = {"code": panel.code, "username": NAME, "password": NEW, "password_again": NEW}
    return visitor, visitor.post("/setup", form)


def test_set_up_with_each_fault(tmp_path):
    with Panel(tmp_path / "before") as panel:
        plans = faults_in(calls_of(panel, lambda: set_up(panel)))
        panel.stop()
    assert len(plans) > 25, plans
    for number, plan in enumerate(plans):
        data = tmp_path / str(number)
        with Panel(data, plan) as panel:
            visitor, response = set_up(panel)
            assert_happened(panel)
            told = f"{response.told}\n{panel.told}"
            is_done = response.status == 302
            if is_done:
                overview = visitor.get("/")
                assert overview.status == 200, f"not logged in\n{told}"
                assert (UNCONFIRMED in overview.text) == (LOGGED in panel.complaint), told
            else:
                assert response.status == 500 and REFUSED in response.text, told
                assert not can_be_begun_again(plan), told
                assert "accounts" not in names(data), told
            panel.assert_at_rest()
            panel.stop()
        with Panel(data) as panel:
            assert panel.is_serving and bool(panel.code) != is_done, f"{told}\n{panel.told}"
            if is_done:
                assert is_in(log_in(panel, NEW)[0]), f"the account is gone\n{told}"
            else:
                assert set_up(panel)[1].status == 302, f"set-up is closed\n{told}"
            assert names(data) == FILES, f"left over: {names(data)}\n{told}"
            panel.stop()


def test_change_of_password_with_each_fault(tmp_path):
    with Panel(prepare(tmp_path / "before")) as panel:
        visitor = log_in(panel, OLD)[0]
        plans = faults_in(calls_of(panel, lambda: change_password(visitor, OLD, NEW)))
        panel.stop()
    assert len(plans) > 25, plans
    outcomes = set()
    for number, plan in enumerate(plans):
        data = prepare(tmp_path / str(number))
        with Panel(data, plan) as panel:
            visitor = log_in(panel, OLD)[0]
            before = (data / "accounts").read_bytes()
            response = change_password(visitor, OLD, NEW)
            assert_happened(panel)
            told = f"{response.told}\n{panel.told}"
            is_done = response.status == 303
            # What was done, and trouble with the disk, stand on the page that follows.
            page = visitor.get("/") if is_done else response
            outcomes.add((response.status, UNCONFIRMED in page.text))
            if is_done:
                assert page.status == 200 and REFUSED not in page.text, told
                assert (UNCONFIRMED in page.text) == (LOGGED in panel.complaint), told
                assert hashed(OLD) not in (data / "accounts").read_text("ascii"), told
            else:
                assert response.status == 500 and REFUSED in response.text, told
                assert not can_be_begun_again(plan), told
                assert (data / "accounts").read_bytes() == before, f"and yet changed\n{told}"
            assert is_in(visitor), f"the session that asked has ended\n{told}"
            panel.assert_at_rest()
            works = NEW if is_done else OLD
            assert passwords_that_work(panel) == [works], f"in memory\n{told}"
            panel.stop()
        with Panel(data) as panel:
            assert passwords_that_work(panel) == [works], f"after a restart\n{told}"
            assert names(data) == FILES, f"left over: {names(data)}\n{told}"
            panel.stop()
    assert outcomes == {(303, False), (303, True), (500, False)}, outcomes


@pytest.mark.parametrize("step", ["login", "logout"])
def test_login_and_logout_with_each_fault(tmp_path, step):
    """They count at once. What the disk did not take is said on the terminal and the overview."""
    def prepared(data, plan=""):
        panel = Panel(prepare(data), plan)
        return panel, log_in(panel, OLD)[0]

    def take(panel, visitor):
        return log_in(panel, OLD) if step == "login" else (visitor, visitor.post("/logout"))

    panel, visitor = prepared(tmp_path / "before")
    with panel:
        plans = faults_in(calls_of(panel, lambda: take(panel, visitor)))
        panel.stop()
    assert len(plans) > 10, plans
    for number, plan in enumerate(plans):
        data = tmp_path / str(number)
        panel, first = prepared(data, plan)
        with panel:
            cookie = first.jar.value("session")
            visitor, response = take(panel, first)
            assert_happened(panel)
            told = f"{response.told}\n{panel.told}"
            assert response.status == 302, told
            if step == "login":
                cookie = visitor.jar.value("session")
            assert not (can_be_begun_again(plan) and panel.complaint), told
            assert panel.complaint.count("\n") <= 1, told
            assert is_in(panel.visitor(session=cookie)) == (step == "login"), f"in memory\n{told}"
            if step == "login" and panel.complaint:
                assert "Storage: " in visitor.get("/").text, f"the overview does not tell\n{told}"
            panel.assert_at_rest()
            panel.stop()
        with Panel(data) as panel:
            is_alive = is_in(panel.visitor(session=cookie))
            # What the disk did not take at first it took at the end.
            assert is_alive == (step == "login"), f"after a restart\n{told}"
            assert passwords_that_work(panel) == [OLD], told
            assert names(data) == FILES, f"left over: {names(data)}\n{told}"
            panel.stop()


def test_trouble_is_forgotten_when_the_disk_takes_the_next_change(tmp_path):
    data = prepare(tmp_path / "data")
    with Panel(data) as panel:
        calls = calls_of(panel, lambda: log_in(panel, OLD))
        position = next(call.position for call in calls if call.name == "renameat")
        panel.stop()
    with Panel(data, f"renameat:{position}:EIO") as panel:
        first = log_in(panel, OLD)[0]
        assert "Storage: sessions could not be stored: input/output error" in first.get("/").text
        second = log_in(panel, OLD)[0]
        assert "Storage: " not in second.get("/").text
        panel.stop()
    with Panel(data) as panel:
        for visitor in first, second:
            assert is_in(panel.visitor(session=visitor.jar.value("session")))
        panel.stop()


# Tokens -------------------------------------------------------------------------------------------

def make_token(visitor):
    """The answer, and the text of the token; None where none was made."""
    response = visitor.post("/tokens", {"name": "reader", "scope": "read", "days": "0"})
    text = re.search(r'id="token">([^<]+)<', response.text)
    return response, text and text[1]


def reads(panel, token):
    response = panel.visitor().get("/api/v1/access", [("Authorization", f"Bearer {token}")])
    assert response.status in (200, 401), response.told
    return response.status == 200


def revoke_token(visitor):
    identifier = re.search(r'name="revoke" value="([0-9a-f]+)"', visitor.get("/tokens").text)[1]
    return visitor.post("/tokens", {"revoke": identifier})


def test_making_a_token_with_each_fault(tmp_path):
    with Panel(prepare(tmp_path / "before")) as panel:
        visitor = log_in(panel, OLD)[0]
        plans = faults_in(calls_of(panel, lambda: make_token(visitor)))
        panel.stop()
    assert len(plans) > 10, plans
    outcomes = set()
    for number, plan in enumerate(plans):
        data = prepare(tmp_path / str(number))
        with Panel(data, plan) as panel:
            visitor = log_in(panel, OLD)[0]
            response, token = make_token(visitor)
            assert_happened(panel)
            told = f"{response.told}\n{panel.told}"
            outcomes.add(response.status)
            assert (response.status == 200) == (token is not None), told
            if token:
                assert reads(panel, token), told
                warned = "could not be stored" in visitor.get("/tokens").text
                assert warned == ("event=tokens_not_stored" in panel.complaint), told
            else:
                assert response.status == 500 and REFUSED in response.text, told
                assert not can_be_begun_again(plan), told
                assert "There are no tokens." in visitor.get("/tokens").text, told
            panel.assert_at_rest()
            panel.stop()
        with Panel(data) as panel:
            assert token is None or reads(panel, token), f"after a restart\n{told}"
            assert names(data) == FILES + (["tokens"] if token else []), f"left over: {names(data)}\n{told}"
            panel.stop()
    assert outcomes == {200, 500}


def test_revoking_a_token_with_each_fault(tmp_path):
    """It ends at once, whatever the disk says, and for good: the end of the program tries once more."""
    before = prepare(tmp_path / "before")
    with Panel(before) as panel:
        visitor = log_in(panel, OLD)[0]
        token = make_token(visitor)[1]
        text = (before / "tokens").read_text("ascii")
        plans = faults_in(calls_of(panel, lambda: revoke_token(visitor)))
        panel.stop()
    assert len(plans) > 10, plans
    warnings = set()
    for number, plan in enumerate(plans):
        data = prepare(tmp_path / str(number))
        write(data / "tokens", text)
        with Panel(data, plan) as panel:
            visitor = log_in(panel, OLD)[0]
            response = revoke_token(visitor)
            told = f"{response.told}\n{panel.told}"
            assert response.status == 303, told
            assert not reads(panel, token), told
            warnings.add("could not be stored" in visitor.get("/tokens").text)
            panel.assert_at_rest()
            panel.stop()
        with Panel(data) as panel:
            assert not reads(panel, token), f"after a restart\n{told}"
            panel.stop()
    assert warnings == {False, True}


# Pages --------------------------------------------------------------------------------------------

def test_overview_with_each_fault(tmp_path):
    """It reads some dozens of files, and whatever cannot be read is left out."""
    data = prepare(tmp_path / "data")
    with Panel(data) as panel:
        visitor = log_in(panel, OLD)[0]
        before = panel.calls
        # The second page of two, for which no child is asked again.
        visitor.get("/")
        calls = calls_of(panel, lambda: visitor.get("/"))
        panel.stop()
    faults = table()
    for name in sorted({call.name for call in calls} - OF_CONNECTIONS - {"setsockopt"}):
        count = sum(call.name == name for call in calls)
        start = sum(call.name == name for call in before)
        for fault in faults[name]:
            # Every (count + 1)th call, so that another one of the page's fails each time.
            plan = ",".join(f"{name}:{start + (count + 1) * number + 1}:{fault}"
                            for number in range(count))
            with Panel(data, plan) as panel:
                visitor = log_in(panel, OLD)[0]
                for _ in range(count + 1):
                    response = visitor.get("/")
                    assert response.status == 200 and "</html>" in response.text, response.told
                time.sleep(0.01)
                happened = sum(call.is_injected for call in panel.calls)
                assert happened >= count * 3 // 4, f"{happened} of {count}\n{panel.told}"
                panel.assert_at_rest()
                panel.stop()


# Real shortage ------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder],
                             capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"root may not mount here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder):
    """Takes all that is free."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def test_full_disk_refuses_a_change_and_keeps_the_old_file(small_disk):
    data = prepare(small_disk / "data")
    with Panel(data, is_faulty=False) as panel:
        visitor = log_in(panel, OLD)[0]
        before = (data / "accounts").read_bytes()
        filler = fill(small_disk)
        for _ in range(3):
            response = change_password(visitor, OLD, NEW)
            assert response.status == 500, response.told
            assert "no space left on the device" in response.text and REFUSED in response.text
            assert (data / "accounts").read_bytes() == before
            assert names(data) == FILES
        newcomer = log_in(panel, OLD)[0]
        overview = newcomer.get("/")
        assert overview.status == 200, "a full disk keeps people from logging in"
        assert "no space left on the device" in overview.text
        filler.unlink()
        response = change_password(visitor, OLD, NEW)
        assert response.status == 303, response.told
        assert "Storage: " not in visitor.get("/").text
        assert passwords_that_work(panel) == [NEW]
        panel.stop()
    with Panel(data, is_faulty=False) as panel:
        assert passwords_that_work(panel) == [NEW]
        panel.stop()


def test_first_start_on_a_full_disk_is_one_line(small_disk):
    filler = fill(small_disk)
    with Panel(small_disk / "data", is_faulty=False) as panel:
        assert not panel.is_serving, panel.told
        assert_one_line(panel)
        assert "no space left on the device" in panel.complaint
    filler.unlink()
    with Panel(small_disk / "data", is_faulty=False) as panel:
        assert panel.is_serving and panel.code, panel.told
        panel.stop()


STYLE_REQUEST = request("GET", STYLE)


def test_without_a_free_descriptor_a_client_is_served_and_the_processor_rests(tmp_path):
    limit = 16
    head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
    with Panel(prepare(tmp_path / "data"), limit=limit, is_faulty=False) as panel:
        slow = []
        try:
            started, spent = time.monotonic(), panel.cpu_seconds()
            while panel.descriptors() < limit:
                slow.append(Connection(panel.address).send(head[:20]))
                time.sleep(0.01)
            waiting = Connection(panel.address)
            slow.append(waiting.send(STYLE_REQUEST))
            # Who is slow with a head is sent away for somebody else, after a while.
            assert waiting.response(within=2).status == 200
            time.sleep(max(0.0, started + 1.4 - time.monotonic()))
            spent = panel.cpu_seconds() - spent
            assert spent < 0.05, f"{spent:.2f} s of CPU in 1.4 s"
        finally:
            for connection in slow:
                connection.close()
        panel.stop()


def test_with_fewer_descriptors_allowed_than_open_the_processor_rests(tmp_path):
    """poll() then refuses to work at all (EINVAL)."""
    with Panel(prepare(tmp_path / "data"), is_faulty=False) as panel:
        connections = [Connection(panel.address) for _ in range(12)]
        try:
            for connection in connections:
                assert connection.send(STYLE_REQUEST).response().status == 200
            resource.prlimit(panel.process.pid, resource.RLIMIT_NOFILE, (4, 4096))
            connections[0].send(STYLE_REQUEST)
            started, spent = time.monotonic(), panel.cpu_seconds()
            time.sleep(1)
            spent = panel.cpu_seconds() - spent
            assert spent < 0.05 * (time.monotonic() - started), f"{spent:.2f} s of CPU in a second"
            resource.prlimit(panel.process.pid, resource.RLIMIT_NOFILE, (256, 4096))
            assert connections[0].response(within=2).status == 200
        finally:
            for connection in connections:
                connection.close()
        panel.stop()


def test_responses_that_the_kernel_takes_in_parts(tmp_path):
    """They arrive whole, and each part counts."""
    plan = ",".join(f"send:{position}:short" for position in range(2, 6))
    with Panel(prepare(tmp_path / "data"), plan) as panel:
        visitor = log_in(panel, OLD)[0]
        assert is_in(visitor)
        response = visitor.get("/metrics")
        assert response.status == 200, response.told
        assert "\nmartlet_sends_partial_total 4\n" in response.text, response.told
        panel.stop()


# The seam itself ----------------------------------------------------------------------------------

# What programs take from the C library beside the calls that are made to fail, and why not those.
BESIDE = {
    "they only move octets":
        "memchr memcpy memmove memset memcmp bcmp strcmp strlen strncat strncmp strnlen strrchr inet_pton environ",
    "with what they are given they cannot fail":
        "clock_gettime getauxval geteuid getpid kill sigaddset sigemptyset sigprocmask _exit",
    "where it fails, what has come of a ClientHello counts as all of it":
        "getsockopt",
    "without it there are fewer descriptors, and that is tested":
        "prlimit",
    "where they fail, the clock is not synchronized, and the machine has no name":
        "adjtimex gethostname",
    "only the first process of a system calls them":
        "mount reboot sethostname sigaction sigaltstack signal sync tcdrain umount unlink",
    "the seam looks at the numbers of those that may fail":
        "syscall",
    "where they fail no child asks disks, and that is tested":
        "mmap prctl setitimer statfs waitpid",
    "mbedTLS":
        "mbedtls_sha256_finish_ret mbedtls_sha256_free mbedtls_sha256_init mbedtls_sha256_starts_ret "
        "mbedtls_sha256_update_ret",
    "the compiler and the linker add them":
        "__errno_location __libc_start_main __stack_chk_fail __cxa_finalize __gmon_start__ "
        "_ITM_deregisterTMCloneTable _ITM_registerTMCloneTable",
}


@pytest.mark.parametrize("program", ["hello-example", "login-example", "martlet-panel"])
def test_every_call_to_the_system_is_behind_the_seam(program):
    listed = subprocess.run(["nm", "--dynamic", "--undefined-only", PROGRAMS / program],
                            capture_output=True, text=True, check=True).stdout
    taken = {line.split()[-1].partition("@")[0] for line in listed.splitlines()}
    # What Debian's TLS needs of the system fails in Tests/Wire, by its connections, and in CMartletTLS, by its arena.
    taken = {name for name in taken if not name.startswith("mbedtls_")} - {"calloc"}
    assert len(taken) > 20, listed
    known = set(table()).union(*(names.split() for names in BESIDE.values()))
    assert taken <= known, (f"{taken - known} can fail: add a wrapper to Tests/CFaults/faults.c, or "
                            f"say here why not")


def test_a_plan_that_is_none_is_refused(tmp_path):
    for plan in ("fsync", "fsync:1", "fsync:0:EIO", "fsync:x:EIO", "fsync:1:EWHAT", "what:1:EIO"):
        with Panel(tmp_path / "data", plan) as panel:
            assert not panel.is_serving and panel.process.returncode == 97, panel.told


def test_accounts_text_is_what_the_panel_writes(tmp_path):
    """What the tests write by themselves is not taken for damaged, and what it writes is read."""
    data = prepare(tmp_path / "data")
    assert read_accounts(accounts_text(OLD, 7).encode()) == (hashed(OLD), "7")
    with Panel(data) as panel:
        assert is_in(log_in(panel, OLD)[0])
        panel.stop()
    assert read_accounts((data / "accounts").read_bytes()) == (hashed(OLD), "1")
    assert len(read_sessions((data / "sessions").read_bytes(), "1")) == 1
