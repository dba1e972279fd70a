"""`martlet-panel --sysroot DIRECTORY`: what the overview says of machines that are only texts.

Shown here: each fact of the page is that of the tree in Tests/Sysroots; use of disks is what `df` would
say; what the kernel has made read-only says so; what matters comes first, and what is left out is
counted; a disk that does not answer holds nobody up; texts of any octets and any length are shown safely.
"""

import json
import random
import re
import shutil
import time
from pathlib import Path

import pytest

from panel import Panel
from program import SCRIPT, STYLE, run

SYSROOTS = Path(__file__).resolve().parents[1] / "Sysroots"
TREES = sorted(path.name for path in SYSROOTS.iterdir() if path.is_dir())


class TreePanel(Panel):
    """A panel that shows a directory instead of this machine."""

    def __init__(self, data, root):
        super().__init__(data, "--sysroot", str(root))
        response = self.set_up()
        assert response.status == 302, response.told

    def page(self):
        response = self.logged_in().get("/")
        assert response.status == 200, response.told
        return Page(response.text)


class Page:
    """What the overview says."""

    def __init__(self, text):
        self.html = text
        main = text.partition("<main>")[2].partition("</main>")[0]
        self.network = plain(main.partition("<h2>Network</h2>")[2])
        self.disks = plain(main.partition("<h2>Disks</h2>")[2].partition("<h2>Network</h2>")[0])
        self.memory = plain(main.partition("<h2>Memory</h2>")[2].partition("<h2>Disks</h2>")[0])
        self.tiles = {plain(name): plain(value) for name, value
                      in re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)</dd>", main, re.DOTALL)}
        self.title = plain(main.partition("</div>")[0])
        # Name → all that is said of it, in the order of the page.
        self.disk = parts(main.partition("<h2>Disks</h2>")[2].partition("<h2>Network</h2>")[0])
        self.interface = parts(main.partition("<h2>Network</h2>")[2])


def plain(html):
    """The text of a piece of HTML, blanks as one."""
    text = re.sub(r"<[^>]*>", " ", html)
    for name, octet in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(name, octet)
    return " ".join(text.split())


def parts(html):
    found = {}
    for piece in html.split("<h3>")[1:]:
        text = plain(piece)
        found[plain(re.split("<span|</h3>", piece)[0])] = text
    return found


def percent_of_df(numbers):
    """As df(1) computes it from statfs(): in use = total - free, of what is in use or available."""
    block, total, free, available = numbers
    used = total - free
    return -(-100 * used // (used + available)) if used + available else 0


def spaces(tree):
    """MOUNT-POINT → numbers of the tree's statfs()."""
    lines = (SYSROOTS / tree / "martlet" / "statfs").read_text("utf-8").splitlines()
    return {re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), words[0]): [int(n) for n in words[1:]]
            for words in map(str.split, lines) if words[1] != "silent"}


@pytest.fixture(scope="module", params=TREES)
def shown(request, tmp_path_factory):
    """A tree's name, and what the panel says of it."""
    panel = TreePanel(tmp_path_factory.mktemp("panel") / "data", SYSROOTS / request.param)
    yield request.param, panel.page()
    panel.stop()


