"""The log of what a new catalog changes."""

from __future__ import annotations

import logging

from jackfield.catalog.catalog import Catalog, Entry, State

__all__ = ["log_changes"]

_log = logging.getLogger("jackfield.reload")


def log_changes(before: Catalog, after: Catalog) -> None:
    """Write a line for every component that came, changed, went, or is in trouble that wasn't told before."""
    for name, entry in after.entries.items():
        old = before.entries.get(name)
        if old is not entry and entry.state is not State.STARTING:
            _log_change(old, entry, after.generation)
            for problem in entry.problems:
                if problem.severity != "error" and (old is None or problem not in old.problems):
                    _log.warning("%s", problem, extra={"component": name})
    for name in before.entries.keys() - after.entries.keys():
        _log.info("component removed", extra={"component": name, "generation": after.generation})


def _log_change(old: Entry | None, entry: Entry, generation: int) -> None:
    about = {"component": entry.name, "type": entry.manifest.type_name, "generation": generation}
    if entry.state is State.READY:
        if old is None or old.instance is not entry.instance:
            loaded = old is None or old.instance is None
            _log.info("component loaded" if loaded else "component updated", extra=about)
        elif old.state is not State.READY:
            _log.info("component is as its manifest says again", extra=about)
    elif old is None or (old.state, old.problems) != (entry.state, entry.problems):
        serves = "keeps serving its previous version" if entry.instance else "is not available"
        _log.error("the component %s", serves, extra={**about, "state": entry.state.value, "cause": entry.cause})
