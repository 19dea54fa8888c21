"""Connections of hypercorn that end when their client ends them, and hold little for a client that doesn't read.

hypercorn 0.18 keeps a connection whose client has closed it until ``keep_alive_timeout`` is over, because the task that
waits for that goes on. With more than a minute of it, clients that come for one request each would use up the process's
descriptors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FunctionType
from typing import Any, cast

from hypercorn.asyncio.run import worker_serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.events import Event, Updated
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.utils import wrap_app
from starlette.types import ASGIApp

from jackfield.serving.windows import bound

__all__ = ["Connection", "serve"]

_FIRST_WORDS = 0.5
"""Seconds that a stop leaves to a connection on which nothing has come yet."""


class Connection(TCPServer):
    """One connection; it waits for no further request once its client has closed its side.

    A stop closes idle connections at once, but for those that are new: their first request may be on its way, and
    nobody repeats it.
    """

    _left = False
    _heard = False
    _spoken: object = None

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol wants: send, close, or begin to wait for the next request."""
        spoken = self.protocol.protocol
        if spoken is not self._spoken:
            self._spoken = spoken
            if isinstance(spoken, H2Protocol) and not spoken.stream_buffers:
                bound(spoken)
        if isinstance(event, Updated):
            self._heard = self._heard or not event.idle
        if not (self._left and isinstance(event, Updated)):
            await super().protocol_send(event)

    async def _idle_timeout(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.config.keep_alive_timeout):
                await self.context.terminated.wait()
                if not self._heard:
                    await asyncio.sleep(_FIRST_WORDS)  # what comes meanwhile ends this task
        await asyncio.shield(self._initiate_server_close())

    async def _read_data(self) -> None:
        await super()._read_data()
        self._left = True
        await self.idle_task.stop()


async def serve(app: ASGIApp, config: Config, *, stopped: Callable[[], Awaitable[object]]) -> None:
    """Serve as ``hypercorn.asyncio.serve`` does, with connections of this class.

    Args:
        app: the application.
        config: hypercorn's settings.
        stopped: returns when serving is to end.
    """
    # hypercorn names its class in a function and nowhere else, so the function is run with another one under that name.
    names = worker_serve.__globals__ | {"TCPServer": Connection}
    ours = FunctionType(worker_serve.__code__, names, worker_serve.__name__, worker_serve.__defaults__)
    ours.__kwdefaults__ = worker_serve.__kwdefaults__
    wrapped = wrap_app(cast("Any", app), config.wsgi_max_body_size, "asgi")
    await ours(wrapped, config, shutdown_trigger=stopped)