# What each tree says, by eye.
MODELS = {
    "container": "AMD EPYC 7763 64-Core Processor", "docker-host": "Standard PC (Q35 + ICH9, 2009)",
    "nas": "X11SSH-LN4F", "openwrt": "TP-Link TL-WR841N/ND v11", "pc-hwmon": "B450 TOMAHAWK",
    "pc-without-sensor": "To Be Filled By O.E.M.", "pi-5": "Raspberry Pi 5 Model B Rev 1.0",
    "pi-zero": "Raspberry Pi Zero W Rev 1.1", "vendor-3.4": "sun7i",
}
TEMPERATURES = {
    "nas": "61.0 °C coretemp", "pc-hwmon": "44.1 °C k10temp", "pi-5": "52.7 °C cpu-thermal",
    "pi-zero": "38.5 °C cpu-thermal", "vendor-3.4": "45.0 °C sunxi-therm",
}
# In use and all, in KiB: MemTotal - MemAvailable; or - (MemFree + Buffers + Cached - Shmem +
# SReclaimable); or the container's limit and memory.current - inactive_file.
MEMORY = {
    "container": ((402653184 - 268435456) // 1024, 536870912 // 1024),
    "docker-host": (8131584 - 5120000, 8131584), "nas": (65758212 - 9012224, 65758212),
    "openwrt": (27348 - 7020, 27348), "pc-hwmon": (32796588 - 30012345, 32796588),
    "pc-without-sensor": (32796588 - (28012345 + 50000 + 2400000 - 300000 + 150000), 32796588),
    "pi-5": (8255840 - 6712064, 8255840), "pi-zero": (440084 - 330512, 440084),
    "vendor-3.4": (2067384 - (612344 + 102400 + 819200 - 20480 + 51200), 2067384),
}
DISKS = {
    "container": ["/", "/etc/hosts"] + [f"/data/volume{n:02}" for n in range(6)],
    "docker-host": ["/", "/mnt/backup", "/mnt/films"],
    "nas": ["/", "/mnt/usb", "/mnt/ext", "/tank", "/boot/efi", "/mnt/offsite", "/tank/share00"],
    "openwrt": ["/", "/overlay"], "pc-hwmon": ["/", "/boot/efi"], "pc-without-sensor": ["/", "/boot/efi"],
    "pi-5": ["/", "/media/pi/Fotos 2025", "/boot/firmware"], "pi-zero": ["/", "/boot/firmware"],
    "vendor-3.4": ["/", "/srv", "/srv/archive"],
}
MORE_DISKS = {"container": 5, "nas": 30}
READ_ONLY = {"nas": {"/mnt/usb", "/mnt/ext"}, "pi-5": {"/media/pi/Fotos 2025"}, "vendor-3.4": {"/srv"}}
SILENT = {"docker-host": {"/mnt/films"}, "nas": {"/mnt/offsite"}}
FIRST_INTERFACES = {
    "container": ["eth0"], "docker-host": ["eth0", "docker0", "br-1a2b3c4d5e6f"],
    "nas": ["br0", "wg0", "enp0s0f0"], "openwrt": ["br-lan", "eth0"], "pc-hwmon": ["enp4s0"],
    "pc-without-sensor": ["enp4s0"], "pi-5": ["eth0", "wlan0"], "pi-zero": ["wlan0"],
    "vendor-3.4": ["eth0"],
}
MORE_INTERFACES = {"docker-host": 9, "nas": 10}
ADDRESSES = {
    "container": {"eth0": ["172.17.0.2"]},
    "docker-host": {"eth0": ["10.1.0.5", "2001:db8:1::10", "fe80::5254:ff:fe12:3456"],
                    "docker0": ["172.17.0.1"], "br-1a2b3c4d5e6f": ["172.18.0.1"]},
    "nas": {"br0": ["192.168.10.2", "192.168.20.2", "fd12::ac1f:6bff:fe00:1", "fe80::ac1f:6bff:fe00:1"],
            "wg0": ["10.8.0.1"]},
    "openwrt": {"br-lan": ["192.168.1.1", "fd57:1234:5678::1", "fe80::c24a:ff:fe11:2233"],
                "eth0": ["203.0.113.77", "fe80::c24a:ff:fe11:2234"]},
    "pc-hwmon": {"enp4s0": ["192.168.0.20", "fe80::220c:43ff:fe11:2233"]},
    "pc-without-sensor": {"enp4s0": ["192.168.0.20", "fe80::220c:43ff:fe11:2233"]},
    "pi-5": {"eth0": ["10.0.0.15", "2001:db8:0:aa:da3a:ddff:fe01:203", "fd00::1:da3a:ddff:fe01:203",
                      "fe80::2ccf:67ff:fe01:203", "3 more"]},
    "pi-zero": {"wlan0": ["192.168.178.41", "fe80::ba27:ebff:fe4a:1b2c"]},
    "vendor-3.4": {"eth0": ["172.16.5.9"]},
}


def test_every_tree_is_expected():
    for table in (MODELS, MEMORY, DISKS, FIRST_INTERFACES, ADDRESSES):
        assert sorted(table) == TREES


def test_name_kernel_and_model(shown):
    tree, page = shown
    root = SYSROOTS / tree
    assert (root / "proc/sys/kernel/hostname").read_text("utf-8").strip() in page.title
    assert (root / "proc/sys/kernel/osrelease").read_text("utf-8").strip() in page.title
    assert MODELS[tree] in page.title


def test_processors(shown):
    tree, page = shown
    online = SYSROOTS / tree / "sys/devices/system/cpu/online"
    if not online.exists():
        assert "Processors" not in page.tiles
        return
    first, _, last = online.read_text("ascii").strip().partition("-")
    expected = str(int(last or first) - int(first) + 1)
    assert page.tiles["Processors"] == expected + (" limited to 1.5" if tree == "container" else "")


def test_temperature(shown):
    tree, page = shown
    assert page.tiles.get("Temperature") == TEMPERATURES.get(tree)


def test_memory(shown):
    tree, page = shown
    used, total = MEMORY[tree]
    assert f'data-kib="{total}"' in page.html
    assert page.memory.endswith("%") or "limit of this container" in page.memory, page.memory
    percent = int(re.search(r"(\d+) %", page.memory)[1])
    assert abs(percent - 100 * used / total) <= 1, page.memory
    assert ("limit of this container" in page.memory) == (tree == "container")


def test_disks_and_what_is_left_out(shown):
    tree, page = shown
    listed = list(page.disk)
    assert listed[:len(DISKS[tree])] == DISKS[tree]
    assert len(listed) <= 8
    more = re.search(r"and (\d+) more", page.disks)
    assert int(more[1] if more else 0) == MORE_DISKS.get(tree, 0), page.disks
    assert ("13 overlays of containers not listed" in page.disks) == (tree == "docker-host")


def test_use_of_disks_is_that_of_df(shown):
    tree, page = shown
    for mount, numbers in spaces(tree).items():
        if mount in page.disk:
            assert f" {percent_of_df(numbers)} %" in page.disk[mount], (mount, page.disk[mount])


def test_read_only_is_said_where_the_kernel_has_made_it_so(shown):
    tree, page = shown
    said = {mount for mount, text in page.disk.items() if "read-only" in text}
    assert said == READ_ONLY.get(tree, set())


def test_what_does_not_answer_says_so(shown):
    tree, page = shown
    said = {mount for mount, text in page.disk.items() if "does not answer" in text}
    assert said == SILENT.get(tree, set())


def test_interfaces_and_what_is_left_out(shown):
    tree, page = shown
    assert list(page.interface)[:len(FIRST_INTERFACES[tree])] == FIRST_INTERFACES[tree]
    more = re.search(r"and (\d+) more$", page.network)
    assert int(more[1] if more else 0) == MORE_INTERFACES.get(tree, 0), page.network


def test_addresses_in_their_order(shown):
    tree, page = shown
    for interface, expected in ADDRESSES[tree].items():
        listed = page.interface[interface].partition(" received ")[0].split(" ", 2)[2]
        assert listed == " ".join(expected)


def test_counters(shown):
    tree, page = shown
    assert all("received" in text and "sent" in text for text in page.interface.values())


# A disk that does not answer ----------------------------------------------------------------------

def test_a_disk_that_does_not_answer_holds_nobody_up(tmp_path):
    panel = TreePanel(tmp_path / "data", SYSROOTS / "docker-host")
    visitor, other = panel.logged_in(), panel.visitor()
    for turn in range(3):
        start = time.monotonic()
        page = Page(visitor.get("/").text)
        assert time.monotonic() - start < 2.5, f"the {turn + 1}th page was late"
        assert "does not answer" in page.disk["/mnt/films"]
        assert "53 %" in page.disk["/mnt/backup"], "others are shown all the same"
        start = time.monotonic()
        assert other.get(STYLE).status == 200
        assert time.monotonic() - start < 0.5
        assert len(children(panel.program.pid)) <= 2
        time.sleep(0.3)
    pids = children(panel.program.pid)
    assert pids, "nobody waits for the disk"
    for pid in pids:
        links = [path.resolve() for path in Path(f"/proc/{pid}/fd").iterdir() if path.exists()]
        assert not any("socket" in str(link) or "data" in str(link) for link in links), links
    panel.stop()
    end = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids), "a child has stayed"


