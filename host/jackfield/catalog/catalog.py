"""The catalog: an immutable snapshot of the live components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from jackfield.catalog.instance import ConversationInstance, Instance
from jackfield.errors import ComponentNotFound, Problem
from jackfield.manifests.component import ComponentManifest

__all__ = ["Catalog", "Entry", "State"]


class State(StrEnum):
    """How a component stands."""

    STARTING = "starting"
    """Being built for the first time; a request for it waits."""
    READY = "ready"
    """Serves what its manifest says."""
    STALE = "stale"
    """Serves what an earlier version of its manifest said, because the present one can't be read or built."""
    WAITING = "waiting"
    """Needs a secret store that isn't there yet."""
    FAILED = "failed"
    """Has never been built."""


@dataclass(frozen=True)
class Entry:
    """One name of the catalog.

    Attributes:
        name: the component's name.
        state: how it stands.
        manifest: the newest readable manifest of that name.
        instance: what serves; None unless the state is ready or stale.
        problems: why the state is what it is; warnings too.
        tried: the digest of the manifest that was built last, or failed to be.
        held: the state is due to a document that can't be read or is defined twice, not to a build.
        refused: names that the manifest refers to and that the last build could not use: it is built again with them.
    """

    name: str
    state: State
    manifest: ComponentManifest
    instance: Instance | None = None
    problems: tuple[Problem, ...] = ()
    tried: str = ""
    held: bool = False
    refused: frozenset[str] = frozenset()

    @property
    def cause(self) -> str:
        """The errors in one line."""
        return "; ".join(str(problem) for problem in self.problems if problem.severity == "error")


@dataclass(frozen=True)
class Catalog:
    """What serves at one moment. A reload makes a new one; a request keeps the one it began with.

    Attributes:
        generation: rises with every new catalog.
        entries: by component name.
    """

    generation: int = 0
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))

    def conversation(self, name: str) -> ConversationInstance:
        """Return the instance that answers for a name.

        Raises:
            ComponentNotFound: there is none, it failed, or it is no conversation component.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise ComponentNotFound(component=name)
        instance = entry.instance
        if instance is None:
            raise ComponentNotFound(entry.cause or f"it is {entry.state.value}", component=name)
        if not isinstance(instance, ConversationInstance):
            raise ComponentNotFound(f"{name} is a {entry.manifest.type_name}, not a conversation", component=name)
        return instance
