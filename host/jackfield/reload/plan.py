"""What a look at the folders calls for. Pure: it reads a scan and a catalog, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jackfield.catalog.catalog import Entry
from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.folder import Scan

__all__ = ["Plan", "make_plan"]


@dataclass
class Plan:
    """The next step for every name.

    Attributes:
        build: names whose manifest has to be built.
        keep: names whose present manifest is the one that was built or tried last.
        stale: names that keep what they have, because of these problems.
        remove: names whose manifest is gone.
        unreadable: problems of files that can't be read in full, by file.
    """

    build: dict[str, ComponentManifest] = field(default_factory=dict)
    keep: dict[str, ComponentManifest] = field(default_factory=dict)
    stale: dict[str, tuple[ComponentManifest, tuple[Problem, ...]]] = field(default_factory=dict)
    remove: set[str] = field(default_factory=set)
    unreadable: dict[str, tuple[Problem, ...]] = field(default_factory=dict)

    def leaves(self, name: str) -> bool:
        """Whether a name is not planned for, because its file is the same."""
        return not any(name in names for names in (self.build, self.keep, self.stale, self.remove))


def make_plan(
    scan: Scan,
    entries: Mapping[str, Entry],
    building: Mapping[str, ComponentManifest],
    denied: Callable[[ComponentManifest], bool] | None = None,
    since: Scan | None = None,
) -> Plan:
    """Compare what the folders say with what serves.

    Args:
        scan: the folders' content.
        entries: the catalog's.
        building: the manifests that are being built at this moment, by name.
        denied: says which manifests the operator doesn't allow; they count as not there. None allows all.
        since: the scan that the catalog follows already. What stands in files that are the same is left out then: with
            1,000 components an edit of one is a fifth of the work.

    Returns:
        A plan that names every component of the scan and of the catalog once, or those that ``since`` leaves.
    """
    plan = Plan()
    touched = _touched(scan, since, entries)
    found = _found(scan, denied, touched, plan)
    for name, manifests in found.items():
        entry, manifest = entries.get(name), manifests[0]
        if len(manifests) > 1:
            kept = entry.manifest if entry is not None else manifest
            plan.stale[name] = (kept, _duplicates(name, manifests))
        elif _is_known(manifest, entry, building.get(name)):
            plan.keep[name] = manifest
        else:
            plan.build[name] = manifest
    for name, entry in entries.items():
        if name not in found and (touched is None or name in touched):
            held_by = _unreadable(entry.manifest.file, scan, plan)
            if held_by is None:
                plan.remove.add(name)
            else:
                plan.stale[name] = (entry.manifest, held_by)
    gone = building.keys() - found.keys() - entries.keys()
    plan.remove |= gone if touched is None else gone & touched
    return plan


def _touched(scan: Scan, since: Scan | None, entries: Mapping[str, Entry]) -> set[str] | None:
    """The names that stand, or stood, in files that have changed; None if all have to be looked at.

    A file that is the same has the same object in both scans.
    """
    if since is None or scan.folders != since.folders or not all(scan.folders.values()):
        return None
    before, after = since.files, scan.files
    paths = {path for path, state in after.items() if before.get(path) is not state} | (before.keys() - after.keys())
    states = [files[path] for path in paths for files in (before, after) if path in files]
    names = {manifest.name for state in states for manifest in state.documents}
    return names | {name for name, entry in entries.items() if entry.manifest.file in paths}


def _found(
    scan: Scan, denied: Callable[[ComponentManifest], bool] | None, touched: set[str] | None, plan: Plan
) -> dict[str, list[ComponentManifest]]:
    """Collect the manifests by name, and the trouble with files in the plan."""
    found: dict[str, list[ComponentManifest]] = {}
    all_readable = all(scan.folders.values())
    for path, file in scan.files.items():
        if not all_readable and _folder_trouble(path, scan) is not None:
            continue  # what was read of it before is all there is: its components are held
        if file.broken:
            plan.unreadable[path] = tuple(problem for problem in file.problems if problem.severity == "error")
        for manifest in file.documents:
            if touched is not None and manifest.name not in touched:
                continue
            if denied is None or not denied(manifest):
                found.setdefault(manifest.name, []).append(manifest)
    return found


def _is_known(manifest: ComponentManifest, entry: Entry | None, building: ComponentManifest | None) -> bool:
    """Whether a manifest is the one that is being built, or the one that was built or failed last."""
    if building is not None:
        return building.digest == manifest.digest
    return entry is not None and entry.tried == manifest.digest and not _lost_its_reason(entry)


def _duplicates(name: str, manifests: list[ComponentManifest]) -> tuple[Problem, ...]:
    places = [f"{manifest.file}:{manifest.line}" for manifest in manifests]
    cause = f"the name {name} is defined {len(places)} times: {', '.join(places)}"
    fix = "keep one of them or rename the others"
    first = manifests[0]
    return (Problem(first.file, first.line, "metadata.name", cause, fix, name),)


def _lost_its_reason(entry: Entry) -> bool:
    """Whether a failed build's problems were overwritten when its document went missing: then it is built again."""
    return entry.held and (entry.instance is None or entry.instance.manifest.digest != entry.tried)


def _unreadable(path: str, scan: Scan, plan: Plan) -> tuple[Problem, ...] | None:
    """Say why a name that isn't found may still be in its file; None if it is gone for good."""
    return plan.unreadable[path] if path in plan.unreadable else _folder_trouble(path, scan)


def _folder_trouble(path: str, scan: Scan) -> tuple[Problem, ...] | None:
    """Say why a file's folder can't be read; None if it can."""
    folder = os.path.dirname(path)  # noqa: PTH120  the text of the path is the key
    if scan.folders.get(folder, True):
        return None
    return tuple(problem for problem in scan.problems if problem.file == folder)
