"""The conformance report: a table at the end of the run, and JSON for a registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from jackfield.version import __version__

__all__ = ["PROPERTY", "Row", "tables", "write_json"]

PROPERTY = "jackfield_conformance"
"""The name under which a test's report carries its row, also between the processes of a run."""


@dataclass(frozen=True)
class Row:
    """What came of one check.

    Attributes:
        kit: the class.
        type_name: the component type.
        check: the check's title, with the case in brackets.
        capability: what it is about; empty for what every provider must do.
        state: ``passed``, ``failed`` or ``absent``.
        reason: why it is absent.
        live: it ran against the real provider.
    """

    kit: str
    type_name: str
    check: str
    capability: str
    state: str
    reason: str = ""
    live: bool = False


def tables(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Write a table for each class: a heading, and a line for each check."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(f"{row.type_name} ({row.kit})", []).append(row)
    return {heading: _lines(listed) for heading, listed in found.items()}


def _lines(rows: list[Row]) -> list[str]:
    width = max(len(row.check) for row in rows)
    lines = [f"{row.check:<{width}}  {_state(row)}" for row in rows]
    counts = {state: sum(row.state == state for row in rows) for state in ("passed", "failed", "absent")}
    return [*lines, ", ".join(f"{count} {state}" for state, count in counts.items())]


def _state(row: Row) -> str:
    return f"{row.state}: {row.reason}" if row.reason else row.state


def write_json(path: Path, rows: Iterable[Row], distributions: Mapping[str, str]) -> None:
    """Write what a registry reads.

    Args:
        path: the file.
        rows: what came of the checks.
        distributions: the distribution that brings each type.
    """
    types: dict[str, dict[str, Any]] = {}
    for row in rows:
        source = _source(distributions.get(row.type_name, ""))
        entry = types.setdefault(row.type_name, {"type": row.type_name, **source})
        listed = {key: value for key, value in asdict(row).items() if key != "type_name" and value != ""}
        entry.setdefault("checks", []).append(listed)
    for entry in types.values():
        entry["passed"] = all(check["state"] != "failed" for check in entry["checks"])
    document = {"jackfield": __version__, "components": list(types.values())}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _source(distribution: str) -> dict[str, str]:
    if not distribution:
        return {}
    try:
        return {"distribution": distribution, "version": version(distribution)}
    except PackageNotFoundError:
        return {"distribution": distribution}
