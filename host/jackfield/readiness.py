"""Whether the host is ready: every component of the first start has been built or removed."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.catalog.catalog import Catalog
from jackfield.errors import Problem

__all__ = ["Readiness"]


class Readiness:
    """Remembers what the first start has to bring; once it is there, the host stays ready until it stops.

    What fails later shows in the metadata endpoint: a sidecar that serves is not taken out for a bad edit.
    """

    def __init__(self) -> None:
        self._awaited: dict[str, str] | None = None
        self._ready = False

    def expect(self, catalog: Catalog, unreadable: Mapping[str, tuple[Problem, ...]]) -> None:
        """Note the first start's components without ``ignoreErrors``, and the files that can't be read."""
        if self._awaited is None:
            self._awaited = {
                name: "" for name, entry in catalog.entries.items() if not entry.manifest.ignore_errors
            } | dict.fromkeys(unreadable, "")

    def update(self, catalog: Catalog, unreadable: Mapping[str, tuple[Problem, ...]]) -> None:
        """Take in what has been built, mended or removed since."""
        if self._ready or self._awaited is None:
            return
        missing: dict[str, str] = {}
        for name in self._awaited:
            entry = catalog.entries.get(name)
            if entry is not None and entry.instance is None and not entry.manifest.ignore_errors:
                missing[name] = entry.state.value
            elif name in unreadable:
                missing[name] = "unreadable"
        self._awaited = missing
        self._ready = not missing

    def missing(self) -> str:
        """What keeps the host from being ready, as daprd lists it, such as ``[llm (failed)]``; empty if it is."""
        if self._ready:
            return ""
        if self._awaited is None:
            return "[manifests (unread)]"
        listed = " ".join(f"{name} ({state or 'starting'})" for name, state in sorted(self._awaited.items()))
        return f"[{listed}]"
