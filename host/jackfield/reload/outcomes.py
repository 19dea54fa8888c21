"""What builds and documents do to a name of the catalog. Pure: each function makes the next entry from the last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jackfield.catalog.catalog import Catalog, Entry, State
from jackfield.catalog.instance import Instance
from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest

__all__ = ["Outcome", "built", "held", "kept", "no_store"]


@dataclass(frozen=True)
class Outcome:
    """What a build came to.

    Attributes:
        manifest: what was built.
        state: how the component stands by it.
        instance: what it made, if it did.
        problems: what is to be said about it.
        retry: try again after a while.
        refused: names of components that it refers to and that aren't there, or are of another kind.
    """

    manifest: ComponentManifest
    state: State
    instance: Instance | None = None
    problems: tuple[Problem, ...] = ()
    retry: bool = False
    refused: frozenset[str] = frozenset()


def kept(entry: Entry, manifest: ComponentManifest) -> Entry:
    """The document reads as it did when it was built: only its place may have changed, or a trouble be over."""
    if not entry.held:
        return entry if entry.manifest is manifest else replace(entry, manifest=manifest)
    return replace(entry, manifest=manifest, state=State.READY, problems=(), held=False)


def held(entry: Entry | None, name: str, manifest: ComponentManifest, problems: tuple[Problem, ...]) -> Entry:
    """The document is missing or can't be trusted: what serves goes on, what doesn't has failed."""
    if entry is None or entry.instance is None:
        tried = entry.tried if entry is not None else ""
        return Entry(name, State.FAILED, manifest, None, problems, tried, held=True)
    return replace(entry, state=State.STALE, problems=problems, held=True)


def built(entry: Entry | None, name: str, outcome: Outcome) -> Entry:
    """A build has ended: with a new instance, or with the one that served before."""
    instance, state = outcome.instance, outcome.state
    if instance is None and entry is not None and entry.instance is not None:
        instance, state = entry.instance, State.STALE
    tried = outcome.manifest.digest
    return Entry(name, state, outcome.manifest, instance, outcome.problems, tried, refused=outcome.refused)


def no_store(manifest: ComponentManifest, store: str, catalog: Catalog) -> Problem:
    """Say why a manifest waits for its secret store, and what to do."""
    entry = catalog.entries.get(store)
    cause = f"the secret store {store} that it reads from isn't loaded"
    if entry is None:
        fix = f"add a Component named {store} of a secretstores.* type"
    elif entry.manifest.type_key.startswith("secretstores."):
        fix = f"mend it: see {entry.manifest.place}"
    else:
        cause = f"{store} is a {entry.manifest.type_name}, not a secret store"
        fix = "name a Component of a secretstores.* type"
    return manifest.problem("auth.secretStore", cause, fix)
