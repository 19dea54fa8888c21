"""The builds that run, one task per component: each may wait for another, be given up, and end at any time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial

from jackfield.catalog.builder import Builder, StartFailed, Unusable
from jackfield.catalog.catalog import State
from jackfield.catalog.examine import StoreNotLoaded
from jackfield.catalog.instance import Instance
from jackfield.errors import ManifestError, Problem
from jackfield.faults import HostSignal
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.places import mention
from jackfield.reload.outcomes import Outcome

__all__ = ["Builds"]

_log = logging.getLogger("jackfield.reload")


class _UnderConstruction(HostSignal):
    """A component that is being built was referred to; its build is awaited and the asking one done again.

    It passes through a plugin's constructor.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Builds:
    """Runs builds.

    Args:
        builder: makes the instances.
        find: gives the newest instance of a name, or None.
        finished: called with what a build came to.
        discard: called with what a build came to after it was given up.
        no_store: says why a manifest waits for the store of a name.
    """

    def __init__(
        self,
        builder: Builder,
        *,
        find: Callable[[str], Instance | None],
        finished: Callable[[str, Outcome], None],
        discard: Callable[[str, Outcome], None],
        no_store: Callable[[ComponentManifest, str], Problem],
    ) -> None:
        self._builder = builder
        self._find_built = find
        self._finished = finished
        self._discard = discard
        self._no_store = no_store
        self._manifests: dict[str, ComponentManifest] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, set[str]] = {}
        self._waits_for: dict[str, str] = {}
        self._circles: dict[str, list[str]] = {}
        self._given_up: set[asyncio.Task[None]] = set()

    @property
    def manifests(self) -> Mapping[str, ComponentManifest]:
        """What is being built, by name."""
        return self._manifests

    def start(self, name: str, manifest: ComponentManifest, serving: Instance | None) -> asyncio.Task[None]:
        """Begin to build; a build of the same name that still runs has to be given up before."""
        self._manifests[name] = manifest
        task = asyncio.get_running_loop().create_task(self._run(name, manifest, serving), name=f"build {name}")
        self._tasks[name] = task
        return task

    def give_up(self, name: str) -> None:
        """Stop the build of a name, if one runs; it still closes what it has made so far."""
        task = self._tasks.get(name)
        if task is not None:
            task.cancel()
            self._given_up.add(task)
            task.add_done_callback(self._given_up.discard)
            self._forget(name)

    def users_of(self, names: Collection[str]) -> set[str]:
        """What is being built and has asked for one of ``names``."""
        return {name for name, asked in self._asked.items() if not asked.isdisjoint(names)}

    async def settled(self) -> None:
        """Wait until no build runs."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """Stop all builds, and wait until those that were given up have closed what they had made."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._given_up, return_exceptions=True)

    async def _run(self, name: str, manifest: ComponentManifest, serving: Instance | None) -> None:
        try:
            outcome = await self._outcome(name, manifest, serving)
        finally:
            given_up = self._tasks.get(name) is not asyncio.current_task()
            if not given_up:
                self._forget(name)
        if given_up:
            self._discard(name, outcome)  # the component didn't heed its cancellation
        else:
            self._finished(name, outcome)

    def _forget(self, name: str) -> None:
        for noted in (self._tasks, self._manifests, self._asked, self._waits_for, self._circles):
            noted.pop(name, None)

    async def _outcome(self, name: str, manifest: ComponentManifest, serving: Instance | None) -> Outcome:
        while True:
            try:
                instance, problems = await self._builder.build(manifest, partial(self._find, name), serving)
            except _UnderConstruction as other:
                circle = await self._await_other(name, other.name, manifest)
                if circle is not None:
                    return Outcome(manifest, State.FAILED, problems=(circle,), refused=frozenset({other.name}))
            except StoreNotLoaded as error:
                return Outcome(manifest, State.WAITING, problems=(self._no_store(manifest, error.store),))
            except Unusable as error:
                return Outcome(manifest, State.FAILED, problems=tuple(error.problems), refused=error.refused)
            except ManifestError as error:
                return Outcome(manifest, State.FAILED, problems=tuple(error.problems))
            except StartFailed as error:
                return Outcome(manifest, State.FAILED, problems=(error.problem,), retry=True)
            except Exception as error:  # noqa: BLE001  whatever it is, one component is lost
                # A fault of the host's own: this component is lost, and nothing else.
                _log.exception("a build ended unexpectedly", extra={"component": name})
                cause = f"the host failed to build it ({type(error).__name__}); please report this"
                return Outcome(manifest, State.FAILED, problems=(manifest.problem("", cause),))
            else:
                return Outcome(manifest, State.READY, instance, problems)

    async def _await_other(self, name: str, other: str, manifest: ComponentManifest) -> Problem | None:
        """Wait until another build has ended; gives the problem if that one waits for this one.

        All who are in a circle have the problem. Otherwise the last of them would be built with what served before.
        """
        self._waits_for[name] = other
        circle, step = [name], other
        while step in self._waits_for and step not in circle:
            circle.append(step)
            step = self._waits_for[step]
        if step == name:
            self._circles.update(dict.fromkeys(circle, circle))
        task = self._tasks.get(other)
        if task is not None and name not in self._circles:
            await asyncio.wait([task])
        self._waits_for.pop(name, None)
        found = self._circles.pop(name, None)
        if found is None:
            return None
        start = found.index(name)
        steps = [*found[start:], *found[:start], name]
        return mention(manifest, other, f"its references form a circle: {' -> '.join(steps)}", "break it")

    def _find(self, asking: str, name: str) -> Instance | None:
        self._asked.setdefault(asking, set()).add(name)
        if name in self._tasks:
            raise _UnderConstruction(name)
        return self._find_built(name)
