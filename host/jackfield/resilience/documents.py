"""How each Resiliency document stands: the unit of failure is the document.

One that has an error, can't be read at the moment, or names a policy that isn't there keeps the version that was last
in order, with the policies that its targets had then.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from jackfield.catalog.catalog import State
from jackfield.errors import Problem
from jackfield.manifests.folder import FileState, Scan
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.resilience.policies import Plan, ResiliencePolicies, Source, merge

__all__ = ["Documents", "ResiliencyEntry", "follow"]


class Key(NamedTuple):
    """What tells documents apart: two of one name in one file are counted."""

    file: str
    name: str
    number: int


@dataclass(frozen=True, eq=False)
class ResiliencyEntry:
    """How one document stands.

    Attributes:
        manifest: its newest version.
        state: ready, stale or failed.
        problems: why; warnings and notices too.
        good: the version that applies, None for a failed one.
        targets: what the targets of that version came to.
    """

    manifest: ResiliencyManifest
    state: State
    problems: tuple[Problem, ...] = ()
    good: ResiliencyManifest | None = None
    targets: Mapping[str, Plan] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Documents:
    """All documents, in the order in which they are decoded."""

    entries: Mapping[Key, ResiliencyEntry] = field(default_factory=dict)
    policies: ResiliencePolicies = field(default_factory=ResiliencePolicies)


def follow(before: Documents, scan: Scan, routers: Collection[str]) -> Documents:
    """Say how the documents stand after a look at the folders. Pure.

    Args:
        before: how they stood.
        scan: the folders' content.
        routers: names of components that have targets instead of a provider.
    """
    entries = dict(_seen(before, scan))
    looked_up = {key for key, entry in entries.items() if entry.state is State.READY}
    while True:
        used = {key: entry for key, entry in entries.items() if entry.good is not None}
        merged = merge(
            (_source(entry, fresh=key in looked_up) for key, entry in used.items()),
            routers,
        )
        wrong = {key: found for key, found in zip(used, merged.problems, strict=True) if found}
        if not wrong:
            break
        # A document that goes back to an earlier version may take a policy from another one: look again until it holds.
        for key, problems in wrong.items():
            looked_up.discard(key)
            manifest = entries[key].manifest
            entries[key] = _held(before.entries.get(key), manifest, (*manifest.problems, *problems))
    for (key, entry), targets in zip(used.items(), merged.targets, strict=True):
        entries[key] = replace(entry, targets=targets)
    return Documents(entries, merged.policies)


def _source(entry: ResiliencyEntry, *, fresh: bool) -> Source:
    assert entry.good is not None  # noqa: S101  the caller leaves out the others
    return Source(entry.good, None if fresh else entry.targets)


def _held(
    before: ResiliencyEntry | None, manifest: ResiliencyManifest, problems: tuple[Problem, ...]
) -> ResiliencyEntry:
    """What applied before goes on."""
    if before is None or before.good is None:
        return ResiliencyEntry(manifest, State.FAILED, problems)
    return ResiliencyEntry(manifest, State.STALE, problems, before.good, before.targets)


def _seen(before: Documents, scan: Scan) -> Iterator[tuple[Key, ResiliencyEntry]]:
    """Give each document that is there, or may be there, in its order."""
    lost = _by_file(before, scan)
    for path, file in scan.files.items():
        here = dict(_in_file(before, file, _folder_trouble(path, scan))) if file.resiliencies else {}
        if file.broken:
            errors = tuple(problem for problem in file.problems if problem.severity == "error")
            for key, entry in lost.get(path, {}).items():
                if key not in here and entry.good is not None:
                    here[key] = _held(entry, entry.manifest, errors)
        yield from sorted(here.items(), key=lambda item: item[1].manifest.line)
    for path, entries in lost.items():
        if path not in scan.files and (trouble := _folder_trouble(path, scan)):
            yield from ((key, _held(entry, entry.manifest, trouble)) for key, entry in entries.items())


def _by_file(before: Documents, scan: Scan) -> dict[str, dict[Key, ResiliencyEntry]]:
    files: dict[str, dict[Key, ResiliencyEntry]] = {}
    for key, entry in before.entries.items():
        if key.file not in scan.files or scan.files[key.file].broken:
            files.setdefault(key.file, {})[key] = entry
    return files


def _in_file(before: Documents, file: FileState, trouble: tuple[Problem, ...]) -> Iterator[tuple[Key, ResiliencyEntry]]:
    numbers: dict[str, int] = {}
    for manifest in file.resiliencies:
        number = numbers[manifest.name] = numbers.get(manifest.name, 0) + 1
        key = Key(file.path, manifest.name, number)
        if manifest.broken:
            yield key, _held(before.entries.get(key), manifest, manifest.problems)
        elif trouble and key in before.entries:
            yield key, _held(before.entries[key], manifest, trouble)
        else:
            yield key, ResiliencyEntry(manifest, State.READY, manifest.problems, manifest)


def _folder_trouble(path: str, scan: Scan) -> tuple[Problem, ...]:
    """Say why a file's folder can't be read; nothing if it can."""
    folder = os.path.dirname(path)  # noqa: PTH120  the text of the path is the key
    if scan.folders.get(folder, True):
        return ()
    return tuple(problem for problem in scan.problems if problem.file == folder)
