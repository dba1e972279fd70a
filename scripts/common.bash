# shellcheck shell=bash
# What the scripts share. Read with `source`; the working folder is the package's from then on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2034  # Used by the scripts that read this one.
programs=(hello-example login-example pieces-example martlet-panel)
# Programs that nobody ships: `scripts/build --examples` builds them too.
# shellcheck disable=SC2034
examples=(rest-example sensors-example settings-example auth-example sessions-example subapps-example
  sse-example cors-example csrf-example uploads-example static-example
  streaming-example commands-example gpio-example
  templates-example https-example)
# Programs that only the black-box tests run: `scripts/build --examples` builds them as well.
# shellcheck disable=SC2034
test_programs=(tls-uploads)
log=.build/log
# Options of pytest that leave out the tests in a browser: those are for this machine's own programs.
# shellcheck disable=SC2034
no_browser=(--ignore Tests/Wire/test_panel_browser.py --ignore Tests/Wire/test_panel_sysroots_browser.py
  --ignore Tests/Wire/test_tokens_browser.py --ignore Tests/Wire/test_events_browser.py
  --ignore Tests/Wire/test_tls_browser.py --ignore Tests/Wire/test_live_browser.py --ignore Tests/Wire/test_origins_browser.py
  --deselect Tests/Wire/test_prefix.py::test_a_browser_below_two_paths
  --deselect Tests/Wire/test_static.py::test_a_browser_takes_the_variant_and_asks_again_whether_it_is_current)
# Options of pytest that run three files of tests at a time: most tests wait more than they compute. The longest files
# come first (Tests/Wire/conftest.py).
# shellcheck disable=SC2034
several_at_a_time=(-n 3 --dist loadfile --no-loadscope-reorder)

say() { printf '%s\n' "$*"; }

# Ends the script with one line.
fail() {
  printf '%s: %s\n' "scripts/${0##*/}" "$*" >&2
  exit 1
}

# Ends the script over its command line.
misused() {
  printf '%s: %s\n' "scripts/${0##*/}" "$*" >&2
  exit 2
}

# swift_build ARGUMENT...: `swift build`, and once more where a signal has ended it: the build system of Swift 6.3
# itself crashes now and then.
swift_build() {
  local status=0
  swift build "$@" || status=$?
  if [ "$status" -le 128 ]; then return "$status"; fi
  swift build "$@"
}

