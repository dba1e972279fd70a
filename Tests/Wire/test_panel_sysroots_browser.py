"""The overview and the history of every machine of Tests/Sysroots in headless Chromium, and of one with the longest names
that there are: nothing is wider than a phone or a desktop, in light and in dark, and all of it is readable.
Screenshots are left in MARTLET_SCREENSHOTS.
"""

import pytest

from looks import check_looks
from panel import NAME, PASSWORD
from test_panel_browser import (SIZES, browser, browser_without_scripts, dress, paper_and_ink, path_shown,  # noqa: F401
                                screenshots, show, submit, take_screenshot)
from test_panel_sysroots import SYSROOTS, TREES, TreePanel


def longest(root):
    """A machine whose every name is as long as it can be, and without a blank."""
    word = "W" * 240
    mounts = [f"1 0 179:2 / / rw - ext4 /dev/{word} ro,errors=remount-ro"] + [
        f"{n} 1 8:{n} / /mnt/{n}{word} rw - ext4 /dev/{n}{word} ro" for n in range(40)]
    spaces = [f"/mnt/{n}{word} 4096 1000000 500000 400000" for n in range(40)] + ["/ 4096 9999 99 9"]
    names = [f"{n:02}" + "W" * 13 for n in range(40)]
    six = [f"20010db81111222233334444{n:04x}{k:04x} 02 40 00 80 {name}"
           for n, name in enumerate(names) for k in range(6)]
    for path, lines in {
        "proc/sys/kernel/hostname": ["h" * 64], "proc/device-tree/model": [word],
        "proc/sys/kernel/osrelease": ["6." + "1" * 60], "proc/uptime": ["99999999999.00 1.00"],
        "proc/loadavg": ["10000.00 10000.00 10000.00 1/1 1"], "sys/devices/system/cpu/online": ["0-9999"],
        "proc/meminfo": ["MemTotal: 9999999999 kB", "MemAvailable: 1 kB"],
        "sys/class/thermal/thermal_zone0/type": ["cpu" + "W" * 30],
        "sys/class/thermal/thermal_zone0/temp": ["99999"], "sys/fs/cgroup/cpu.max": ["12345 100000"],
        "sys/fs/cgroup/memory.max": ["9999999999"], "sys/fs/cgroup/memory.current": ["9999999998"],
        "proc/self/mountinfo": mounts, "martlet/statfs": spaces, "proc/net/if_inet6": six,
        "proc/net/dev": [f"{name}: 18446744073709551615 0 0 0 0 0 0 0 18446744073709551615" for name in names],
        **{f"sys/class/net/{name}/operstate": ["lowerlayerdown"] for name in names},
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("\n".join(lines) + "\n", "ascii")
    return root


@pytest.fixture(scope="module", params=[*TREES, "longest"])
def tree(request, tmp_path_factory, browser):  # noqa: F811
    folder = tmp_path_factory.mktemp("panel")
    root = SYSROOTS / request.param if request.param in TREES else longest(folder / "root")
    panel = TreePanel(folder / "data", root)
    show(browser, panel, "/")
    submit(browser, username=NAME, password=PASSWORD)
    assert path_shown(browser, panel) == "/", browser.current_url
    yield request.param, panel
    # A stream that the stop ends is a complaint of the browser.
    browser.get("about:blank")
    panel.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pages_fit_the_screen_and_are_readable(browser, tree, screenshots, size, scheme):  # noqa: F811
    name, panel = tree
    dress(browser, size, scheme)
    for page, target in (("overview", "/"), ("history", "/history")):
        where = f"{name}-{page}-{size}-{scheme}"
        show(browser, panel, target)
        take_screenshot(browser, screenshots / f"{where}.png")
        check_page(browser, size, where)
        paper, ink = paper_and_ink(browser)
        assert (paper < 100 < ink) if scheme == "dark" else (ink < 100 < paper), where


@pytest.mark.parametrize("size", SIZES)
def test_pages_without_scripts_are_readable(browser_without_scripts, tree, size):  # noqa: F811
    name, panel = tree
    dress(browser_without_scripts, size, "dark")
    for target in ("/", "/history"):
        show(browser_without_scripts, panel, target)
        if path_shown(browser_without_scripts, panel).startswith("/login"):
            submit(browser_without_scripts, username=NAME, password=PASSWORD)
        check_page(browser_without_scripts, size, f"{name}{target}-{size} without scripts")


def check_page(browser, size, where):  # noqa: F811
    wide, inner = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= inner == SIZES[size][0], f"{where} is {wide} wide on a screen of {inner}"
    check_looks(browser, where)
