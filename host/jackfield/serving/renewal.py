"""Renewing workers when code has changed: make before break, for processes as for components.

A new process imports the code and builds every component beside the one that serves. Only when nothing is worse than
before does it begin to take connections, from the same listening sockets, and the old one finishes what it runs.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from pathlib import Path

from jackfield.serving.code import CodeWatcher, unreadable
from jackfield.serving.frames import FromWorker, Loaded, Report, Stop, encode
from jackfield.serving.slot import Slot

__all__ = ["Renewal"]

_log = logging.getLogger("jackfield.dev")
_REFUSED = "the changed code can't be used; what was there before serves on"


class Renewal:
    """Replaces every worker after a change of code.

    Args:
        slots: the workers' places; the parent's own list.
        begin: starts a process in a slot that is in no place yet.
        adopt: puts a slot with a process that waits to serve into its place.
        gone: called when a process that had lost its place has ended.
        served: the names of the components that a worker serves.
        budget: seconds that a replaced process has to finish what it runs.

    Attributes:
        candidates: slots whose processes may take a place.
        leaving: slots whose processes have lost theirs, with what waits for their end.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        begin: Callable[[Slot], Awaitable[None]],
        adopt: Callable[[Slot, Report], None],
        gone: Callable[[Slot], None],
        served: Callable[[int], Collection[str]],
        budget: float,
    ) -> None:
        self.candidates: list[Slot] = []
        self.leaving: dict[Slot, asyncio.Task[None]] = {}
        self._budget = budget
        self._slots = slots
        self._begin = begin
        self._adopt = adopt
        self._gone = gone
        self._served = served
        self._broken: set[Path] = set()
        self._reports: dict[Slot, asyncio.Future[Report]] = {}

    async def follow(self, watcher: CodeWatcher) -> None:
        """Renew after every change; a newer change calls off a renewal that is still under way."""
        running: asyncio.Task[None] | None = None
        try:
            async with aclosing(watcher.changes()) as changes:
                async for paths in changes:
                    await _called_off(running)
                    running = asyncio.get_running_loop().create_task(self._renew(paths))
        finally:
            await _called_off(running)

    def took(self, slot: Slot, frame: FromWorker) -> bool:
        """Take in a frame, unless it is the parent's to act on."""
        if slot in self.leaving:
            return True
        if isinstance(frame, Loaded):
            slot.faults = frame.faults
            return True
        if slot.renews and isinstance(frame, Report):
            # Its first one: all is built, and it waits to serve.
            waiting = self._reports.get(slot)
            if waiting is not None and not waiting.done():
                waiting.set_result(frame)
            return True
        return False

    def retire(self, slot: Slot) -> None:
        """Let a process that has lost its place finish what it runs."""
        # Who looks after the place wakes up; the process's own end is another's to wait for.
        kept, slot.exited = slot.exited, asyncio.Event()
        kept.set()
        if slot.process is not None and slot.process.poll() is None:
            self.leaving[slot] = asyncio.get_running_loop().create_task(self._see_off(slot, slot.process))
        else:
            if slot.channel is not None:
                slot.channel.abort()
            self._gone(slot)

    async def _see_off(self, slot: Slot, process: subprocess.Popen[bytes]) -> None:
        slot.tell("stop", encode(Stop()))
        try:
            async with asyncio.timeout(self._budget):
                await slot.exited.wait()
        except TimeoutError:
            _log.error("a replaced worker did not stop in time and was killed", extra={"pid": slot.pid})
            process.kill()
            await slot.exited.wait()
        if slot.channel is not None:
            slot.channel.abort()
        del self.leaving[slot]
        self._gone(slot)

    async def _renew(self, paths: Collection[Path]) -> None:
        self._broken = {path for path in self._broken | set(paths) if unreadable(path)}
        if self._broken:
            for path in sorted(self._broken):
                _log.error(_REFUSED, extra={"cause": unreadable(path)})
            return
        _log.info("code has changed", extra={"files": ", ".join(map(str, paths))})
        for slot in list(self._slots):
            cause = await self._replace(slot)
            if cause:
                _log.error(_REFUSED, extra={"worker": slot.worker, "cause": cause})
                return
        _log.info("the changed code serves")

    async def _replace(self, slot: Slot) -> str:
        """Replace one worker; returns why not, if it doesn't work out."""
        candidate = Slot(slot.worker, renews=True)
        self.candidates.append(candidate)
        waiting = self._reports[candidate] = asyncio.get_running_loop().create_future()
        try:
            try:
                await self._begin(candidate)
            except OSError as error:
                return f"no process could be started: {error.strerror or type(error).__name__}"
            ended = asyncio.ensure_future(candidate.exited.wait())
            await asyncio.wait([waiting, ended], return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            if not waiting.done():
                return candidate.failed or "its process ended before it could serve; see its lines above"
            cause = "; ".join(self._losses(slot, candidate, waiting.result()))
            if not cause:
                self._adopt(candidate, waiting.result())
            return cause
        finally:
            del self._reports[candidate]
            if candidate not in self._slots and candidate.process is not None:
                # It has taken no connection, so nobody misses it.
                candidate.process.kill()
                await candidate.exited.wait()
                if candidate.channel is not None:
                    candidate.channel.abort()
            self.candidates.remove(candidate)

    def _losses(self, slot: Slot, candidate: Slot, report: Report) -> list[str]:
        """What worked with the old code and doesn't with the new one."""
        lost = [
            f"plugin {name}: {reason}"
            for name, reason in candidate.faults.items()
            if slot.started and name not in slot.faults
        ]
        served = self._served(slot.worker)
        return lost + [
            f"component {component.name}: {'; '.join(component.problems) or component.state}"
            for component in report.changed
            if component.name in served and not component.digest
        ]


async def _called_off(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
