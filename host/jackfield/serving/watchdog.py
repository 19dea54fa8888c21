"""A thread that notices when the event loop stands still, and says whose code holds it up.

Everything in a serving process runs on one event loop: a plugin that sleeps or computes there holds up every request of
the process. The loop itself can't tell, so it leaves a beat four times a second, and a thread looks for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import distributions
from typing import Self

from jackfield.plugins.culprit import Culprit, culprit, stack
from jackfield.plugins.discovery import discover

__all__ = ["ALIVE_EVERY", "Watchdog"]

ALIVE_EVERY = 1.0
"""Seconds after which a loop that runs says so again; one that goes on says so at once."""
_BLOCKED = 1.0
"""Seconds without a turn of the event loop that are worth a warning while the host serves."""
_STARTING = 10.0
"""The same during the start, when plugins are imported and little waits for the loop."""
_BEAT = 0.25
_ADVICE = "await what waits, and give work that computes to a thread (asyncio.to_thread)"
_log = logging.getLogger("jackfield.loop")


class Watchdog:
    """Looks after the event loop that runs in the thread which enters this.

    Time in which the whole process stands still (SIGSTOP, a machine that sleeps or has no CPU for it) doesn't count:
    the thread then is as late as the loop is. Code that keeps the interpreter to itself holds up the thread too, but
    uses CPU in the loop's thread meanwhile, which counts.
    Whose it is can mostly be seen when it comes back.

    Args:
        serving: tells whether the host has started.
        alive: called by the loop every ``ALIVE_EVERY`` seconds.
        orphaned: tells, by any thread, whether nobody is left to end this process; one that is blocked then ends.
    """

    def __init__(
        self,
        serving: Callable[[], bool],
        *,
        alive: Callable[[], None] = lambda: None,
        orphaned: Callable[[], bool] = lambda: False,
    ) -> None:
        self._serving = serving
        self._alive = alive
        self._orphaned = orphaned
        self._beats = 0
        self._beaten = self._said = self._worked = 0.0
        self._telling = False
        self._blocked: tuple[Culprit, float] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="jackfield-watchdog", daemon=True)

    def __enter__(self) -> Self:
        """Begin; the event loop runs."""
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._cpu = _cpu_clock(self._watched)
        self._worked = self._cpu()
        self._handle = self._loop.call_later(_BEAT, self._beat)
        self._beaten = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End. The thread is not waited for: it ends by itself within one look."""
        self._handle.cancel()
        self._end.set()

    def _beat(self) -> None:
        now, cpu = time.monotonic(), self._cpu()
        late, worked = now - self._beaten - _BEAT, cpu - self._worked
        self._beaten, self._worked = now, cpu
        self._beats += 1
        if self._blocked is not None:
            (found, since), self._blocked = self._blocked, None
            _log.warning("the event loop goes on", extra=found.fields() | {"seconds": now - since - _BEAT})
        elif not self._telling and min(late, worked) >= self._limit:
            # Code that never lets go of the interpreter: the thread has come too late to see whose.
            _log.warning("the event loop was blocked: all requests here have waited", extra={"seconds": late})
        if late > _BEAT or now - self._said >= ALIVE_EVERY - _BEAT / 2:
            self._said = now
            self._alive()
        self._handle = self._loop.call_later(_BEAT, self._beat)

    def _watch(self) -> None:
        seen, stood, told = 0, 0.0, False
        looked, used = time.monotonic(), self._cpu()
        while not self._end.wait(_BEAT):
            now, cpu = time.monotonic(), self._cpu()
            counted = min(now - looked, max(2 * _BEAT, cpu - used))
            looked, used = now, cpu
            beats = self._beats
            if beats == seen:
                stood += counted
            else:
                seen, stood, told = beats, min(counted, now - self._beaten), False
            # A beat is due a while after the last one, and the loop may have run for that long.
            if not told and stood - _BEAT >= self._limit:
                self._telling = True
                told = self._tell(beats, stood - _BEAT)
                self._telling = False
            if told and self._orphaned():
                _log.error("the parent process is gone and the event loop stands still; ending")
                os._exit(1)

    @property
    def _limit(self) -> float:
        return _BLOCKED if self._serving() else _STARTING

    def _tell(self, beats: int, seconds: float) -> bool:
        since = self._beaten
        where = stack(sys._current_frames().get(self._watched))  # noqa: SLF001  its documented name
        if not where or self._beats != beats:
            return False  # it goes on already, so what was found may be somebody else
        found = culprit(where, discover(distributions()))
        about = found.fields() | {"seconds": seconds}
        if found.plugin:
            _log.warning("a plugin blocks the event loop: all requests here wait", extra=about | {"fix": _ADVICE})
        else:
            _log.warning("the event loop is blocked: all requests here wait", extra=about)
        self._blocked = found, since
        return True


def _cpu_clock(thread: int) -> Callable[[], float]:
    """Return what gives the seconds of CPU that a thread has used; the process's, where there is no such clock."""
    clock = getattr(time, "pthread_getcpuclockid", None)
    if clock is None:
        return time.process_time
    number: int = clock(thread)
    return lambda: time.clock_gettime(number)
