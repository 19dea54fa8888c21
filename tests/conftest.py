"""What holds for the whole test run."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A machine that is busy may hold up an example; a test that hangs has a limit of its own.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

# A skipped test proves nothing. In CI only these may be skipped, each for the reason that stands here.
MAY_SKIP = {
    "absent: ": "a capability that a provider declares absent, as the conformance report says",
    "root reads every file": "tests of unreadable files can't fail for the superuser",
    "py-spy may not look into another process here": "only root may, or a system that is set to allow it",
    "uv is not here": "what uv leaves of an installation is looked at where it is installed",
    "no valkey-server or redis-server on the path": "where no embedded server exists and none is installed",
}

_skipped: list[tuple[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note every skipped test."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append((report.nodeid, reason))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, fail a run that skipped a test for a reason that is not on the list."""
    strangers = [entry for entry in _skipped if not any(reason in entry[1] for reason in MAY_SKIP)]
    if strangers and os.environ.get("CI") == "true":
        for node, reason in strangers:
            session.config.get_terminal_writer().line(
                f"\nskipped and not on the list in tests/conftest.py: {node}: {reason}"
            )
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
