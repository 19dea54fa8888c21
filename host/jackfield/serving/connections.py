"""Hypercorn's connections: they end with their clients, hold little for one that doesn't read, and a stop spares them.

hypercorn 0.18 keeps a connection whose client has closed it until ``keep_alive_timeout`` is over, because the task that
waits for that goes on. With more than a minute of it, clients that come for one request each would use up the process's
descriptors.

At a stop it closes what is idle at that moment: also a connection that has just been made, or whose client has its next
request on the way, and nobody repeats those. Its own limit for what runs then doesn't hold on every Python. So serving
and its end are here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from socket import socket
from typing import Any, cast

from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ConnectionState, LifespanState
from hypercorn.utils import wrap_app
from hyperframe.frame import GoAwayFrame
from starlette.types import ASGIApp

from jackfield.serving.budgets import LAST_WORDS, LINGER
from jackfield.serving.entrance import emptied
from jackfield.serving.idle import Silence
from jackfield.serving.response_heads import quicken
from jackfield.serving.windows import bound

__all__ = ["Connection", "serve"]

_ANY_STREAM = (1 << 31) - 1


class _Context(WorkerContext):
    """What the connections of a server share.

    Attributes:
        leaving: set when a stop has begun.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.leaving = asyncio.Event()


class Connection(TCPServer):
    """One connection; it waits for no further request once its client has closed its side."""

    context: _Context
    _left = False
    _spoken: object = None

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        patience = LINGER if self.context.leaving.is_set() else self.config.keep_alive_timeout
        self._silence = Silence(patience)
        self.idle_task = self._silence  # type: ignore[assignment]

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol wants: send, close, or begin to wait for the next request."""
        spoken = self.protocol.protocol
        begins = spoken is not self._spoken
        if begins:
            self._spoken = spoken
            if isinstance(spoken, H2Protocol):
                if not spoken.stream_buffers:
                    bound(spoken)
            else:
                quicken(spoken)
        if not (self._left and isinstance(event, Updated)):
            await super().protocol_send(event)
        if begins and self.context.leaving.is_set():
            self.leave()  # HTTP/2 has the server's settings come before anything else

    def leave(self) -> None:
        """Tell the client to send further requests elsewhere; those that it has sent already are answered."""
        self._silence.shorten(LINGER)
        spoken = self._spoken
        if isinstance(spoken, H11Protocol):
            spoken.keep_alive_requests = self.config.keep_alive_max_requests  # the next reply says that it is the last
        elif isinstance(spoken, H2Protocol) and not self.writer.is_closing():
            # The protocol's own way to say so takes no request any more (RFC 9113, section 6.8, has this one first).
            self.writer.write(GoAwayFrame(0, last_stream_id=_ANY_STREAM).serialize())

    async def _idle_timeout(self) -> None:
        await self._initiate_server_close()

    async def _read_data(self) -> None:
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(MAX_RECV)
            except OSError:
                break
            if self._silence.over:
                break  # who hears nothing may ask again, so nothing may come of it
            await self.protocol.handle(RawData(data))
        await self.protocol.handle(Closed())
        self._left = True
        self._silence.end()

    async def _close(self) -> None:
        self._silence.end()
        await super()._close()


async def serve(
    app: ASGIApp,
    config: Config,
    sockets: Sequence[socket],
    *,
    stopped: Callable[[], Awaitable[object]],
    quiet: Callable[[], None],
) -> None:
    """Serve as ``hypercorn.asyncio.serve`` does, with connections of this class.

    Args:
        app: the application.
        config: hypercorn's settings; from the stop on, connections have ``graceful_timeout`` seconds.
        sockets: bound and listening.
        stopped: returns when serving is to end.
        quiet: called when no connection is left after the stop.
    """
    loop = asyncio.get_running_loop()
    wrapped = wrap_app(cast("Any", app), config.wsgi_max_body_size, "asgi")
    state: LifespanState = {}
    lifespan = Lifespan(wrapped, config, loop, state)
    living = loop.create_task(lifespan.handle_lifespan())
    await lifespan.wait_for_startup()
    if living.done():
        living.result()
    context = _Context()
    connections: dict[asyncio.Task[Any], Connection] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  it is asyncio that calls this, in a task
        connection = Connection(wrapped, loop, config, context, ConnectionState(state), reader, writer)
        connections[task] = connection
        task.add_done_callback(connections.pop)
        await connection

    tls: dict[str, Any] = {}
    if config.ssl_enabled:
        tls = {"ssl": config.create_ssl_context(), "ssl_handshake_timeout": config.ssl_handshake_timeout}
    servers = [await asyncio.start_server(connected, sock=each, backlog=config.backlog, **tls) for each in sockets]
    try:
        await stopped()
        context.leaving.set()
        for connection in list(connections.values()):
            connection.leave()
        end = loop.time() + config.graceful_timeout
        await emptied(sockets)
    finally:
        for server in servers:
            server.close()
    await _ended(connections, end)
    quiet()
    await lifespan.wait_for_shutdown()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living


async def _ended(connections: dict[asyncio.Task[Any], Connection], end: float) -> None:
    """Wait until all connections have ended, and end those that are left at a time of the event loop's clock."""
    loop = asyncio.get_running_loop()
    while connections and loop.time() < end:
        await asyncio.wait(list(connections), timeout=end - loop.time())
    for task in list(connections):
        task.cancel()
    if connections:
        await asyncio.wait(list(connections), timeout=LAST_WORDS)
