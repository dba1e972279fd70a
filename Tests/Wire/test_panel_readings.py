"""What the overview says of this very machine, compared with `df`, `free` and `ip`, and what it says of
networks and disks that this machine does not have: of namespaces of its own, and of a system call that
takes three seconds.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from panel import Panel
from program import RUN, STYLE, Program, command_of
from test_panel_sysroots import Page, children

CLONE_NEWNET = 0x40000000
here = pytest.mark.skipif(bool(RUN), reason="an emulator's machine is another one")


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    panel = Panel(tmp_path_factory.mktemp("panel") / "data")
    assert panel.set_up().status == 302
    yield panel.logged_in()
    panel.stop()


def overview(visitor):
    response = visitor.get("/")
    assert response.status == 200, response.told
    return Page(response.text)


def told_by(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@here
def test_use_of_disks_is_that_of_df(visitor):
    page = overview(visitor)
    assert page.disk, "no disk is shown"
    for mount, text in page.disk.items():
        said = told_by("df", "--output=pcent", mount).split()[1].rstrip("%")
        shown = re.search(r"(\d+) %", text)
        assert shown and abs(int(said.replace("-", "0")) - int(shown[1])) <= 1, (text, said)


@here
def test_memory_is_that_of_free(visitor):
    page = overview(visitor)
    total, *_, available = map(int, re.search(r"^Mem: +(.*)$", told_by("free", "-k"), re.M)[1].split())
    if "limit of this container" not in page.memory:
        percent = int(re.search(r"(\d+) %", page.memory)[1])
        assert abs(percent - 100 * (total - available) / total) < 5, page.memory


@here
def test_addresses_are_those_of_ip(visitor):
    page = overview(visitor)
    for line in told_by("ip", "-o", "addr", "show", "scope", "global").splitlines():
        name, address = re.match(r"\d+: (\S+) +inet6? ([^/ ]+)", line).groups()
        if "temporary" not in line and "deprecated" not in line and name in page.interface:
            assert address in page.interface[name] or " more " in page.interface[name], line


class InNetwork(threading.Thread):
    """Runs a test in a network namespace of its own, and hands on what it raises."""

    def __init__(self, body):
        super().__init__()
        self.body, self.raised = body, None
        self.start()
        self.join()
        if self.raised:
            raise self.raised

    def run(self):
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(CLONE_NEWNET) != 0:
                pytest.skip(f"no network namespace: {os.strerror(ctypes.get_errno())}")
            told_by("ip", "link", "set", "lo", "up")
            self.body()
        except BaseException as error:  # pytest's own, too.
            self.raised = error


def has_dummies():
    return os.geteuid() == 0 and not RUN and shutil.which("ip")


@pytest.mark.skipif(not has_dummies(), reason="only root may make interfaces")
def test_interfaces_of_any_number(tmp_path):
    """Forty interfaces of containers before the machine's own; six IPv6 addresses; forty IPv4 ones."""
    def body():
        kinds = [kind for kind in ("dummy", "ifb") if not subprocess.run(
            ["ip", "link", "add", "probe0", "type", kind], capture_output=True, check=False).returncode]
        if not kinds:
            pytest.skip("this kernel has no interfaces to make")
        kind = kinds[0]
        batch = ["link del probe0"]
        for n in range(40):
            batch += [f"link add veth{n:02} type {kind}", f"link set veth{n:02} up"]
        batch += [f"link add lan0 type {kind}", "link set lan0 up"]
        for suffix in ("2001:db8:aa::1", "fd00:1::1", "2001:db8:aa::2", "2001:db8:bb::1"):
            batch.append(f"addr add {suffix}/64 dev lan0 nodad")
        batch.append("addr add 2001:db8:cc::1/64 dev lan0 nodad preferred_lft 0")
        batch += [f"addr add 10.9.{n}.1/24 dev lan0" for n in range(40)]
        subprocess.run(["ip", "-force", "-batch", "-"], input="\n".join(batch), text=True,
                       capture_output=True, check=True)
        panel = Panel(tmp_path / "data")
        assert panel.set_up().status == 302
        page = overview(panel.logged_in())
        assert list(page.interface)[0] == "lan0"
        text = page.interface["lan0"]
        assert "10.9.0.1 2001:db8:" in text and "42 more" in text, text
        assert "2001:db8:cc::1" not in text
        assert "and 31 more" in page.network, page.network
        panel.stop()
    InNetwork(body)


# Disks that do not answer -------------------------------------------------------------------------

def may_trace():
    return not RUN and shutil.which("strace") and subprocess.run(
        ["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


class SlowPanel(Panel):
    """A panel on a machine whose disks take so long to say how full they are."""

    def __init__(self, data, *injections):
        self.injections = [f"--inject={text}" for text in injections]
        super().__init__(data)

    def start(self):
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf",
                   "--trace=statfs,fstatfs,statfs64,fstatfs64", *self.injections,
                   *command_of("martlet-panel"), "--listen", "127.0.0.1:0", "--data", str(self.data)]
        self.program = Program(command, "martlet-panel")
        self.port = self.address[1]

    def own_pid(self):
        return children(self.program.pid)[0]

    def kill(self):
        """Ends the panel as well, which goes on without strace."""
        os.kill(self.own_pid(), signal.SIGKILL)
        super().kill()


@pytest.mark.skipif(not may_trace(), reason="strace may not trace here")
def test_a_disk_that_takes_three_seconds_keeps_nobody_waiting(tmp_path):
    panel = SlowPanel(tmp_path / "data", "statfs,fstatfs:delay_enter=3000000")
    assert panel.set_up().status == 302
    visitor, other = panel.logged_in(), panel.visitor()
    longest = []
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            start = time.monotonic()
            assert other.get(STYLE).status == 200
            longest.append(time.monotonic() - start)
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    page = overview(visitor)
    took = time.monotonic() - start
    stop.set()
    watcher.join()
    assert took < 2.5, took
    assert "does not answer" in page.disks
    assert max(longest) < 1, max(longest)
    assert len(children(panel.own_pid())) <= 2
    # An answer that comes late is shown at the next visit.
    time.sleep(3)
    end = time.monotonic() + 10
    while "%" not in overview(visitor).disks and time.monotonic() < end:
        time.sleep(0.5)
    page = overview(visitor)
    assert re.search(r"\d+ %", page.disks), page.disks
    panel.kill()


@pytest.mark.skipif(not may_trace(), reason="strace may not trace here")
def test_a_file_system_that_refuses_is_said_to(tmp_path):
    panel = SlowPanel(tmp_path / "data", "statfs,fstatfs:error=EIO")
    assert panel.set_up().status == 302
    page = overview(panel.logged_in())
    assert "cannot be found out" in page.disks, page.disks
    panel.kill()
