"""Watching the client of one request: does it go on sending its body, and does it wait for the answer?"""

from __future__ import annotations

import asyncio

from starlette.types import Receive

__all__ = ["ClientWatch"]

_GRACE = 0.02
"""Seconds before the first look at a client: nearly all requests have been answered by then."""


class ClientWatch:
    """Cancels the task that made it when the client falls silent within its body, or leaves after it.

    A server tells of a lost client through ``receive`` alone: it neither cancels the app nor makes ``send`` fail. One
    timer serves both ends, because every request sets it: a second one, or ``asyncio.timeout``, would cost more than
    all else here.

    Args:
        receive: ASGI's receive.
        silence: the longest wait for the next piece of the body, in seconds.

    Attributes:
        task: the task that made it.
        silence: as given.
        silent: whether the client has fallen silent, and the task was cancelled for that reason.
        left: whether it has left, and the task was cancelled for that reason.
    """

    __slots__ = (
        "_heard",
        "_looked",
        "_loop",
        "_reading",
        "_receive",
        "_timer",
        "_watcher",
        "left",
        "silence",
        "silent",
        "task",
    )

    def __init__(self, receive: Receive, silence: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  whatever has a ``receive`` runs in a task
        self.task: asyncio.Task[object] = task
        self.silence = silence
        self.silent = False
        self.left = False
        self._receive = receive
        self._reading = True
        self._looked = False
        self._watcher: asyncio.Task[None] | None = None
        self._loop = loop = asyncio.get_running_loop()
        self._heard = loop.time()
        self._timer = loop.call_later(min(_GRACE, silence), self._look)

    def heard(self) -> None:
        """Begin to wait anew: a piece of the body has come."""
        self._heard = self._loop.time()

    def body_ended(self) -> None:
        """Go on to watch whether the client stays: its body is whole."""
        self._reading = False
        if self._looked:
            self._timer.cancel()
            self._timer = self._loop.call_later(_GRACE, self._look)

    def forgive(self) -> None:
        """Take the cancellation back: it has done its work."""
        self.task.uncancel()

    def stop(self) -> None:
        """End the watch."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _look(self) -> None:
        self._looked = True
        if not self._reading:
            self._watcher = self._loop.create_task(self._watch())
            return
        left = self._heard + self.silence - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self.silent = True
            self.task.cancel()

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self.task.cancel()
