"""The host: what one process keeps while it serves."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import ModuleType

from jackfield.builtin import api_log
from jackfield.builtin.modules import BUILTINS
from jackfield.catalog.builder import Builder
from jackfield.catalog.catalog import Catalog
from jackfield.catalog.chains import Chains
from jackfield.catalog.instance import ConversationInstance
from jackfield.catalog.standing import Standing
from jackfield.garbage import Garbage
from jackfield.logs import frames
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.folder import FolderReader, Scan
from jackfield.messages import Record
from jackfield.options import HostOptions
from jackfield.plugins.manager import Plugins, load_plugins
from jackfield.readiness import Readiness
from jackfield.reload.problem_log import ProblemLog
from jackfield.reload.reconciler import Reconciler
from jackfield.reload.watcher import Watcher
from jackfield.resilience.registry import Resilience
from jackfield.running import Running
from jackfield.scrubbing import Scrubber
from jackfield.serving.peers import Peers
from jackfield.serving.services import Services

__all__ = ["Host"]

_log = logging.getLogger("jackfield.host")
_CUT = 0.5
"""Seconds in which requests that were cut off have to be gone."""


class Host:
    """One host: plugins, catalog, reload, and the requests that run.

    It is made outside the event loop, and started and closed inside it, by the application's lifespan.

    Args:
        options: what the operator asked for.
        stop: called when a request asks the process to stop; its argument says whether at once.
        first: scans to build from before the folders are read, and the generation they had: the last good documents
            of a process that this one replaces.
        changed: called after every new catalog and every look at the folders, from the end of ``start`` on.
        peers: the other workers of this host, where there are several.
        builtins: the plugins that are registered before the installed ones; a test adds its own.
    """

    def __init__(
        self,
        options: HostOptions,
        *,
        stop: Callable[[bool], None],
        first: tuple[Scan, int] | None = None,
        changed: Callable[[], None] = lambda: None,
        peers: Peers | None = None,
        builtins: tuple[ModuleType, ...] = BUILTINS,
    ) -> None:
        self.options = options
        self.plugins: Plugins = load_plugins(
            builtins=builtins + ((api_log,) if options.api_logging else ()),
            allow=options.plugins,
            deny=options.deny_plugins,
        )
        self.types = self.plugins.component_types(options.prefer)
        self.readiness = Readiness()
        self.peers = peers
        self.running = Running()
        self.cutting = False
        self.drained = asyncio.Event()
        self.services: Services | None = None
        self.exit_code = 0
        self._problems = ProblemLog()
        self._garbage = Garbage()
        self._judged: asyncio.Task[None] | None = None
        self.observers = self.plugins.observers()
        self.routes = self.plugins.routes()
        self.plugins.log()
        self._stop = stop
        self._first = first
        self._extended: dict[str, str] = {}
        self._on_changed = changed
        self._standing = Standing(self.types, options.environment)
        self.resilience = Resilience(observe=self.observers.breaker_changed)
        chains = Chains(self.plugins, self._standing, self.resilience, options.wrap_order)
        builder = Builder(self.types, chains, options.environment, options.app_id, options.namespace)
        self._reconciler = Reconciler(
            builder,
            denied=self._denied if options.configuration.denied_types else None,
            changed=self._changed,
            generation=first[1] if first is not None else 0,
            resilience=self.resilience,
            observe=self.observers.catalog_changed,
        )
        reader = FolderReader(options.folders, app_id=options.app_id, namespace=options.namespace or None)
        self._watcher = Watcher(reader, options.folders, events=options.watch_events)
        self._follower: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._id_prefix = secrets.token_hex(6)
        self._id_numbers = itertools.count(1)

    @property
    def catalog(self) -> Catalog:
        """What serves at this moment."""
        return self._reconciler.catalog

    @property
    def unreadable(self) -> Iterable[str]:
        """The problems of files that can't be read in full."""
        return [str(problem) for problems in self._reconciler.unreadable.values() for problem in problems]

    @property
    def extended(self) -> Mapping[str, str]:
        """What clients have added to the metadata document."""
        return self._extended if self.peers is None else self.peers.extended

    @property
    def following(self) -> bool:
        """Whether ``start`` has ended, so that the catalog follows the folders."""
        return self._follower is not None

    async def start(self) -> None:
        """Read the folders and begin to build; what is slow goes on while the host listens."""
        if self.options.warm:
            await self._warm()
        if self._first is not None:
            await self._reconciler.apply(self._first[0])
            # What the folders say now may be broken: only what has been built by then can be kept.
            await self._settled_or_stopping()
        await self._follow_once(await self._watcher.settled())
        self._follower = asyncio.get_running_loop().create_task(self._follow(), name="reload")
        self._on_changed()
        await self.admitted()
        if self.services is not None:
            await self.services.start()
        self._garbage.collect_seldom()

    async def admitted(self) -> None:
        """Wait, with all built, until the process may serve; a process that takes another's place has to."""

    async def close(self) -> None:
        """Stop following the folders, and close the services and then every component."""
        self._stopping.set()
        self.drained.set()
        self._watcher.stop()
        if self.services is not None:
            await self.services.close()
        if self._judged is not None:
            self._judged.cancel()  # what is stopped half-way is nobody's failure
        if self._follower is not None:
            await asyncio.wait([self._follower])
        await self._reconciler.close()
        await self._standing.close()
        self._garbage.collect_as_before()

    def rescan(self) -> None:
        """Look at the folders now."""
        self._watcher.poke()

    def request_stop(self, *, force: bool = False) -> None:
        """Have the process stop, gracefully or at once."""
        self._stop(force)

    async def drain(self, quiet: asyncio.Event) -> None:
        """Let running requests finish within the budget, then cut them off; each gets an error that says so.

        Args:
            quiet: set when no connection is left on which a request could still come.
        """
        self._stopping.set()
        if self.services is not None:
            self.services.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.options.graceful_shutdown_seconds):
                await quiet.wait()
                await self.running.ended()
        self.cutting = True
        cut = set(self.running)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=_CUT)
        self.drained.set()

    async def started(self, name: str) -> ConversationInstance:
        """Return what answers for a name that can't answer yet, once its first build has ended.

        Raises:
            ComponentNotFound: nothing does; the text says why.
        """
        await self._reconciler.started(name)
        return self.catalog.conversation(name)

    def new_request_id(self) -> str:
        """Make an id for a request that came without one."""
        return f"{self._id_prefix}-{next(self._id_numbers):x}"

    def missing(self) -> str:
        """What keeps the host from being ready, in this worker or another; empty if it is."""
        if self.services is not None and self.services.missing:
            return self.services.missing
        own = self.readiness.missing()
        return own if self.peers is None else self.peers.missing(own)

    @property
    def services_tried(self) -> bool:
        """Whether the services of plugins have started, or failed to, in whichever worker; clients wait for that."""
        return self.peers is None or self.peers.services_tried

    async def set_metadata(self, key: str, value: str) -> None:
        """Keep a value for the metadata document's ``extended`` member, in all workers.

        Raises:
            NotShared: a worker did not answer in time.
        """
        if self.peers is None:
            self._extended[key] = value
        else:
            await self.peers.set_metadata(key, value)

    def finished(self, record: Record) -> None:
        """Tell the observers of a request that has been answered."""
        self.observers.request_finished(record)

    async def _warm(self) -> None:
        """Start the default scrubber; what keeps it from starting keeps nothing else."""
        try:
            supply = self._standing.supply(Scrubber)
            if supply is not None:
                await supply.wait()
        except Exception as error:  # noqa: BLE001  a plugin may raise anything; requests that need it are refused
            about = {"error": type(error).__name__, "cause": str(error), "at": frames(error)}
            _log.error("the default scrubber could not be started", extra=about)

    async def _settled_or_stopping(self) -> None:
        """Wait until no build runs, unless the process is to stop."""
        loop = asyncio.get_running_loop()
        waits = [loop.create_task(self._reconciler.settled()), loop.create_task(self._stopping.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _judge(self) -> None:
        """With ``strict``: stop the process unless the first start brought every component."""
        await self._reconciler.settled()
        missing = self.readiness.missing()
        if missing:
            _log.error("stopping, because --strict was given and components are missing", extra={"missing": missing})
            self.exit_code = 1
            self.request_stop()

    def _denied(self, manifest: ComponentManifest) -> bool:
        return self.options.configuration.denies(manifest.type_name, manifest.version)

    def _changed(self) -> None:
        self.readiness.update(self.catalog, self._reconciler.unreadable)
        if self.following:
            self._on_changed()

    async def _follow(self) -> None:
        if not self.options.reload:
            return
        async for scan in self._watcher.scans():
            try:
                await self._follow_once(scan)
            except Exception:  # noqa: BLE001  the one task that follows the folders must not end
                # A fault of the host's own: what serves goes on, and so do later edits.
                _log.exception("a reload failed")

    async def _follow_once(self, scan: Scan) -> None:
        force = self._reconciler.due() | await self._reconciler.with_changed_secrets()
        await self._reconciler.apply(scan, force=force)
        self._problems.tell(scan)
        if not scan.unsettled:
            self.readiness.expect(self.catalog, self._reconciler.unreadable)
        self._changed()
        if self.options.strict and not self._judged and not scan.unsettled:
            self._judged = asyncio.get_running_loop().create_task(self._judge(), name="strict")
