"""scripts/advisories: which advisories of mbedTLS concern a version, and that an open one is an error."""

import csv
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATCHES = ROOT / "boards/sdk/patches"


def rows():
    lines = [line for line in (ROOT / "boards/sdk/advisories.tsv").read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def advisories(*arguments):
    return subprocess.run(["scripts/advisories", *arguments], cwd=ROOT, text=True, capture_output=True, timeout=60)


def part(answer, kind):
    """The lines about static programs, or about Debian's library."""
    static, debian = answer.stdout.split("\n\n", 1)
    return static if kind == "static" else debian


def test_every_row_is_complete():
    for row in rows():
        assert row["id"].startswith("CVE-") and row["about"] and row["first"]
        assert row["static"] in ("no", "yes", "patched") and row["debian"] in ("no", "yes")
        assert (row["static"] == "patched") == bool(row["patch"])
        if row["patch"]:
            assert row["id"] in (PATCHES / row["patch"]).read_text()
    assert len({row["id"] for row in rows()}) == len(rows())


def test_a_patch_names_what_it_mends():
    for patch in PATCHES.glob("*.patch"):
        head = patch.read_text().split("\n--- ")[0]
        assert "Until: " in head or "Drop it when" in head, patch.name


def test_an_old_version_has_open_advisories():
    answer = advisories("3.6.6")
    assert answer.returncode == 1
    assert "CVE-2026-50581: open" in part(answer, "static")


def test_a_patched_version_is_no_error():
    answer = advisories("3.6.7")
    assert answer.returncode == 0
    static = part(answer, "static")
    assert "CVE-2026-93845: patched by boards/sdk/patches/p256m-branches.patch" in static
    assert "open (" not in static


def test_a_version_with_the_fixes_needs_no_patch():
    answer = advisories("3.6.8")
    assert answer.returncode == 0
    assert "CVE-" not in part(answer, "static")


def test_what_concerns_debian_is_said_and_is_no_error():
    answer = advisories("3.6.8")
    assert answer.returncode == 0
    assert "CVE-2025-27810: open" in part(answer, "debian")


@pytest.mark.parametrize("version", ["-x", "3.6.7;", "newest"])
def test_what_is_no_version_is_refused(version):
    assert advisories(version).returncode == 2


def test_the_recorded_version_has_no_open_advisory():
    recorded = ROOT / ".build/sdk/cache/mbedtls/PACKAGES"
    if not os.path.exists(recorded):
        pytest.skip("scripts/sdk has not run")
    answer = advisories()
    assert answer.returncode == 0, answer.stdout
