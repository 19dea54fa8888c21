"""The pytest plugin: options, the conformance report, and the ``host`` fixture's registration."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from jackfield.testing.checking import ABSENT, check_of
from jackfield.testing.checks.base import Checks
from jackfield.testing.reporting import PROPERTY, Row, tables, write_json

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_runtest_makereport",
]

_SOURCES: Final = pytest.StashKey[dict[type[Checks], tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the conformance kit."""
    group = parser.getgroup("jackfield", "Jackfield's conformance kit")
    group.addoption("--conformance-json", metavar="PATH", help="write what the kit found as JSON to this file")
    group.addoption("--live", action="store_true", help="also ask real providers whose keys are in the environment")


def pytest_configure(config: pytest.Config) -> None:
    """Begin the run's report."""
    if not config.pluginmanager.has_plugin(_Report.name):
        config.pluginmanager.register(_Report(config), _Report.name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks real providers, unless the run is to."""
    if config.getoption("live", default=False):
        return
    live = [item for item in items if (check := check_of(getattr(item, "obj", None))) and check.live]
    if live:
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if item not in live]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the row of a check into its test's report."""
    report = yield
    check, kit = check_of(getattr(item, "obj", None)), getattr(item, "cls", None)
    if check is None or not (isinstance(kit, type) and issubclass(kit, Checks)):
        return report
    if report.when == "call" or (report.when == "setup" and not report.passed):
        case = getattr(item, "callspec", None)
        state, reason = report.outcome, ""
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ").removeprefix(ABSENT)
        name = {"skipped": "absent"}.get(state, state)
        case_id = "" if case is None else case.id
        found = kit.__name__, kit.type_name, check.title, case_id, check.capability, name, reason, check.live
        row = Row(*found, *_source(item.config, kit))
        report.user_properties.append((PROPERTY, asdict(row)))
    return report


def _source(config: pytest.Config, kit: type[Checks]) -> tuple[str, str]:
    """Return name and version of the distribution that a kit checks; looked up once for each class."""
    known = config.stash.setdefault(_SOURCES, {})
    if kit not in known:
        try:
            point = kit().parts.entry_point
        except (LookupError, TypeError):  # each of its checks says so
            point = None
        source = None if point is None else point.dist
        known[kit] = ("", "") if source is None else (source.name, source.version)
    return known[kit]


class _Report:
    """Collects the rows of a run, from whichever process they come."""

    name = "jackfield-conformance"

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test's row out of its report."""
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, dict):
                members: dict[str, Any] = value
                row = Row(**members)
                if row not in self._rows:
                    self._rows.append(row)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print a table for each class, and write the JSON."""
        for heading, lines in tables(self._rows).items():
            terminalreporter.section(f"conformance of {heading}", sep="-")
            for line in lines:
                terminalreporter.line(line)
        path = self._config.getoption("conformance_json", default=None)
        if path and self._rows:
            write_json(Path(path), self._rows)
