"""Noticing that a client has left while its request is being answered."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

__all__ = ["DisconnectWatch"]

_GRACE = 0.02
"""Seconds before the watch begins: most replies are there sooner, and a timer costs a sixth of a task."""


class DisconnectWatch:
    """Cancels the task that made it when the client leaves.

    A server tells of a lost client through ``receive`` alone: it neither cancels the app nor makes ``send`` fail.

    Args:
        receive: ASGI's receive, after the body has been read.

    Attributes:
        left: whether the client has left, and the task was cancelled for that reason.
    """

    __slots__ = ("_receive", "_task", "_timer", "_watcher", "left")

    def __init__(self, receive: Receive, task: asyncio.Task[object], loop: asyncio.AbstractEventLoop) -> None:
        self.left = False
        self._receive = receive
        self._task = task
        self._watcher: asyncio.Task[None] | None = None
        self._timer = loop.call_later(_GRACE, self._begin, loop)

    def stop(self) -> None:
        """End the watch."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watcher = loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._task.cancel()
