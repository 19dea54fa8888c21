"""Finding plugins: everything that can be known about one before any of its code runs.

The stock loader stops at the first broken plugin and drops a name clash in silence, and ``entry_points()`` raises if
one distribution of the environment, plugin or not, has a malformed ``entry_points.txt``. Here each distribution is read
in its own guard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from jackfield.plugins.faults import one_line
from jackfield.plugins.places import code_path
from jackfield.plugins.records import PluginRecord, PluginState

__all__ = ["GROUP", "Candidate", "discover", "matches", "sift"]

GROUP = "jackfield"


@dataclass(frozen=True)
class Candidate:
    """A plugin that has been found and not been imported.

    Attributes:
        name: the entry point's name.
        distribution: the distribution that brings it.
        version: the distribution's version.
        requires: the versions of jackfield it asks for.
        module: the module its entry point names.
        load: imports it and returns the plugin object.
        problem: why it can't be loaded, where that shows without importing it.
    """

    name: str
    distribution: str
    version: str
    requires: str
    module: str
    load: Callable[[], object]
    problem: str = ""

    def record(self, state: PluginState, reason: str = "") -> PluginRecord:
        """Say how this candidate ended."""
        path = str(code_path(self.module) or "")
        facts = self.name, self.distribution, self.version, self.requires, state, reason
        return PluginRecord(*facts, path=path, module=self.module)

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def discover(distributions: Iterable[Distribution]) -> list[Candidate]:
    """List the plugins of an environment, sorted by name and distribution.

    Args:
        distributions: what is installed, in the order of the import path; of two with one name the first counts, as
            it does for imports.
    """
    found: dict[str, list[Candidate]] = {}
    for distribution in distributions:
        candidates = list(_candidates(distribution))
        if candidates:
            found.setdefault(canonicalize_name(candidates[0].distribution), candidates)
    return sorted(
        (candidate for candidates in found.values() for candidate in candidates),
        key=lambda candidate: (canonicalize_name(candidate.name), candidate.name, candidate.distribution),
    )


def sift(
    candidates: Iterable[Candidate], *, allow: Collection[str] | None, deny: Collection[str], version: str
) -> tuple[list[Candidate], list[PluginRecord]]:
    """Part the plugins that may be imported from those that may not.

    Args:
        candidates: what ``discover`` found.
        allow: names of plugins or distributions; None allows all, an empty collection none.
        deny: names of plugins or distributions; stronger than ``allow``.
        version: the running host's version; a prerelease counts by its base version.

    Returns:
        Those to import, and a record for each of the others.
    """
    records: list[PluginRecord] = []
    named: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if matches(candidate, deny):
            records.append(candidate.record("blocked", "denied by --deny-plugins (JACKFIELD_DENY_PLUGINS)"))
        elif allow is not None and not matches(candidate, allow):
            records.append(candidate.record("blocked", "not allowed by --plugins (JACKFIELD_PLUGINS)"))
        else:
            named.setdefault(canonicalize_name(candidate.name), []).append(candidate)
    wanted: list[Candidate] = []
    for same in named.values():
        if len(same) > 1:
            records += [candidate.record("failed", _clash(same)) for candidate in same]
        elif same[0].problem:
            records.append(same[0].record("failed", same[0].problem))
        elif not _fits(same[0].requires, version):
            records.append(same[0].record("incompatible", _misfit(same[0], version)))
        else:
            wanted.append(same[0])
    return wanted, records


def matches(candidate: Candidate, names: Collection[str]) -> bool:
    """Whether a list of plugins names this one, by its own or its distribution's name, in any spelling PyPI takes."""
    return not {canonicalize_name(candidate.name), canonicalize_name(candidate.distribution)}.isdisjoint(
        canonicalize_name(name) for name in names
    )


def _candidates(distribution: Distribution) -> Iterator[Candidate]:
    try:
        text = distribution.read_text("entry_points.txt") or ""
    except Exception:  # noqa: BLE001  an unreadable file of any distribution at all; no plugin can be seen in it
        return
    if f"[{GROUP}]" not in text.replace(" ", ""):
        return
    name, version, requires, problem = _facts(distribution)
    try:
        points = [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # noqa: BLE001  importlib.metadata raises whatever its parsing trips over
        problem = f"its entry_points.txt can't be read ({type(error).__name__}); reinstall {name}"
        yield Candidate(name, name, version, requires, "", _nothing, problem)
        return
    for point in points:
        own = problem
        if point.pattern.match(point.value) is None:
            own = f"its entry point {one_line(point.value)!r} is not of the form module or module:name"
        elif point.name.startswith("builtin."):
            own = "names that start with 'builtin.' are the host's own; give the entry point another name"
        module = "" if own else point.module
        yield Candidate(point.name, name, version, requires, module, point.load, own)


def _facts(distribution: Distribution) -> tuple[str, str, str, str]:
    """Name, version, range of hosts and what is wrong with the distribution's metadata."""
    try:
        name, version = str(distribution.name or ""), str(distribution.version or "")
        lines = distribution.requires or []
    except Exception:  # noqa: BLE001  Python 3.11 answers missing metadata with a TypeError, later ones with others
        name = version = ""
        lines = []
    if not name:
        return "(unknown)", "", "", "its METADATA can't be read; reinstall it"
    specifiers = SpecifierSet()
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if canonicalize_name(requirement.name) != "jackfield":
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            specifiers &= requirement.specifier
    ranges = sorted(map(str, specifiers), key=lambda text: (text.startswith("<"), text))
    return name, version, ",".join(ranges), ""


def _nothing() -> object:
    return None


def _fits(requires: str, version: str) -> bool:
    return SpecifierSet(requires).contains(Version(version).base_version, prereleases=True)


def _misfit(candidate: Candidate, version: str) -> str:
    return (
        f"needs jackfield {candidate.requires} and this is {version}; "
        f"get a fitting version with: jackfield install --upgrade {candidate.distribution}"
    )


def _clash(same: list[Candidate]) -> str:
    owners = " and ".join(str(candidate) for candidate in same)
    return f"{owners} both bring a plugin called {same[0].name!r}; uninstall one, or name one in --deny-plugins"
