"""The reconciler: makes the catalog follow the folders.

Builds run beside what serves, one task per component; a pass publishes what is ready in one new catalog. A build that
takes longer goes live by itself when it is done, so that a slow model holds up nobody else's edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from jackfield.catalog.builder import Builder
from jackfield.catalog.catalog import Catalog, Entry, State
from jackfield.catalog.instance import Instance
from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.folder import Scan
from jackfield.observing import CatalogChange
from jackfield.reload.builds import Builds
from jackfield.reload.changes import differing, log_changes
from jackfield.reload.outcomes import Outcome, built, held, kept, no_store
from jackfield.reload.plan import Plan, make_plan
from jackfield.reload.retries import Retries
from jackfield.reload.secrets import SecretChanges
from jackfield.resilience.registry import Resilience
from jackfield.resilience.routers import routers_among

__all__ = ["Reconciler"]

_TOGETHER = 0.1
"""Seconds for which a pass waits for its builds, so that what was edited together goes live together."""


class Reconciler:
    """Owns the catalog.

    Args:
        builder: makes the instances.
        denied: says whether the operator's Configuration denies a manifest's type; None denies nothing.
        changed: called after every new catalog.
        generation: the generation to go on from.
        resilience: follows the folders too, and changes with the catalog.
        observe: told what each new catalog changes.
    """

    def __init__(
        self,
        builder: Builder,
        *,
        denied: Callable[[ComponentManifest], bool] | None = None,
        changed: Callable[[], None] = lambda: None,
        generation: int = 0,
        resilience: Resilience | None = None,
        observe: Callable[[CatalogChange], None] = lambda _: None,
    ) -> None:
        self.catalog = Catalog(generation)
        self.unreadable: Mapping[str, tuple[Problem, ...]] = {}
        self._denied = denied
        self._changed = changed
        self._observe = observe
        self._resilience = resilience or Resilience()
        self._scan: Scan | None = None
        self._builds = Builds(
            builder,
            find=self._find,
            finished=self._built,
            discard=self._throw_away,
            no_store=lambda manifest, store: no_store(manifest, store, self.catalog),
        )
        self._again: set[str] = set()
        self._removing: frozenset[str] = frozenset()
        self._outcomes: dict[str, Outcome] = {}
        self._retries = Retries()
        self._secrets = SecretChanges()
        self._in_pass = False
        self._last: Scan | None = None
        self._closed = False
        self._published = asyncio.Event()
        self._retired: set[Instance] = set()

    async def apply(self, scan: Scan, *, force: Iterable[str] = ()) -> None:
        """Bring the catalog in line with a scan; returns when what builds quickly is live.

        Args:
            scan: the folders' content.
            force: names to build again although their manifests are the same.
        """
        if not force and self._unchanged(scan):
            return
        since, self._last = (None if force else self._last), None
        plan = make_plan(scan, self.catalog.entries, self._builds.manifests, self._denied, since)
        self.unreadable = plan.unreadable
        for name in plan.build:
            self._retries.drop(name)
        self._plan_again(plan, force)
        self._removing = frozenset(plan.remove)
        self._in_pass = True
        try:
            started = [self._start(name, manifest) for name, manifest in plan.build.items()]
            self._announce(plan)
            if started:
                await asyncio.wait(started, timeout=_TOGETHER)
        finally:
            self._in_pass = False
        self._last = self._scan = scan
        self._commit(plan)

    async def settled(self) -> None:
        """Wait until no build runs, and what has been built for the first time is in the catalog."""
        await self._builds.settled()
        for name in self.catalog.entries:
            await self.started(name)

    async def started(self, name: str) -> None:
        """Wait while a component is being built for the first time."""
        while (entry := self.catalog.entries.get(name)) is not None and entry.state is State.STARTING:
            published = self._published
            await published.wait()

    def due(self) -> set[str]:
        """Names whose failed build is to be tried again now."""
        return self._retries.due() - self._builds.manifests.keys()

    async def with_changed_secrets(self) -> set[str]:
        """Names of the components whose secret store says that its secrets may have changed."""
        return self._dependents(await self._secrets.stores(self.catalog))

    async def close(self) -> None:
        """Stop building and close every instance."""
        self._closed = True
        await self._builds.close()
        for name in list(self._outcomes):
            self._drop_build(name)
        self._replace_catalog({})
        # Closing one instance ends its leases on others, which may start to close then.
        while closing := [old.closing for old in self._retired if old.closing is not None and not old.closing.done()]:
            await asyncio.wait(closing)

    def _unchanged(self, scan: Scan) -> bool:
        """Whether nothing has happened since the last pass; a scan keeps the objects of files that are the same."""
        last = self._last
        return last is not None and (scan.files, scan.folders) == (last.files, last.folders)

    def _plan_again(self, plan: Plan, force: Iterable[str]) -> None:
        """Add what has to be built although its document has not changed."""
        forced = {name for name in {*force, *self._again} if name in plan.keep}
        waiting = {
            entry.name
            for entry in self.catalog.entries.values()
            if entry.state is State.WAITING and entry.manifest.secret_store in {*plan.build, *self._ready()}
        }
        changed = forced | self._dependents(plan.build.keys() | forced) | self._users(plan.remove)
        # What is being built may have read what has changed since: it is looked at again as soon as it is done.
        self._again |= changed & self._builds.manifests.keys()
        for name in (changed | waiting) - self._builds.manifests.keys():
            if name in plan.keep:
                plan.build[name] = plan.keep.pop(name)
            elif plan.leaves(name) and not self.catalog.entries[name].held:
                plan.build[name] = self.catalog.entries[name].manifest

    def _users(self, names: set[str]) -> set[str]:
        """Names of the components that name one of ``names`` in a setting: without it they have a problem to tell."""
        entries = self.catalog.entries.values() if names else ()
        return {
            entry.name
            for entry in entries
            if entry.instance is not None
            and any(
                reference.manifest.name in names and reference.manifest.name != entry.manifest.secret_store
                for reference in entry.instance.references
            )
        }

    def _ready(self) -> set[str]:
        return {entry.name for entry in self.catalog.entries.values() if entry.instance is not None}

    def _dependents(self, names: Iterable[str]) -> set[str]:
        """Names of the components that refer to one of ``names``, directly or through others, builds included.

        A component that failed refers to nothing yet; the secret store that its manifest names counts all the same.
        """
        found: set[str] = set()
        wanted = set(names)
        while wanted:
            users = self._builds.users_of(wanted) | {
                entry.name
                for entry in self.catalog.entries.values()
                if entry.manifest.secret_store in wanted
                or not entry.refused.isdisjoint(wanted)
                or (
                    entry.instance is not None
                    and entry.instance.references
                    and any(reference.manifest.name in wanted for reference in entry.instance.references)
                )
            }
            wanted = users - found
            found |= wanted
        return found

    def _start(self, name: str, manifest: ComponentManifest) -> asyncio.Task[None]:
        self._drop_build(name)
        return self._builds.start(name, manifest, self._serving(name))

    def _built(self, name: str, outcome: Outcome) -> None:
        self._outcomes[name] = outcome
        if not self._in_pass:
            self._commit(Plan())

    def _find(self, name: str) -> Instance | None:
        outcome = self._outcomes.get(name)
        if outcome is not None and outcome.instance is not None:
            return outcome.instance
        return None if name in self._removing else self._serving(name)

    def _serving(self, name: str) -> Instance | None:
        entry = self.catalog.entries.get(name)
        return entry.instance if entry is not None else None

    def _announce(self, plan: Plan) -> None:
        """Show what is being built for the first time, so that a request for it waits instead of failing."""
        entries = self.catalog.entries
        new = {
            name: Entry(name, State.STARTING, manifest)
            for name, manifest in plan.build.items()
            # What its documents have held back until now has not failed at a build.
            if name not in entries or (entries[name].held and entries[name].instance is None)
        }
        if new:
            self._replace_catalog({**entries, **new})

    def _commit(self, plan: Plan) -> None:
        """Put the plan's immediate changes and all finished builds into one new catalog."""
        entries = dict(self.catalog.entries)
        for name, manifest in plan.keep.items():
            if name not in self._builds.manifests:  # else its build says how it stands
                entries[name] = kept(entries[name], manifest)
        for name, (manifest, problems) in plan.stale.items():
            entries[name] = held(entries.get(name), name, manifest, problems)
            self._drop(name)
        for name in plan.remove:
            entries.pop(name, None)
            self._drop(name)
        self._removing = frozenset()
        outcomes, self._outcomes = self._outcomes, {}
        if outcomes and (self._again or any(entry.state is State.WAITING for entry in entries.values())):
            self._last = None  # what waits for one of these has to be planned again
        for name, outcome in outcomes.items():
            entries[name] = built(entries.get(name), name, outcome)
            if outcome.retry:
                self._retries.failed(name)
            else:
                self._retries.drop(name)
        self._expect_refused(entries, outcomes)
        if self._scan is not None:
            self._resilience.apply(self._scan, routers=routers_among(entries.values()))
        if entries != self.catalog.entries:
            self._replace_catalog(entries)

    def _expect_refused(self, entries: Mapping[str, Entry], outcomes: Mapping[str, Outcome]) -> None:
        """Have what could not be built for want of another component built again, now that it is there."""
        made = {name for name, outcome in outcomes.items() if outcome.instance is not None}
        again = {name for name, entry in entries.items() if entry.refused and not entry.refused.isdisjoint(made)}
        if again:
            self._again |= again - self._builds.manifests.keys()
            self._last = None

    def _drop(self, name: str) -> None:
        """Forget a name whose document is gone or can't be trusted."""
        self._retries.drop(name)
        self._drop_build(name)

    def _drop_build(self, name: str) -> None:
        """Stop the build of a name, or throw away what it made."""
        self._again.discard(name)
        if name in self._outcomes:
            self._throw_away(name, self._outcomes.pop(name))
        self._builds.give_up(name)

    def _throw_away(self, name: str, outcome: Outcome) -> None:
        """Close what a build has made, unless it is what serves."""
        made = outcome.instance
        if made is not None and made is not self._serving(name):
            self._retire(made)

    def _replace_catalog(self, entries: dict[str, Entry]) -> None:
        before, self.catalog = self.catalog, Catalog(self.catalog.generation + 1, MappingProxyType(entries))
        names = differing(before, self.catalog)
        if not self._closed:
            self._observe(log_changes(before, self.catalog, names))
        for entry in filter(None, map(before.entries.get, names)):
            if entry.instance is not None and entry.instance is not self._serving(entry.name):
                self._retire(entry.instance)
        self._published.set()
        self._published = asyncio.Event()
        self._changed()

    def _retire(self, instance: Instance) -> None:
        self._retired.add(instance)
        instance.retire(closed=self._retired.discard)
