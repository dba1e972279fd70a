"""Fixtures of the tests under load. What is measured is printed, whether the test passes or not."""

import resource
import sys
from pathlib import Path

import pytest

# More connections than a shell permits; programs that are started here take the limit over.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1], ) * 2)

WRITE = [print]  # to the terminal
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / name) for name in ("Load", "Wire", "Footprint")]


@pytest.fixture
def figure(request):
    """Prints a line of what was measured, at once, and keeps it in the report."""
    plugins = request.config.pluginmanager
    terminal, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def write(text):
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(text)

    def note(text):
        write(f"    {text}")
        request.node.user_properties.append(("figure", text))

    # The first line of a test's description is the claim.
    write(f"{(request.function.__doc__ or '').splitlines()[0]} [{request.node.name}]")
    return note


def pytest_report_teststatus(report):
    """No letters: each test has its lines."""
    return (report.outcome, "", "") if report.when == "call" or not report.passed else None


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        reason = f": {report.longrepr[2]}" if report.skipped else ""
        WRITE[0](f"    {report.outcome} after {report.duration:.1f} s{reason}")


def pytest_configure(config):
    WRITE[0] = lambda text: config.pluginmanager.get_plugin("terminalreporter").write_line(text)
