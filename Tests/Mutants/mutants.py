"""Usage: scripts/mutants [--count N] [--seed N] [--path GLOB]

Says how much the unit tests notice. Changes one operator, number, truth value, range or condition of
Sources at a time, builds, and runs the tests: those of the changed module first, then the others, until
one fails. A change that no test notices has survived, and shows what is not tested.

  --count N    how many changes are tried (100); those that do not compile are replaced by others
  --seed N     which ones: the same seed chooses the same (1)
  --path GLOB  only files whose path matches, such as 'Sources/MartletHTTP/*'

Everything happens in a copy in .build/mutants; the first build there takes some minutes. A run that was
ended goes on where it stopped, as long as the sources and the tests are the same, and a larger --count
goes on too. Changes that nothing can notice are listed in Tests/Mutants/equivalents.txt, with the reason.
Status 1 where less than 95 % are noticed.
"""

import argparse
import fcntl
import hashlib
import signal
import sys
import time
from pathlib import Path

import package
import trials

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "mutants"
EQUIVALENTS = Path(__file__).with_name("equivalents.txt")


def arguments(words):
    parser = argparse.ArgumentParser(prog="scripts/mutants", usage=__doc__.split("\n", 1)[0][7:])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--path", default="*")
    if "--help" in words:
        print(__doc__, end="")
        sys.exit(0)
    options = parser.parse_args(words)
    if options.count < 1:
        parser.error("--count is followed by a number above 0.")
    return options


def stop(text):
    print(f"scripts/mutants: {text}", file=sys.stderr)
    sys.exit(1)


def results_file(seed, path):
    """Each choice of places has a file of its own, so that a run with another choice forgets nothing."""
    suffix = "" if path == "*" else "-" + hashlib.sha256(path.encode()).hexdigest()[:8]
    return FOLDER / f"results-{seed}{suffix}.jsonl"


def locked():
    """Two runs in one copy would each test the other's change. The lock ends with the process."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = (FOLDER / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        stop("another run is under way.")
    return lock


def prepared(copy, log, tests):
    """The copy, built and tested unchanged: a test that fails anyway would seem to notice everything."""
    tree = package.Package(copy, log)
    print("Building the unchanged package and its tests; minutes, the first time …", flush=True)
    started = time.monotonic()
    if not tree.builds():
        stop(f"the package does not build; see {log}.")
    print(f"Built in {time.monotonic() - started:.0f} s; running the unchanged tests …", flush=True)
    for some in sorted(tests) + [None]:
        if not tree.measure(some):
            stop(f"the tests of {some or 'the package'} fail, or are none, without any change; see {log}.")
    return tree


def verdict(tree, file, new, first):
    """Builds and tests the copy with the changed file, and puts the file's text back."""
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(new, encoding="utf-8")
        if not tree.builds():
            return trials.NOT_COMPILED
        return trials.SURVIVED if tree.passes(first) and tree.passes(None, first) else trials.KILLED
    finally:
        file.write_text(text, encoding="utf-8")


def tried(trial, texts, listed, results, tree, copy):
    """The result of a trial, from the results or from trying."""
    known = results.known.get(trial.name)
    if known and known["verdict"] != trials.EQUIVALENT:
        return known, False
    new, old_line, new_line = trials.mutated(texts[trial.path], trial)
    lines = {"old": old_line, "new": new_line}
    if (trial.path, trials.squeezed(old_line), trials.squeezed(new_line)) in listed:
        return results.add(trial, trials.EQUIVALENT, seconds=0.0, **lines), False
    package_copy = tree()
    started = time.monotonic()
    result = verdict(package_copy, copy / trial.path, new, trials.first_tests(trial.path))
    return results.add(trial, result, seconds=round(time.monotonic() - started, 1), **lines), True


def main(words):
    options = arguments(words)
    # A run that is ended puts the file's text back, and ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    texts = trials.sources(ROOT, options.path)
    if not texts:
        stop(f"no file of Sources that unit tests can notice matches {options.path}.")
    listed = trials.equivalents(EQUIVALENTS.read_text(encoding="utf-8"))
    header = {"seed": options.seed, "path": options.path, "sources": trials.digest(ROOT, texts)}
    lock = locked()
    results = trials.Results(results_file(options.seed, options.path), header)
    if results.resumed:
        print(f"Going on: {len(results.known)} results are known ({results.file.relative_to(ROOT)}).")
    copy, log = FOLDER / "package", FOLDER / "log.txt"
    log.unlink(missing_ok=True)
    order = trials.chosen(texts, options.seed)
    tree = None

    def ready():
        nonlocal tree
        if tree is None:
            copy.mkdir(parents=True, exist_ok=True)
            package.update(ROOT, copy)
            tree = prepared(copy, log, {trials.first_tests(path) for path in texts})
        return tree

    lines, counted = [], 0
    for trial in order:
        if counted == options.count:
            break
        line, is_new = tried(trial, texts, listed, results, ready, copy)
        # A survivor that has been listed since is equivalent.
        if (line["path"], trials.squeezed(line["old"]), trials.squeezed(line["new"])) in listed:
            line = dict(line, verdict=trials.EQUIVALENT)
        lines.append(line)
        counted += line["verdict"] in (trials.KILLED, trials.SURVIVED)
        if is_new:
            print(f"{counted:4d} of {options.count}  {line['verdict']:<17}{line['seconds']:5.0f} s  {trial.name}", flush=True)
    if counted < options.count:
        print(f"There are no more than {counted} changes.")
    text, is_reached = trials.summary(lines)
    print("\n".join(text))
    lock.close()
    return 0 if is_reached else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
