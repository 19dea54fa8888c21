"""Whether the files of plugins, and of the host, are those that were installed; nothing of them is imported for that.

RECORD is not signed: this finds what is damaged, edited in place, half removed or added, and not who has rewritten
RECORD as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from jackfield.plugins.discovery import Candidate, discover
from jackfield.plugins.faults import one_line
from jackfield.plugins.recorded import Entry, entries, fault, site_of
from jackfield.plugins.startup import Findings, Installed, startup_code

__all__ = ["check_files"]

_HOST = "jackfield"
_PARENT = "../"


def check_files(distributions: Iterable[Distribution], folders: Iterable[Path]) -> Findings:
    """Compare the files of every plugin's distribution, and of the host's, with what was installed.

    Args:
        distributions: what is installed, in the order of the import path; of two with one name the first counts.
        folders: those whose ``.pth`` files Python reads when it starts.
    """
    found = Findings()
    seen: set[str] = set()
    known = _Known(tuple(distributions))
    for distribution in known.distributions:
        candidates = discover([distribution])
        name = candidates[0].distribution if candidates else _name(distribution)
        if (candidates or canonicalize_name(name) == _HOST) and canonicalize_name(name) not in seen:
            seen.add(canonicalize_name(name))
            _check(distribution, name, candidates, known, found)
    found.notes.sort()
    startup = startup_code(folders, known)
    found.problems += startup.problems
    found.notes += startup.notes
    return found


class _Known:
    """What is installed, with what each RECORD says; they are read when they are asked for."""

    def __init__(self, distributions: tuple[Distribution, ...]) -> None:
        self.distributions = distributions
        self._recorded: dict[int, Mapping[str, Entry]] = {}

    def recorded(self, distribution: Distribution) -> Mapping[str, Entry]:
        """Return what a distribution's RECORD says; nothing if it can't be read."""
        key = id(distribution)
        if key not in self._recorded:
            try:
                self._recorded[key] = entries(distribution.read_text("RECORD") or "")
            except (OSError, ValueError):
                self._recorded[key] = {}
        return self._recorded[key]

    def owner(self, path: Path) -> Installed | None:
        """Find the distribution whose RECORD names a file."""
        for distribution in self.distributions:
            site = site_of(distribution)
            if path.is_relative_to(site):
                entry = self.recorded(distribution).get(path.relative_to(site).as_posix())
                if entry is not None:
                    return Installed(_name(distribution), fault(site, entry))
        return None


def _check(distribution: Distribution, name: str, candidates: list[Candidate], known: _Known, found: Findings) -> None:
    """Check one distribution."""
    again = _again(distribution, name)
    try:
        text = distribution.read_text("RECORD")
        recorded = entries(text or "")
    except (OSError, ValueError) as error:
        found.problems.append(f"{name}: {one_line(str(error))}; {again}")
        return
    if not recorded:
        found.problems.append(f"{name}: it has no RECORD, so that its files can't be verified; {again}")
        return
    site = site_of(distribution)
    editable = _editable(distribution)
    for entry in recorded.values():
        cause = fault(site, entry)
        if cause == "is missing" and (entry.name.startswith(_PARENT) or entry.name.endswith(".pyc")):
            continue  # a command that was not put there (pip install --target), or a cache that was cleared
        if cause:
            found.problems.append(f"{name}: {one_line(entry.name)} {cause}; {again}")
    if editable is None:
        found.problems += [
            f"{name}: {one_line(extra)} was not installed with it; remove it, or {again}"
            for extra in _extras(site, recorded, known)
        ]
    else:
        found.notes.append(f"{name}: editable, so that its code in {editable} can't be verified")
    for candidate in candidates:
        where = _module(candidate.module, editable=editable is not None)
        if candidate.module and not _within(where, site, recorded, editable):
            place = f"lies in {where}, outside it" if where else "isn't there"
            cause = f"its entry point {one_line(candidate.name)} names the module {one_line(candidate.module)}, which"
            found.problems.append(f"{name}: {cause} {place}; {again}, or uninstall it")


def _extras(site: Path, recorded: Mapping[str, Entry], known: _Known) -> Iterator[str]:
    """List what lies in a distribution's packages and is in no RECORD; caches of bytecode are not looked at."""
    tops = {name.partition("/")[0] for name in recorded if "/" in name and not name.startswith(_PARENT)}
    for top in sorted(tops - {"__pycache__"}):
        if top.endswith((".dist-info", ".data")):
            continue
        for folder, folders, files in os.walk(site / top):
            folders[:] = sorted(set(folders) - {"__pycache__"})
            linked = [each for each in folders if Path(folder, each).is_symlink()]  # which are not gone into
            for file in sorted([*files, *linked]):
                path = Path(folder, file)
                if path.relative_to(site).as_posix() not in recorded and known.owner(path) is None:
                    yield path.relative_to(site).as_posix()


def _module(name: str, *, editable: bool) -> Path | None:
    """Find a module's file as an import would, and import nothing, not even the packages around it."""
    top, *parts = name.split(".")
    try:
        spec = PathFinder.find_spec(top) or (find_spec(top) if editable else None)
    except (ImportError, ValueError, AttributeError):
        return None
    for part in parts:
        if spec is None or spec.submodule_search_locations is None:
            return None
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    if spec is None:
        return None
    if spec.origin is not None and spec.has_location:
        return Path(spec.origin)
    places = list(spec.submodule_search_locations or ())  # a package without __init__.py
    return Path(places[0]) if places else None


def _within(where: Path | None, site: Path, recorded: Mapping[str, Entry], editable: Path | None) -> bool:
    if where is None:
        return False
    if where.is_relative_to(site):
        name = where.relative_to(site).as_posix()
        if name in recorded or any(each.startswith(f"{name}/") for each in recorded):
            return True
    return editable is not None and where.resolve().is_relative_to(editable.resolve())


def _editable(distribution: Distribution) -> Path | None:
    """Return the folder that a distribution is edited in (``direct_url.json``, PEP 610); None if it isn't."""
    try:
        noted = json.loads(distribution.read_text("direct_url.json") or "{}")
    except (OSError, ValueError):
        return None
    info = noted.get("dir_info") if isinstance(noted, dict) else None
    if not isinstance(info, dict) or info.get("editable") is not True:
        return None
    return Path(unquote(urlsplit(str(noted.get("url", ""))).path))


def _again(distribution: Distribution, name: str) -> str:
    """Say how to install a distribution again, with the installer that did it before."""
    try:
        installer = (distribution.read_text("INSTALLER") or "").strip()
    except (OSError, ValueError):
        installer = ""
    if installer == "uv":
        return f"install it again: uv pip install --reinstall-package {name} {name}"
    return f"install it again: pip install --force-reinstall --no-deps {name}"


def _name(distribution: Distribution) -> str:
    try:
        return str(distribution.name or "")
    except Exception:  # noqa: BLE001  Python's versions raise different things for missing metadata
        return ""