# quietly TEXT COMMAND...: runs a command without its output, says what goes on and how long it
# took, and shows the output where the command fails.
quietly() {
  local text=$1 started=$SECONDS output status=0 counter=
  shift
  mkdir -p "$log"
  output=$log/${text//[^A-Za-z0-9]/-}.txt
  if [ -t 1 ]; then
    (while sleep 1 && kill -0 $$ 2>/dev/null; do printf '\r%s … %d s ' "$text" "$((SECONDS - started))"; done) &
    counter=$!
    printf '%s … ' "$text"
  else
    say "$text …"
  fi
  "$@" >"$output" 2>&1 </dev/null || status=$?
  if [ -n "$counter" ]; then
    kill "$counter"
    wait "$counter" 2>/dev/null || true
    printf '\r'
  fi
  if [ "$status" -ne 0 ]; then
    say "$text: failed after $((SECONDS - started)) s"
    cat "$output"
    return "$status"
  fi
  say "$text: done in $((SECONDS - started)) s"
}

# The folder of the Swift toolchain's programs (clang, llvm-ar, …), wherever `swift` on PATH points.
toolchain() {
  local resources
  resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\([^"]*\)".*/\1/p')
  printf '%s/bin\n' "${resources%/lib/swift}"
}

# The newest folder with the compiler's start files and libgcc, or nothing.
libgcc() {
  local file newest=
  while IFS= read -r file; do newest=${file%/*}; done < <(
    find /usr/lib/gcc/*-linux-gnu -maxdepth 2 -name crtbeginS.o 2>/dev/null | sort -V)
  printf '%s' "$newest"
}

# The boards: the folders of boards/ that have a board.conf with facts.
all_boards() {
  local file
  for file in boards/*/board.conf; do
    file=${file%/*}
    printf '%s\n' "${file#boards/}"
  done
}

# is_board NAME: ends the script if there is no such board.
is_board() {
  [ -e "boards/$1/board.conf" ] || misused "there is no board '$1'; scripts/build --list names them."
}

# fact BOARD NAME: a line NAME="VALUE" of the board's board.conf.
fact() { sed -n "s/^$2=\"\(.*\)\"$/\1/p" "boards/$1/board.conf"; }

# is_static BOARD: whether its programs need no library; others use the system's.
is_static() { [[ "$(fact "$1" target)" == *musl* ]]; }

# write_toolset BOARD FILE [LINKER-OPTION]: options for what runs on the board, as a file for `--toolset` of
# `swift build`. `-Xswiftc` and `-Xlinker` would be for the tools of the build as well. No allocations are allowed:
# that is for Martlet's own modules and programs; whoever builds with an SDK may allocate. Swift 6.3 takes a
# conversion between 32 and 64 bits for an allocation (it goes through an array until it is optimized), so on 32-bit
# boards scripts/check alone proves that there is none.
write_toolset() {
  local board=$1 file=$2 option=${3:-}
  mkdir -p "${file%/*}"
  {
    printf '{\n  "schemaVersion": "1.0"'
    case $(fact "$board" triple) in
    arm*) ;;
    *) printf ',\n  "swiftCompiler": { "extraCLIOptions": ["-no-allocations"] }' ;;
    esac
    [ -z "$option" ] || printf ',\n  "linker": { "extraCLIOptions": ["%s"] }' "$option"
    printf '\n}\n'
  } >"$file"
}

# The board that this machine is.
own_board() {
  case $(uname -m) in
  x86_64) say x86-64 ;;
  aarch64) say pi64 ;;
  *) fail "name a board; scripts/build --list shows them." ;;
  esac
}

# The board that this machine is when programs use the system's own libraries.
own_dynamic_board() {
  case $(uname -m) in
  x86_64) say debian-amd64 ;;
  aarch64) say debian-arm64 ;;
  *) fail "no board stands for $(uname -m) with the system's own libraries." ;;
  esac
}

has_chromium() { command -v chromium >/dev/null; }

has_chromedriver() { [ -x /usr/bin/chromedriver ]; }

# The board whose programs use a C library such as this machine's own.
dynamic_board() {
  case $(uname -m) in
  x86_64) say debian-amd64 ;;
  aarch64) say debian-arm64 ;;
  *) fail "no board is a $(uname -m)." ;;
  esac
}

# under_load REPORT BOARDS FILE...: tests of Tests/Load with this machine's programs, and those of
# other boards that are built; what they measure is printed.
under_load() {
  local report=$1 also=$2
  shift 2
  MARTLET_BIN=$PWD/.build/boards/$(own_board) MARTLET_LOAD_BOARDS=$also PYTHONDONTWRITEBYTECODE=1 \
    .build/python/bin/python -m pytest --quiet --no-header --tb=short \
    -o cache_dir="$PWD/.build/pytest-cache-load" -o junit_suite_name="load" --junitxml "$report" "$@"
}

# sum_of_tests FOLDER: what failed by name, and the sum over the tools' own reports; status 1 where
# something failed.
sum_of_tests() {
  .build/python/bin/python - "$1" <<'PYTHON'
import pathlib, sys, xml.etree.ElementTree as tree

SHOWN_MAX = 20
passed = skipped = 0
failed = []
for report in sorted(pathlib.Path(sys.argv[1]).glob("*.xml")):
    for case in tree.parse(report).iter("testcase"):
        findings = [child for child in case if child.tag in ("failure", "error")]
        if findings:
            reason = " ".join((findings[0].get("message") or findings[0].text or "").split())
            name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
            failed.append(f"failed in {report.stem}: {name}" + (f": {reason[:300]}" if reason else ""))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
for line in failed[:SHOWN_MAX]:
    print(line)
if len(failed) > SHOWN_MAX:
    print(f"... and {len(failed) - SHOWN_MAX} more")
print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
sys.exit(bool(failed))
PYTHON
}
