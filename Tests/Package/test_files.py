"""What can be said about packages and service files without installing them."""

import os
import re
import subprocess

import pytest

from conftest import BOARDS, REPOSITORY, make, need_tools, script, version

INSTALL = REPOSITORY / "boards" / "install"
SHELL = {"install": "sh", "martlet-panel.sysv": "sh", "martlet-panel.openrc": "sh",
         "martlet-panel.procd": "sh", "debian/postinst": "sh", "debian/prerm": "sh",
         "debian/postrm": "sh"}
ARCHITECTURES = ("amd64", "arm64", "armhf", "riscv64")


def told(*command, status=0, **options):
    done = subprocess.run([str(part) for part in command], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    assert done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_lintian(arch):
    need_tools("lintian")
    deb, = make("deb", arch)
    root = ["--allow-root"] if os.geteuid() == 0 else []
    found = told("lintian", *root, "--fail-on", "none", "--tag-display-limit", "0", deb)
    assert not re.search(r"^[EWN]: ", found, re.MULTILINE), found


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_fields(arch):
    deb, = make("deb", arch)
    fields = told("dpkg-deb", "--field", deb)
    assert f"Version: {version()}\n" in fields and f"Architecture: {arch}\n" in fields
    machine = {"amd64": "X86-64", "arm64": "AArch64", "armhf": "ARM", "riscv64": "RISC-V"}[arch]
    tree = REPOSITORY / ".build" / "packages" / "tree" / f"deb-{arch}"
    assert machine in told("readelf", "-h", tree / "usr/bin/martlet-panel")


def test_dependencies_are_those_of_dpkg_shlibdeps(tmp_path):
    need_tools("dpkg-shlibdeps")
    deb, = make("deb", "amd64")
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "control").write_text("Source: a\n\nPackage: a\nArchitecture: any\n")
    told("dpkg-deb", "--extract", deb, tmp_path / "debian" / "a")
    computed = subprocess.run(["dpkg-shlibdeps", "-O", "debian/a/usr/bin/martlet-panel"],
                              cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    wanted = set(computed.strip().removeprefix("shlibs:Depends=").split(", "))
    has = set(told("dpkg-deb", "--field", deb, "Depends").strip().split(", "))
    assert has - {"adduser"} == wanted


def test_the_same_program_makes_the_same_package(tmp_path):
    deb, = make("deb", "amd64")
    tar, = make("tar", "x86-64")
    before = deb.read_bytes(), tar.read_bytes()
    os.utime(BOARDS / "debian-amd64" / "martlet-panel")
    deb.unlink()
    tar.unlink()
    # Another umask, time zone and language than the first time.
    odd = {**os.environ, "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
    script("package", "deb", "amd64", env=odd, umask=0o077)
    script("package", "tar", "x86-64", env=odd, umask=0o077)
    assert deb.read_bytes() == before[0], "the Debian package differs"
    assert tar.read_bytes() == before[1], "the tarball differs"


def test_the_version_is_the_program_s():
    program = BOARDS / "x86-64" / "martlet-panel"
    if not program.is_file():
        pytest.skip("not built: x86-64")
    assert told(program, "--version").strip() == f"martlet-panel {version()}"


def test_systemd_unit(tmp_path):
    need_tools("systemd-analyze")
    deb, = make("deb", "amd64")
    tree = tmp_path / "tree"
    told("dpkg-deb", "--extract", deb, tree)
    # What the unit needs of the rest of the system.
    (tree / "bin").mkdir()
    (tree / "bin/sh").touch(0o755)
    unit = tree / "lib/systemd/system/martlet-panel.service"
    assert not told("systemd-analyze", f"--root={tree}", "--man=no", "--recursive-errors=no",
                    "verify", "/lib/systemd/system/martlet-panel.service").strip()
    # Below 2.0; the other call shows that the threshold counts.
    security = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    print(told(*security, "--threshold=19", unit).splitlines()[-1])
    told(*security, "--threshold=5", unit, status=1)


@pytest.mark.parametrize("name", SHELL)
def test_shell_scripts(name):
    need_tools("shellcheck", "dash")
    told("shellcheck", "--norc", f"--shell={SHELL[name]}", INSTALL / name)
    told("dash", "-n", INSTALL / name)
    if subprocess.run(["busybox", "true"], check=False).returncode == 0:
        told("busybox", "ash", "-n", INSTALL / name)


def test_manual():
    need_tools("man")
    read = subprocess.run(["man", "--warnings", "--local-file", str(INSTALL / "martlet-panel.1")],
                          capture_output=True, text=True, check=True)
    assert not read.stderr, read.stderr
    text = (INSTALL / "martlet-panel.1").read_text().replace("\\-", "-")
    program = BOARDS / "x86-64" / "martlet-panel"
    if not program.is_file():
        pytest.skip("not built: x86-64")
    known = set(re.findall(r"--[a-z-]+", told(program, "--help")))
    for option in known:
        assert option in text, f"the manual lacks {option}"
    options = text.partition(".SH OPTIONS")[2].partition(".SH ")[0]
    for option in set(re.findall(r"--[a-z-]+", options)):
        assert option in known, f"--help lacks {option}"


def test_every_setting_is_kept_at_an_upgrade():
    make("deb", "amd64")
    tree = REPOSITORY / ".build" / "packages" / "tree" / "deb-amd64"
    files = {f"/{path.relative_to(tree)}" for path in (tree / "etc").rglob("*") if path.is_file()}
    assert set((INSTALL / "debian" / "conffiles").read_text().split()) == files


def test_tarball():
    tar, = make("tar", "x86-64")
    listed = told("tar", "--list", "--verbose", "--file", tar)
    for name in ("martlet-panel", "install", "INSTALL", "LICENSE", "NOTICE", "release",
                 "martlet-panel.service", "martlet-panel.openrc", "martlet-panel.procd",
                 "martlet-panel.sysv", "martlet-panel.default", "martlet-panel.1"):
        assert re.search(rf"/{re.escape(name)}$", listed, re.MULTILINE), f"no {name} in {listed}"
    assert all(" 0/0 " in line for line in listed.splitlines())


def test_openwrt_package(tmp_path):
    """The package directory is whole, and make reads it; OpenWrt itself is not run here."""
    need_tools("make")
    missing = [board for board in ("openwrt-arm64", "openwrt-armv7")
               if not (BOARDS / board / "martlet-panel").is_file()]
    if missing:
        pytest.skip(f"not built: {', '.join(missing)}")
    script("package", "openwrt")
    tree = REPOSITORY / ".build" / "packages" / "tree" / "openwrt" / "martlet-panel"
    makefile = (tree / "Makefile").read_text()
    assert f"PKG_VERSION:={version()}\n" in makefile and "@VERSION@" not in makefile
    for name in re.findall(r" \./(\S+)", makefile):
        for arch in ("aarch64", "arm"):
            assert (tree / name.replace("$(ARCH)", arch)).is_file(), f"no {name}"
    # Every define has its end, and make can expand what is in them.
    (tmp_path / "rules.mk").write_text("INCLUDE_DIR:=$(TOPDIR)\n")
    (tmp_path / "package.mk").write_text(
        "define BuildPackage\nall: ; @echo $(PKG_NAME) $(PKG_VERSION)\nendef\n")
    assert told("make", "--silent", "--warn-undefined-variables", f"TOPDIR={tmp_path}",
                cwd=tree).strip() == f"martlet-panel {version()}"


def test_buildroot_tree(tmp_path):
    """Kconfig's own program reads the tree's options; Buildroot itself is not run here."""
    missing = [board for board in ("pi64", "pi0", "riscv64", "x86-64")
               if not (BOARDS / board / "martlet-panel").is_file()]
    if missing:
        pytest.skip(f"not built: {', '.join(missing)}")
    script("package", "buildroot")
    tree = REPOSITORY / ".build" / "packages" / "tree" / "martlet-buildroot"
    package = tree / "package" / "martlet-panel"
    assert f"MARTLET_PANEL_VERSION = {version()}\n" in (package / "martlet-panel.mk").read_text()
    for name in re.findall(r"\$\(@D\)/(\S+)", (package / "martlet-panel.mk").read_text()):
        for arch in ("aarch64", "arm", "riscv64", "x86_64"):
            wanted = package / "files" / name.replace("$(call", f"{arch}")
            assert wanted.is_file(), f"no {wanted}"
    sums = told("sha256sum", "LICENSE", "NOTICE", "LICENSE.Apache-2.0", cwd=package / "files")
    assert sorted((package / "martlet-panel.hash").read_text().split()) == sorted(
        ["sha256"] * 3 + sums.split())

    need_tools("kconfig-conf")
    symbols = ("BR2_aarch64", "BR2_x86_64", "BR2_arm", "BR2_ARM_CPU_HAS_VFPV2", "BR2_RISCV_64",
               "BR2_RISCV_ISA_RVD", "BR2_RISCV_ISA_RVC", "BR2_USE_MMU")
    top = "".join(f'config {symbol}\n\tbool "{symbol}"\n\n' for symbol in symbols)
    top += ("config BR2_EXTERNAL_MARTLET_PATH\n\tstring\n\toption env=\"BR2_EXTERNAL_MARTLET_PATH\"\n\n"
            f'source "{tree}/Config.in"\n')
    (tmp_path / "Kconfig").write_text(top)
    environment = {**os.environ, "BR2_EXTERNAL_MARTLET_PATH": str(tree),
                   "KCONFIG_CONFIG": str(tmp_path / ".config"), "CONFIG_": ""}

    def is_offered(*chosen):
        lines = [f"{symbol}=y" for symbol in (*chosen, "BR2_PACKAGE_MARTLET_PANEL")]
        (tmp_path / ".config").write_text("\n".join(lines) + "\n")
        printed = told("kconfig-conf", "--olddefconfig", "Kconfig", cwd=tmp_path, env=environment)
        assert "error" not in printed and "syntax" not in printed, printed
        return "BR2_PACKAGE_MARTLET_PANEL=y" in (tmp_path / ".config").read_text()

    assert is_offered("BR2_aarch64", "BR2_USE_MMU")
    assert is_offered("BR2_arm", "BR2_ARM_CPU_HAS_VFPV2", "BR2_USE_MMU")
    assert not is_offered("BR2_arm", "BR2_USE_MMU")
    assert not is_offered("BR2_aarch64")
