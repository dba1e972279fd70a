import os
import subprocess
import sys
import time

import package


def tree(folder):
    for name, text in {"Package.swift": "p", "Sources/A/a.swift": "a", "Tests/b.swift": "b", "c.o": "c"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / ".gitignore").write_text("*.o\n")
    subprocess.run(("git", "init", "--quiet"), cwd=folder, check=True)
    return folder


def test_the_copy_is_the_tree_without_what_git_ignores(tmp_path):
    root, copy = tree(tmp_path / "root"), tmp_path / "copy"
    (root / "Sources/A/a.o").write_text("o")
    package.update(root, copy)
    assert sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()) == [
        "Package.swift", "Sources/A/a.swift", "Tests/b.swift"]


def test_a_changed_copy_becomes_the_tree_again_and_the_rest_keeps_its_time(tmp_path):
    root, copy = tree(tmp_path / "root"), tmp_path / "copy"
    package.update(root, copy)
    os.utime(copy / "Tests/b.swift", (1, 1))
    (copy / "Sources/A/a.swift").write_text("changed")
    (copy / "Sources/A/left.swift").write_text("left")
    package.update(root, copy)
    assert (copy / "Sources/A/a.swift").read_text() == "a"
    assert not (copy / "Sources/A/left.swift").exists()
    assert (copy / "Tests/b.swift").stat().st_mtime == 1
    assert (root / "Sources/A/a.swift").read_text() == "a"


def test_a_command_has_its_status_and_its_output_in_the_log(tmp_path):
    folder, log = tmp_path / "package", tmp_path / "log"
    folder.mkdir()
    assert package.run((sys.executable, "-c", "print('here'); exit(3)"), folder, log, 30) == 3
    assert log.read_text() == "here\n"


def test_time_ends_a_command_and_what_it_started(tmp_path):
    folder, log, beat = tmp_path / "package", tmp_path / "log", tmp_path / "beat"
    folder.mkdir()
    # In a group of its own, as `swift test` starts tests.
    child = f"import os, time\nos.setpgid(0, 0)\nwhile True: open({str(beat)!r}, 'w').close(); time.sleep(0.05)"
    command = f"{sys.executable} -c \"{child}\" & sleep 60"
    started = time.monotonic()
    assert package.run(("sh", "-c", command), folder, log, 2) is None
    assert time.monotonic() - started < 20
    beat.unlink()
    time.sleep(0.3)
    assert not beat.exists()


def test_a_sign_in_the_output_ends_a_command_before_its_time(tmp_path):
    folder, log = tmp_path / "package", tmp_path / "log"
    folder.mkdir()
    log.write_text("a sign of an earlier command\n")
    assert package.run(("sh", "-c", "echo no; exit 4"), folder, log, 30, sign=b"sign") == 4
    started = time.monotonic()
    command = ("sh", "-c", "printf si; sleep 0.5; echo gn; sleep 60")
    assert package.run(command, folder, log, 30, sign=b"sign") == 1
    assert time.monotonic() - started < 20
    assert package.run(("sh", "-c", "echo a sign"), folder, log, 30, sign=b"sign") == 1
    assert package.run(("sleep", "60"), folder, log, 1, sign=b"sign") is None
