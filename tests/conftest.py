"""What holds for every test: Hypothesis' patience, and no test left out in CI."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# Started in the background of a script, we ignore SIGINT, and so would the programs that the tests
# start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

IN_CI = os.environ.get("CI") == "true"

# A shared machine stalls now and then; a slow example is no error. In CI Hypothesis loads a
# profile of its own, with the same patience and without chance.
if not IN_CI:
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")
# For the Pythons beside the main one: they are about the language, not about the examples.
settings.register_profile("brief", deadline=None, max_examples=10, derandomize=IN_CI)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that skipped anything: a missing tool must not look like a passed test."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter is not None and reporter.stats.get("skipped"):
        reporter.ensure_newline()
        reporter.section("in CI no test may be skipped")
        for report in reporter.stats["skipped"]:
            reporter.line(f"{report.nodeid}: {report.longrepr[2]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
