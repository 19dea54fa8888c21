"""Where in a manifest a setting stands that can be read and not used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jackfield.errors import InvalidSetting, Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.faults import locate
from jackfield.manifests.scalars import JSON

__all__ = ["mention", "setting_problem"]

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def setting_problem(manifest: ComponentManifest, error: InvalidSetting) -> Problem:
    """Say what is wrong with a setting, at its line.

    Args:
        manifest: where it stands.
        error: names the setting as ``targets[1].name``; the item's name is matched in any case.
    """
    head, *path = [int(index) if index else name for index, name in _STEP.findall(error.setting)] or [""]
    item = next((item for item in manifest.items if item.name.lower() == str(head).lower()), None)
    if item is None:
        place = f"spec.metadata.{error.setting}" if error.setting else ""
        return manifest.problem(place, error.cause, error.fix)
    inner, line = locate(path, item.value, item.node)
    return manifest.problem(f"{item.field}{inner}", error.cause, error.fix, line=line or item.line)


def mention(manifest: ComponentManifest, name: str, cause: str, fix: str) -> Problem:
    """Say what is wrong with the reference to another component, at the line on which its name stands."""
    for item in manifest.items:
        for path in _paths(item.value, name):
            inner, line = locate(path, item.value, item.node)
            return manifest.problem(f"{item.field}{inner}", cause, fix, line=line or item.line)
    return manifest.problem("auth.secretStore" if manifest.secret_store == name else "", cause, fix)


def _paths(value: JSON, name: str) -> Iterator[list[int | str]]:
    """Yield the way to each place at which a text is the whole value."""
    if value == name:
        yield []
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from ([key, *path] for path in _paths(entry, name))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from ([index, *path] for path in _paths(entry, name))
