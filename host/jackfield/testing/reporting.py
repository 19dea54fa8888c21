"""The conformance report: a table at the end of the run, and JSON for a registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from jackfield.version import __version__

__all__ = ["PROPERTY", "Row", "tables", "write_json"]

_STATES: Final = ("failed", "passed", "absent")

PROPERTY = "jackfield_conformance"
"""The name under which a test's report carries its row, also between the processes of a run."""


@dataclass(frozen=True)
class Row:
    """What came of one check.

    Attributes:
        kit: the class.
        type_name: the component type.
        check: the check's title.
        case: which of the check's cases, as pytest names it; empty for a check that has one.
        capability: what it is about; empty for what every provider must do.
        state: ``passed``, ``failed`` or ``absent``.
        reason: why it is absent.
        live: it ran against the real provider.
        distribution: what brings the type; empty for a plugin that is not installed.
        version: the distribution's version.
    """

    kit: str
    type_name: str
    check: str
    case: str
    capability: str
    state: str
    reason: str = ""
    live: bool = False
    distribution: str = ""
    version: str = ""


def tables(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Write a table for each class: a heading, and a line for each check."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        found.setdefault(f"{row.type_name} ({row.kit})", {}).setdefault(row.check, []).append(row)
    return {heading: _lines(checks) for heading, checks in found.items()}


def _lines(checks: Mapping[str, Sequence[Row]]) -> list[str]:
    width = max(map(len, checks))
    lines = [f"{title:<{width}}  {_outcome(rows)}" for title, rows in checks.items()]
    states = [_state(rows) for rows in checks.values()]
    counts = ", ".join(f"{states.count(state)} {state}" for state in _STATES)
    return [*lines, f"{counts}, of {len(states)} checks"]


def _state(rows: Sequence[Row]) -> str:
    """The worst state of a check's cases: a failure counts most, and what passes in part has passed."""
    states = {row.state for row in rows}
    return next(state for state in _STATES if state in states)


def _outcome(rows: Sequence[Row]) -> str:
    state = _state(rows)
    told = [row for row in rows if row.state == state]
    if state == "failed":
        cases = ", ".join(row.case for row in told if row.case)
        return f"failed: {cases}" if cases else "failed"
    if state == "absent":
        return f"absent: {told[0].reason}"
    partly = [f"{row.case} absent: {row.reason}" for row in rows if row.state == "absent"]
    return "; ".join(["passed" if len(told) == 1 else f"passed ({len(told)} cases)", *partly])


def write_json(path: Path, rows: Iterable[Row]) -> None:
    """Write what a registry reads: for each class its component type, its distribution, and every case of every check.

    Args:
        path: the file.
        rows: what came of the checks.
    """
    kits: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        kits.setdefault((row.type_name, row.kit), []).append(row)
    document = {"jackfield": __version__, "components": [_component(*names, listed) for names, listed in kits.items()]}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _component(type_name: str, kit: str, rows: Sequence[Row]) -> dict[str, Any]:
    counts = {state: sum(row.state == state for row in rows) for state in _STATES}
    shared = {"kit", "type_name", "distribution", "version"}
    checks = [{key: value for key, value in asdict(row).items() if key not in shared and value} for row in rows]
    source = {"distribution": rows[0].distribution, "version": rows[0].version}
    return {"type": type_name, "kit": kit, **source, "cases": counts, "checks": checks}
