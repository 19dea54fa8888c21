"""The parent of several workers: starts them, replaces those that die, passes on what they say, and stops them.

It serves nothing itself and loads no plugin, so that there is little in it that could fail.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from contextlib import suppress
from time import monotonic

from jackfield.errors import ConfigurationError
from jackfield.logs import LogSettings
from jackfield.options import HostOptions
from jackfield.serving.board import Board
from jackfield.serving.budgets import FORCE_AFTER, MARGIN
from jackfield.serving.code import CodeWatcher
from jackfield.serving.entrance import Entrance
from jackfield.serving.frames import (
    Applied,
    Failed,
    FromWorker,
    Hello,
    Report,
    Rescan,
    ServicesEnded,
    ServicesReport,
    SetMetadata,
    Stop,
    StopAll,
    encode,
)
from jackfield.serving.launch import Launcher
from jackfield.serving.network import Network
from jackfield.serving.renewal import Renewal
from jackfield.serving.role import ServiceRole
from jackfield.serving.shared import SharedValues
from jackfield.serving.slot import Slot
from jackfield.serving.spawn import how_it_ended
from jackfield.serving.stuck import kill_stuck

__all__ = ["Parent"]

_log = logging.getLogger("jackfield.parent")
_LAST_WORDS = 1.0
_TOGETHER = 0.005
"""Seconds for which changes are gathered before the workers are told: they reload at the same moment."""


class Parent:
    """Keeps some workers running until it is told to stop.

    Args:
        options: the host's options.
        network: how to serve.
        sockets: bound and listening; closed when the host stops.
        workers: how many.
        logs: how the workers are to log.
        watcher: says when code has changed, after which every worker is renewed; None to leave them alone.
    """

    def __init__(
        self,
        options: HostOptions,
        network: Network,
        sockets: list[socket.socket],
        *,
        workers: int,
        logs: LogSettings,
        watcher: CodeWatcher | None = None,
    ) -> None:
        self._options = options
        self._network = network
        self._sockets = sockets
        self._entrance = Entrance(sockets)
        self._slots = [Slot(number) for number in range(1, workers + 1)]
        self._launcher = Launcher(options, network, sockets, logs=logs, workers=workers)
        self._board = Board(slot.worker for slot in self._slots)
        self._stopping = asyncio.Event()
        self._role = ServiceRole(self._slots, self._stopping)
        self._exit_code = 0
        self._failure = ""
        self._telling: asyncio.TimerHandle | None = None
        self._shared = SharedValues(self._slots)
        self._watcher = watcher
        budget = options.graceful_shutdown_seconds + MARGIN
        begin, adopt, gone = self._begin, self._adopt, self._role.free
        self._renewal = Renewal(
            self._slots, begin=begin, adopt=adopt, gone=gone, served=self._board.served, budget=budget
        )

    async def run(self) -> int:
        """Run until stopped; returns the exit code.

        Raises:
            ConfigurationError: no worker can start.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, self._tell_all, "rescan", encode(Rescan()))
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        urls = ", ".join(self._network.describe(self._sockets))
        about = {"url": urls, "manifests": ", ".join(map(str, self._options.folders))}
        _log.info("serving", extra=about | {"pid": os.getpid(), "workers": len(self._slots)})
        keepers = [loop.create_task(self._keep(place)) for place in range(len(self._slots))]
        stopping = loop.create_task(self._stopping.wait())
        if self._watcher is None:  # where code is written, a debugger may hold a worker for as long as it likes
            following = [loop.create_task(kill_stuck(self._slots, self._options.worker_timeout))]
        else:
            following = [loop.create_task(self._renewal.follow(self._watcher))]
        try:
            await asyncio.wait([*keepers, *following, stopping], return_when=asyncio.FIRST_COMPLETED)
            await self._stop(keepers, following)
        finally:
            stopping.cancel()
            self._kill()
        for task in [*keepers, *(task for task in following if not task.cancelled())]:
            task.result()
        if self._failure:
            raise ConfigurationError(self._failure)
        _log.info("stopped")
        return self._exit_code

    async def _keep(self, place: int) -> None:
        """Keep a worker's place taken."""
        while not self._stopping.is_set():
            slot = self._slots[place]
            began = monotonic()
            try:
                if not slot.begun:
                    await self._begin(slot)
            except OSError as error:
                # No memory or no descriptors for a process: the others serve, and it may be otherwise soon.
                about = {"worker": slot.worker, "cause": error.strerror or type(error).__name__}
                _log.error("a worker could not be started", extra=about)
            else:
                await slot.exited.wait()
                if self._slots[place] is not slot:
                    continue  # another process has taken its place
                await self._ended(slot)
            if self._stopping.is_set():
                return
            wait = slot.wait_before_next(monotonic() - began)
            if wait:
                _log.warning("a worker will be replaced", extra={"worker": slot.worker, "seconds": wait})
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._stopping.wait()

    async def _begin(self, slot: Slot) -> None:
        first = slot.process is None
        pid = await self._launcher.launch(slot, self._board, lambda frame: self._received(slot, frame))
        if not slot.renews:
            _log.info("worker started" if first else "worker replaced", extra={"worker": slot.worker, "pid": pid})
        self._tell_soon()

    def _adopt(self, slot: Slot, report: Report) -> None:
        """Give a worker's place to a process that waits to serve; the one before it finishes what it runs."""
        place = slot.worker - 1
        before, self._slots[place] = self._slots[place], slot
        slot.renews, slot.started = False, True
        self._board.began(slot.worker, slot.pid)
        self._board.report(slot.worker, report)
        slot.tell("view", encode(self._board.view()))
        _log.info("worker replaced", extra={"worker": slot.worker, "pid": slot.pid})
        self._renewal.retire(before)
        self._role.offer()
        self._shared.forget(before)
        self._tell_soon()

    async def _ended(self, slot: Slot) -> None:
        assert slot.process is not None  # noqa: S101  it has been started
        assert slot.channel is not None  # noqa: S101
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await slot.channel.lost.wait()
        slot.channel.abort()
        slot.attached = slot.begun = False
        self._board.ended(slot.worker)
        code = slot.process.returncode
        about = {"worker": slot.worker, "pid": slot.pid, "how": how_it_ended(code)}
        terminated = self._stopping.is_set() and not slot.started and code == -signal.SIGTERM
        if code == 0 or terminated:
            _log.info("worker stopped", extra=about)
        else:
            _log.error("worker died", extra={**about, "cause": slot.failed or None})
            if self._stopping.is_set():
                self._exit_code = 1
        if slot.failed and all(other.failed for other in self._slots):
            self._failure = slot.failed
            self._stopping.set()
        self._shared.forget(slot)
        self._role.free(slot)
        self._tell_soon()

    def _reap(self) -> None:
        for slot in self._everyone():
            if slot.process is not None and not slot.running:
                slot.exited.set()

    def _everyone(self) -> list[Slot]:
        """Those in their places, those that may come and those that go."""
        return [*self._slots, *self._renewal.candidates, *self._renewal.leaving]

    def _received(self, slot: Slot, frame: FromWorker) -> None:
        slot.heard = True
        if isinstance(frame, ServicesEnded):
            self._role.free(slot)
        elif isinstance(frame, ServicesReport):
            self._board.services(frame)
            self._tell_soon()
        elif not self._renewal.took(slot, frame):
            self._act(slot, frame)

    def _act(self, slot: Slot, frame: FromWorker) -> None:
        match frame:
            case Hello():
                self._greet(slot)
            case Report():
                slot.started = True
                self._board.report(slot.worker, frame)
                self._role.offer()
                self._tell_soon()
            case SetMetadata():
                self._shared.set(slot, frame)
            case Applied(version):
                self._shared.applied(slot, version)
            case StopAll(force, code):
                self._exit_code = max(self._exit_code, code)
                if force:
                    asyncio.get_running_loop().call_later(FORCE_AFTER, self._force)
                else:
                    self._stopping.set()
            case Failed(cause):
                slot.failed = cause

    def _greet(self, slot: Slot) -> None:
        slot.attached = True
        self._shared.greet(slot)
        if not slot.renews:
            slot.tell("view", encode(self._board.view()))
        if self._stopping.is_set():
            slot.tell("stop", encode(Stop()))

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TOGETHER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        self._tell_all("view", encode(self._board.view()))

    def _tell_all(self, kind: str, data: bytes) -> None:
        for slot in self._slots:
            slot.tell(kind, data)

    def _force(self) -> None:
        self._exit_code = 1
        self._stopping.set()
        self._kill()

    def _kill(self) -> bool:
        """Kill what still runs; says whether anything did."""
        running = [slot for slot in self._everyone() if slot.running]
        for slot in running:
            slot.kill()
        return bool(running)

    def _signalled(self) -> None:
        """Stop gracefully, or at once if somebody asks a second time."""
        if self._stopping.is_set() and self._kill():
            _log.warning("stopping at once, because a second signal came")
            self._exit_code = 1
        self._stopping.set()

    async def _stop(self, keepers: list[asyncio.Task[None]], following: list[asyncio.Task[None]]) -> None:
        self._stopping.set()
        for task in following:
            task.cancel()
        _log.info("stopping")
        self._entrance.close()
        for slot in self._slots:
            if slot.attached:
                slot.tell("stop", encode(Stop()))
            elif slot.process is not None and slot.running:
                slot.process.terminate()
        budget = self._options.graceful_shutdown_seconds + MARGIN
        _, late = await asyncio.wait([*keepers, *following, *self._renewal.leaving.values()], timeout=budget)
        if late and self._kill():
            _log.error("workers did not stop in time and were killed", extra={"seconds": budget})
            self._exit_code = 1
        if late:
            await asyncio.wait(late)