def test_children_end_and_leave_nothing(tmp_path):
    panel = TreePanel(tmp_path / "data", SYSROOTS / "pi-5")
    visitor = panel.logged_in()
    for _ in range(5):
        assert visitor.get("/").status == 200
        time.sleep(0.3)
    # Every second sample makes a child too, which ends at once, and which the next sample, 5 s later, collects.
    end = time.monotonic() + 12
    while children(panel.program.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert children(panel.program.pid) == []
    panel.stop()


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


# Texts of any octets and length -------------------------------------------------------------------

HOSTILE = [b"\x1b[31m\x07\0\x7f", b"\xff\xfe\xc3\x28\xe2\x82", b"<script>alert(1)</script>\"'&",
           "\u202e\u2066\u0085".encode(), b"x" * 10_000, b"<\"'&>" * 2_000, b""]


# What a piece of a page has room for: a response without its head, and without what ends a chunk.
PIECE = 24_576 - 8_704 - 7
ALERTS = {"processors": "1", "load": "1", "memory": "1", "temperature": "1"}


@pytest.mark.parametrize("word", [b"\"'&<" * 70, b"\"" * 280], ids=["mixed", "longest"])
def test_a_page_of_the_longest_texts_has_room(tmp_path, word):
    """Every list full, every text as long as it can be and full of what HTML escapes, and a piece for each list."""
    root = tmp_path / "root"
    six = b"".join(b"20010db81111222233334444%04x%04x 02 40 00 80 %s%02d\n" % (n, k, b"\"" * 13, n)
                   for n in range(30) for k in range(9))
    for name, text in {
        "proc/sys/kernel/hostname": word, "proc/sys/kernel/osrelease": word, "proc/uptime": b"9" * 18,
        "proc/loadavg": b"10000.00 10000.00 10000.00", "proc/device-tree/model": word,
        "sys/class/thermal/thermal_zone0/type": b"cpu" + word[:30],
        "sys/class/thermal/thermal_zone0/temp": b"-39999\n", "sys/fs/cgroup/memory.max": b"536870911",
        "sys/fs/cgroup/memory.current": b"536870910", "sys/fs/cgroup/cpu.max": b"12345 100000",
        "sys/devices/system/cpu/online": b"0-9999", "proc/net/if_inet6": six,
        "sys/devices/platform/soc/soc:firmware/get_throttled": b"f0000",
        "proc/meminfo": b"MemTotal: 9999999999 kB\nMemAvailable: 1 kB\n",
        "proc/net/dev": b"".join(b"%s%02d: 18446744073709551615 0 0 0 0 0 0 0 18446744073709551615\n"
                                 % (b"\"" * 13, n) for n in range(30)),
        "proc/self/mountinfo": b"".join(b"%d 1 8:%d / /mnt/%d%s rw - ext4 /dev/%s ro,errors=remount-ro\n"
                                        % (n, n, n, word[:240], word) for n in range(30)),
        "martlet/statfs": b"".join(b"/mnt/%d%s 4096 18446744073709551 99999 9999\n" % (n, word[:240])
                                   for n in range(30)),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text)
    for n in range(30):
        folder = root / "sys/class/net" / ('"' * 13 + f"{n:02}")
        folder.mkdir(parents=True)
        (folder / "operstate").write_bytes(b"\"" * 40)
    panel = TreePanel(tmp_path / "data", root)
    visitor = panel.logged_in()
    assert visitor.post("/alerts", {**ALERTS, **{f"{name}-minutes": "1" for name in ALERTS}}).status == 303
    response = visitor.get("/")
    assert response.status == 200, response.told
    *pieces, end = response.chunks
    print(f"octets of the pieces: {pieces}, room for {PIECE}")
    assert end == 0 and len(pieces) == 3
    # Half of each is left, for what the first piece may have to say beside, and for what is added.
    assert max(pieces) < PIECE / 2, pieces
    page = Page(response.text)
    assert len(page.disk) == 8 and len(page.interface) == 10 and response.text.endswith("</html>\n")
    panel.stop()


@pytest.mark.parametrize("octets", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_shown_safely(tmp_path, octets):
    word = octets.replace(b"\0", b"") or b"x"
    root = tmp_path / "root"
    dev = b"Inter-|\n face |\n" + b"".join(b"%s%d: 1 2 3\n" % (word[:13], n) for n in range(30))
    line = b"%d 1 8:%d / /mnt/%s%d rw - ext4 /dev/%s rw,x=" + b"y" * 20_000 + b"\n"
    for name, text in {
        "proc/sys/kernel/hostname": octets, "proc/sys/kernel/osrelease": octets, "proc/uptime": octets,
        "proc/loadavg": octets, "proc/meminfo": octets, "proc/device-tree/model": octets,
        "sys/devices/system/cpu/online": octets, "sys/class/thermal/thermal_zone0/type": octets[:20],
        "sys/class/thermal/thermal_zone0/temp": b"45000\n", "proc/net/dev": dev,
        "proc/self/mountinfo": b"".join(line % (n, n, word[:200], n, word) for n in range(30)),
        "etc/fstab": octets, "proc/net/if_inet6": octets, "proc/net/fib_trie": octets,
        "proc/net/route": octets, "proc/1/cgroup": octets, "sys/fs/cgroup/memory.max": octets,
        "martlet/statfs": octets, "proc/stat": octets + b"\ncpu " + octets, "proc/diskstats": octets,
        "sys/devices/platform/soc/soc:firmware/get_throttled": octets,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text)
    panel = TreePanel(tmp_path / "data", root)
    response = panel.logged_in().get("/")
    assert response.status == 200, response.told
    own = f'<script defer src="{SCRIPT}" data-events="/live"></script>'
    assert "<script" not in response.text.replace(own, "")
    assert not re.search(r"[\0-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]", response.text)
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", response.text)
    panel.stop()


def test_damaged_texts_stop_neither_the_panel_nor_its_child(tmp_path):
    """Octets changed, lines cut, doubled and mixed up, at random but the same each time."""
    chance = random.Random(1968)
    texts = {}
    for tree in TREES:
        for path in sorted((SYSROOTS / tree).rglob("*")):
            if path.is_file() and path.name != "README":
                name = path.relative_to(SYSROOTS / tree)
                texts.setdefault(name, []).append(path.read_bytes().replace(b" silent", b" 4096 9 5 5"))
    root = tmp_path / "root"
    shutil.copytree(SYSROOTS / "nas", root)
    (root / "martlet" / "statfs").write_bytes(b"")
    panel = TreePanel(tmp_path / "data", root)
    visitor = panel.logged_in()
    for _ in range(200):
        for name, all_of_them in chance.sample(sorted(texts.items()), 12):
            octets = bytearray(chance.choice(all_of_them))
            for _ in range(chance.randrange(6)):
                at = chance.randrange(len(octets) + 1)
                octets[at:at + chance.choice((0, 1, 1, 1, 30))] = chance.choice((
                    bytes([chance.randrange(256)]), b"", b"\n", b" ", b"-", b"99999999999999999999",
                    b":", b"/", b"\\777", octets[:at][-40:] * 3, b"x" * 9000))
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(octets)
        response = visitor.get("/")
        assert response.status == 200, response.told
        assert "does not answer" not in response.text, response.text
        time.sleep(0.01)
    panel.stop()


def test_an_empty_tree_is_a_page_of_unknowns(tmp_path):
    (tmp_path / "root").mkdir()
    panel = TreePanel(tmp_path / "data", tmp_path / "root")
    page = panel.page()
    assert "unknown" in page.title and "unknown" in page.memory and "None found" in page.disks
    assert "No interfaces" in page.network and "Temperature" not in page.tiles
    assert " 0 %" not in page.memory and "100 %" not in page.memory
    panel.stop()


@pytest.mark.parametrize("root", ["/nowhere/at/all", "/etc/passwd", "", "x" * 300])
def test_a_directory_that_is_none_is_one_line(tmp_path, root):
    ended = run("martlet-panel", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"),
                "--sysroot", root)
    assert ended.returncode != 0
    assert ended.stderr.count("\n") == 1 and "--sysroot" in ended.stderr, ended.stderr


# For programs -------------------------------------------------------------------------------------

@pytest.mark.parametrize("tree", TREES)
def test_load_and_kernel_for_programs_are_those_of_the_tree(tmp_path, tree):
    """Three loads, each under its own name, and texts as they are, in the figures and in the API."""
    loads = [float(word) for word in (SYSROOTS / tree / "proc" / "loadavg").read_text("ascii").split()[:3]]
    kernel = (SYSROOTS / tree / "proc" / "sys" / "kernel" / "osrelease").read_text("ascii").strip()
    panel = TreePanel(tmp_path / "data", SYSROOTS / tree)
    try:
        visitor = panel.logged_in()
        figures = dict(re.findall(r"^martlet_(load\d+) (\S+)$", visitor.get("/metrics").text, re.MULTILINE))
        assert [float(figures[name]) for name in ("load1", "load5", "load15")] == loads, figures
        token = panel.make_token(visitor)
        system = json.loads(panel.ask("/api/v1/system", token).text)
        assert system["load"] == loads and system["kernel"] == kernel, system
    finally:
        panel.stop()
