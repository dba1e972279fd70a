"""gpio-example: lamps and a button, simulated and at a chip.

The chip is a library that answers in place of the kernel (fake_gpio_chip.c). It stands under programs that use the
system's C library, so its tests run with the Debian boards that are of this machine's kind.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from client import Connection, Visitor, form_request
from program import REPOSITORY, RUN, Program, run, running

HERE = Path(__file__).parent
CHIP_SIZE = 64


def has_chip():
    return Path("/dev/gpiochip0").exists()


@pytest.fixture
def simulated():
    if has_chip():
        pytest.skip("this machine has a chip")
    for program in running(Program.start("gpio-example", "--listen", "127.0.0.1:0")):
        yield Visitor(program.address)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    own = "debian-amd64" if platform.machine() == "x86_64" else "debian-arm64"
    if RUN or os.environ.get("MARTLET_BOARD") != own:
        pytest.skip("for programs with this system's own C library")
    # The system's own headers may be older than the kernel's interface.
    sysroot = REPOSITORY / ".build" / "sdk" / "boards.artifactbundle" / own / "sysroot"
    clang = Path(shutil.which("swift")).resolve().parent / "clang"
    path = tmp_path_factory.mktemp("chip") / "chip.so"
    subprocess.run([clang, f"--target={platform.machine()}-linux-gnu", f"--sysroot={sysroot}", "-fuse-ld=lld",
                    "-shared", "-fPIC", "-O1", "-Wall", "-Werror", HERE / "fake_gpio_chip.c", "-o", path], check=True)
    return path


@pytest.fixture
def levels(tmp_path, library, monkeypatch):
    """The levels of the chip's lines. The button's line is pulled up."""
    path = tmp_path / "levels"
    path.write_text("1" * CHIP_SIZE)
    monkeypatch.setenv("GPIO_LEVELS", str(path))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    return path


def switch(visitor, lamp, state):
    response = visitor.post(f"/lamps/{lamp}", {state: "yes"})
    assert response.status == 303 and response.location == "/", response.told


def test_simulated_lamps_and_button(simulated):
    text = simulated.get("/").text
    assert "The red lamp is off." in text and "The green lamp is off." in text and "button is up" in text
    switch(simulated, "red", "on")
    text = simulated.get("/").text
    assert "The red lamp is on." in text and "The green lamp is off." in text and "button is pressed" in text
    switch(simulated, "red", "off")
    switch(simulated, "green", "on")
    text = simulated.get("/").text
    assert "The red lamp is off." in text and "The green lamp is on." in text


def test_what_is_no_lamp_is_refused(simulated):
    assert simulated.post("/lamps/blue", {"on": "yes"}).status == 404
    assert simulated.get("/lamps/red").status == 405
    with Connection(simulated.address) as connection:
        connection.send(form_request("/lamps/red", {"on": "yes"}, [("Sec-Fetch-Site", "cross-site")]))
        assert connection.response().status == 403
    assert "The red lamp is off." in simulated.get("/").text


def test_lines_of_a_chip(levels):
    for program in running(Program.start("gpio-example", "--listen", "127.0.0.1:0")):
        visitor = Visitor(program.address)
        # Outputs begin as they are asked for.
        assert levels.read_text()[17] == "0" and levels.read_text()[27] == "0"
        assert "button is up" in visitor.get("/").text
        switch(visitor, "red", "on")
        assert levels.read_text()[17] == "1" and levels.read_text()[27] == "0"
        levels.write_text("1" * 22 + "0" + "1" * (CHIP_SIZE - 23))
        text = visitor.get("/").text
        assert "button is pressed" in text and "The red lamp is on." in text
        said = program.output()
        for line, flags in ((17, 0x8), (27, 0x8), (22, 0x104)):
            assert f"gpio: line {line} taken by martlet, flags {flags:x}" in said


def test_chip_that_goes_is_told_on_the_page(levels):
    for program in running(Program.start("gpio-example", "--listen", "127.0.0.1:0")):
        visitor = Visitor(program.address)
        os.truncate(levels, 0)
        assert "The red lamp is not there." in visitor.get("/").text
        assert visitor.get("/").status == 200


def test_chip_without_the_right_is_one_line(levels, monkeypatch):
    monkeypatch.setenv("GPIO_REFUSES", "1")
    result = run("gpio-example", "--listen", "127.0.0.1:0")
    assert result.returncode == 1
    assert result.stderr.strip() == "gpio-example: line 17 of /dev/gpiochip0: permission denied"
