"""Find the settings that a component's items are meant for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.names import SettingsField
from jackfield.manifests.resolve import Resolved, ResolvedItem
from jackfield.manifests.spelling import nearest
from jackfield.settings import DaprSettings, Settings

__all__ = ["Given", "match"]

Given: TypeAlias = dict[str, ResolvedItem]
"""The item for each attribute of one settings class that the manifest has."""


def match(
    manifest: ComponentManifest, resolved: Resolved, classes: Mapping[type[Settings], tuple[SettingsField, ...]]
) -> tuple[dict[type[Settings], Given], list[Problem]]:
    """Match items and settings by name, in any case.

    Args:
        manifest: the manifest, for places in errors.
        resolved: its items.
        classes: the settings classes and their fields; the last is the component type's own.

    Returns:
        What each class is given, and what is wrong: a name that stands there twice or that no class knows.
    """
    problems: list[Problem] = []
    by_name: dict[str, ResolvedItem] = {}
    for item in resolved.items:
        if first := by_name.get(item.name.lower()):
            cause = f"the item stands in line {first.line} and again in line {item.line}"
            fix = "keep one of the two: names are the same in any case"
            problems.append(manifest.problem(item.item.field, cause, fix, line=item.line))
        by_name.setdefault(item.name.lower(), item)
    given: dict[type[Settings], Given] = {}
    shadowed: dict[str, tuple[ResolvedItem, ResolvedItem]] = {}
    for cls, fields in classes.items():
        given[cls] = {}
        for field in fields:
            items = [by_name[name.lower()] for name in field.names if name.lower() in by_name]
            if items:
                given[cls][field.attribute] = items[0]
                shadowed |= {item.name: (item, items[0]) for item in items[1:]}
    for item, winner in shadowed.values():
        cause = f"has no effect: {winner.name} in line {winner.line} is the same setting"
        problems.append(manifest.problem(item.item.field, cause, "keep one", line=item.line, severity="warning"))
    problems += _unknown(manifest, by_name, classes)
    return given, problems


def _unknown(
    manifest: ComponentManifest,
    by_name: Mapping[str, ResolvedItem],
    classes: Mapping[type[Settings], tuple[SettingsField, ...]],
) -> list[Problem]:
    known = {name.lower(): name for fields in classes.values() for field in fields for name in field.names}
    forgiving = issubclass(list(classes)[-1], DaprSettings)
    problems = []
    for lower, item in by_name.items():
        if lower in known:
            continue
        near = nearest(item.name, known.values())
        fix = f"did you mean {near}?" if near else f"known are {', '.join(sorted(known.values()))}"
        cause = f"is no setting of {manifest.type_name}" + (" and has no effect" if forgiving else "")
        severity = "warning" if forgiving else "error"
        problems.append(manifest.problem(item.item.field, cause, fix, line=item.line, severity=severity))
    return problems
