"""The services of one process: what plugins run beside the HTTP server while the host serves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace

from jackfield.errors import JackfieldError, ServiceFailed
from jackfield.faults import is_fault, text_of
from jackfield.frontends.host_view import HostView, ServiceScope
from jackfield.logs import frames
from jackfield.plugins.asking import AskService
from jackfield.plugins.manager import Plugins
from jackfield.serving.budgets import AFTER_DRAIN

__all__ = ["Services"]

_log = logging.getLogger("jackfield.services")
_START_LIMIT = 10.0
"""Seconds that the host's own start waits for services; a slower one comes up while the host serves."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
_MARGIN = 0.5


class Services:
    """Starts, tries again and ends what ``run_service`` gives.

    A service that can't start is logged with its cause and tried again, after 1 s and then ever more rarely, up to
    30 s: whoever holds its port may let go of it. The host serves on.

    Args:
        plugins: whose services they are.
        view: what they are handed.
        scope: this worker; its ``once`` is not looked at.
        leads: services that run once run here; otherwise they wait for ``lead``.
        changed: called with how those stand that run once here: whether each has started, failed or takes long, and
            what is missing.
        ended: called when they have ended.
    """

    def __init__(
        self,
        plugins: Plugins,
        view: HostView,
        scope: ServiceScope,
        *,
        leads: bool = True,
        changed: Callable[[bool, str], None] = lambda _, __: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._plugins = plugins
        self._view = view
        self._scope = scope
        self._leads = leads
        self._changed = changed
        self._ended = ended
        self._tried = False
        self._watching: asyncio.Task[None] | None = None
        self._started = False
        self._budget = view.graceful_shutdown_seconds + AFTER_DRAIN
        self._stop = asyncio.Event()
        self._running: list[_Service] = []

    async def start(self) -> None:
        """Start the services, and wait until they have started or failed."""
        await _tried(self._begin(once=False))
        self._started = True
        if self._leads:
            await self._lead()

    def lead(self) -> None:
        """Run the services that run once in this process from now on."""
        if not self._leads:
            self._leads = True
            if self._started and not self._stop.is_set():
                self._watching = asyncio.get_running_loop().create_task(self._lead())

    @property
    def missing(self) -> str:
        """The needed services that don't run, as daprd lists what isn't ready; empty if all do."""
        failing = " ".join(f"{each.plugin} (failed)" for each in self._running if each.failing)
        return f"[{failing}]" if failing else ""

    def stop(self) -> None:
        """Have the services end; they let what runs finish."""
        self._stop.set()

    async def close(self) -> None:
        """Wait until every service has ended."""
        self._stop.set()
        if self._running:
            tasks = [each.task for each in self._running]
            _, late = await asyncio.wait(tasks, timeout=self._budget + _MARGIN)
            for task in late:
                task.cancel()  # it hangs in its start
            await asyncio.wait(tasks)
        if self._watching is not None:
            self._watching.cancel()
        if self._leads:
            self._ended()

    async def _lead(self) -> None:
        await _tried(self._begin(once=True))
        self._tried = True
        self._tell()

    def _tell(self) -> None:
        if self._leads:
            self._changed(self._tried, self.missing)

    def _begin(self, *, once: bool) -> list[_Service]:
        scope = replace(self._scope, once=once)
        found = self._plugins.services(self._view, scope)
        begun = [_Service(plugin, ask, self._stop, self._budget, self._tell) for plugin, ask in found]
        self._running += begun
        return begun


class _Service:
    """One service of one plugin, in a task of its own: what is entered there is left there."""

    def __init__(
        self,
        plugin: str,
        ask: AskService,
        stop: asyncio.Event,
        budget: float,
        changed: Callable[[], None],
    ) -> None:
        self.plugin = plugin
        self.failing = False
        self.tried = asyncio.Event()
        self._ask = ask
        self._stop = stop
        self._budget = budget
        self._changed = changed
        self._told = ""
        self.task = asyncio.get_running_loop().create_task(self._run(), name=f"service {plugin}")

    async def _run(self) -> None:
        wait = _FIRST_WAIT
        try:
            while not self._stop.is_set():
                if await self._serve():
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stop.wait()
                wait = min(wait * 2, _LONGEST_WAIT)
        finally:
            self.tried.set()  # also where the stop has come first: the host's start waits for it

    async def _serve(self) -> bool:
        """Run the service until the stop; False if it could not start."""
        try:
            service = self._ask()
            if service is None:
                return True
            await service.__aenter__()
        except BaseException as error:
            if not is_fault(error):
                raise
            self._failed(error)
            return False
        finally:
            self.tried.set()
        self._told = ""
        self._fail(False)
        try:
            await self._stop.wait()
        finally:
            await self._end(service)
        return True

    def _fail(self, failing: bool) -> None:
        if failing != self.failing:
            self.failing = failing
            self._changed()

    def _failed(self, error: BaseException) -> None:
        self._fail(isinstance(error, ServiceFailed) and error.needed)
        known = isinstance(error, JackfieldError)
        cause = text_of(error) if known else f"{type(error).__name__}: {text_of(error)}"
        if cause == self._told:
            return  # it is tried again and again, and said once
        self._told = cause
        level = logging.WARNING if isinstance(error, ServiceFailed) and not error.needed else logging.ERROR
        about = {"plugin": self.plugin, "cause": cause} | ({} if known else {"at": frames(error)})
        _log.log(level, "a service can't be started; it is tried again", extra=about)

    async def _end(self, service: AbstractAsyncContextManager[object]) -> None:
        try:
            async with asyncio.timeout(self._budget):
                await service.__aexit__(None, None, None)
        except BaseException as error:
            if not is_fault(error):
                raise
            about = {"plugin": self.plugin, "error": type(error).__name__, "at": frames(error)}
            _log.error("a service did not end in an orderly way", extra=about)


async def _tried(services: Iterable[_Service]) -> None:
    """Wait until services have started or failed, or for as long as the host's start can wait."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_LIMIT):
            for each in services:
                await each.tried.wait()
