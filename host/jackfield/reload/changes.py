"""What a new catalog changes, and the log of it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Literal

from jackfield.catalog.catalog import Catalog, Entry, State
from jackfield.observing import CatalogChange, ComponentChange

__all__ = ["differing", "log_changes"]

_log = logging.getLogger("jackfield.reload")
_SAYS = {
    "loaded": "component loaded",
    "updated": "component updated",
    "restored": "component is as its manifest says again",
}


def differing(before: Catalog, after: Catalog) -> list[str]:
    """Return the names that stand otherwise than before; those that are gone come last.

    What hasn't changed is the same object in both, so that an edit among many components costs one look at each.
    """
    old, new = before.entries, after.entries
    here = [name for name, entry in new.items() if old.get(name) is not entry]
    return [*here, *(old.keys() - new.keys())]


def log_changes(before: Catalog, after: Catalog, names: Collection[str]) -> CatalogChange:
    """Write a line for every change, and one for each warning that wasn't told before; returns the changes.

    Args:
        before: the catalog until now.
        after: the new one.
        names: what stands otherwise in it; see ``differing``.
    """
    change = _changes_of(before, after, names)
    changed = {component.name: component for component in change.components}
    for name in names:
        old, entry = before.entries.get(name), after.entries.get(name)
        if entry is not None and entry.state is not State.STARTING:
            if name in changed:
                _log_change(changed[name], entry, after.generation)
            for problem in entry.problems:
                if problem.severity != "error" and (old is None or problem not in old.problems):
                    _log.warning("%s", problem, extra={"component": name})
    for component in change.components:
        if component.what == "removed":
            _log.info("component removed", extra={"component": component.name, "generation": after.generation})
    return change


def _changes_of(before: Catalog, after: Catalog, names: Collection[str]) -> CatalogChange:
    """Tell what has become of components: those that came, changed, went, or are in trouble that is new."""
    changes = [_change(name, before.entries.get(name), after.entries.get(name)) for name in names]
    return CatalogChange(generation=after.generation, components=tuple(change for change in changes if change))


def _change(name: str, old: Entry | None, entry: Entry | None) -> ComponentChange | None:
    """Say what has become of one component; None if nothing has that anybody has to know."""
    if entry is None:
        gone = old.manifest.type_name if old is not None else ""
        return ComponentChange(name=name, type_name=gone, what="removed", state="removed")
    what = _what(old, entry)
    if what is None:
        return None
    return ComponentChange(name=name, type_name=entry.manifest.type_name, what=what, state=entry.state.value)


def _what(old: Entry | None, entry: Entry) -> Literal["starting", "loaded", "updated", "restored", "failed"] | None:
    if entry.state is State.STARTING:
        return "starting"
    if entry.state is State.READY:
        if old is None or old.instance is not entry.instance:
            return "loaded" if old is None or old.instance is None else "updated"
        return "restored" if old.state is not State.READY else None
    if old is None or (old.state, old.problems) != (entry.state, entry.problems):
        return "failed"
    return None


def _log_change(change: ComponentChange, entry: Entry, generation: int) -> None:
    about = {"component": change.name, "type": change.type_name, "generation": generation}
    if change.what == "failed":
        serves = "keeps serving its previous version" if entry.instance else "is not available"
        _log.error("the component %s", serves, extra={**about, "state": change.state, "cause": entry.cause})
    elif change.what in _SAYS:
        _log.info(_SAYS[change.what], extra=about)
