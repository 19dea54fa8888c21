"""Watching the clients of running requests: do they go on sending a body, do they wait for their answer?

A server tells of a lost client through ``receive`` alone: it neither cancels the app nor makes ``send`` fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.types import Receive

__all__ = ["ClientWatch", "Lookout", "Watched"]

_ROUND = 0.02


class Watched(Protocol):
    """What a lookout looks at."""

    def look(self, now: float) -> None:
        """Do what is due at a time of the event loop's clock."""

    def stop(self) -> None:
        """End what it has begun."""


class Lookout:
    """Looks at all watched clients and streams again and again for as long as there are any.

    One timer serves them all: setting and cancelling one takes 1.2 us, and nearly every request has been answered
    before the first look at its client.
    """

    def __init__(self) -> None:
        self._watches: set[Watched] = set()
        self._waiting = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def task(self) -> asyncio.Task[object]:
        """Return the task that calls, which runs in the one event loop of this lookout."""
        # Without the loop asyncio looks for it, and before Python 3.12 that asks the kernel for the process's id.
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101  whatever has a ``receive`` runs in a task
        return task

    def add(self, watch: Watched) -> None:
        """Begin to look at something."""
        self._watches.add(watch)
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_later(_ROUND, self._look)

    def remove(self, watch: Watched) -> None:
        """Look at it no more."""
        self._watches.discard(watch)

    @contextmanager
    def looking(self, watch: Watched) -> Iterator[None]:
        """Look at something while the context lasts, and stop it then."""
        self.add(watch)
        try:
            yield
        finally:
            self.remove(watch)
            watch.stop()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for watch in tuple(self._watches):
            watch.look(now)
        self._waiting = bool(self._watches)
        if self._waiting:
            loop.call_later(_ROUND, self._look)


class ClientWatch:
    """Cancels the task that made it when the client falls silent within its body, or leaves after it.

    Args:
        lookout: looks at the client from time to time.
        receive: ASGI's receive.
        silence: the longest wait for the next piece of the body, in seconds.

    Attributes:
        task: the task that made it.
        silence: as given.
        silent: whether the client has fallen silent, and the task was cancelled for that reason.
        left: whether it has left, and the task was cancelled for that reason.
    """

    # What nearly all requests leave as it is stands here, so that making a watch writes little.
    silent = False
    left = False
    _body_ended = False
    _seen = False
    _heard: float | None = None
    _watcher: asyncio.Task[None] | None = None

    def __init__(self, lookout: Lookout, receive: Receive, silence: float) -> None:
        self.task = lookout.task()
        self.silence = silence
        self._lookout = lookout
        self._receive = receive
        lookout.add(self)

    def heard(self) -> None:
        """Begin to wait anew: a piece of the body has come."""
        self._heard = None

    def body_ended(self) -> None:
        """Go on to watch whether the client stays: its body is whole."""
        self._body_ended = True

    def forgive(self) -> None:
        """Take the cancellation back: it has done its work."""
        self.task.uncancel()

    def stop(self) -> None:
        """End the watch."""
        self._lookout.remove(self)
        if self._watcher is not None:
            self._watcher.cancel()

    def look(self, now: float) -> None:
        """Do what is due at a time of the event loop's clock."""
        if self._body_ended:
            if self._seen:
                # The request takes its time, so that a task of its own, which waits for the client to leave, pays.
                self._lookout.remove(self)
                self._watcher = asyncio.get_running_loop().create_task(self._watch())
            self._seen = True
        elif self._heard is None:
            self._heard = now
        elif now - self._heard >= self.silence:
            self._lookout.remove(self)
            self.silent = True
            self.task.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self.task.cancel()
