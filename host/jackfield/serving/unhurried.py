"""uvicorn, stopped so that no request is lost.

At a stop uvicorn closes what is idle at that moment: also a connection that has just been made, or whose client has its
next request on the way, and nobody repeats those. What it has accepted and not yet seen it forgets.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from jackfield.serving.budgets import LAST_WORDS, LINGER
from jackfield.serving.entrance import emptied

__all__ = ["Server"]

_TICK = 0.1
_TICKS = 864_000

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _Protocol
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
else:
    _Protocol = object  # mixed into whichever of its protocols uvicorn has chosen


class _Leaving(_Protocol):
    """A connection that can be left: each of its replies is the last then, and it ends when it has been silent."""

    leaving: asyncio.Event
    timeout_keep_alive: float  # type: ignore[assignment]  # the event loop takes any number

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection; one that comes when the stop has begun isn't waited for any longer than the others."""
        super().connection_made(transport)
        if self.leaving.is_set():
            self.leave()

    def leave(self) -> None:
        """Tell the client with the next reply, and wait for a request that may be on its way."""
        self.timeout_keep_alive = LINGER
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self._wait_for_another()
        elif not cycle.response_started:
            cycle.keep_alive = False

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle
        if self.leaving.is_set() and (cycle is None or cycle.response_complete):
            self._wait_for_another()  # half a head is not yet a request

    def on_headers_complete(self) -> None:
        """Begin a request."""
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if self.leaving.is_set() and cycle is not None:
            cycle.keep_alive = False

    def _wait_for_another(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(LINGER, self.timeout_keep_alive_handler)


class Server(uvicorn.Server):
    """Leaves the signals to the host, and ends when it is told to.

    Args:
        config: uvicorn's settings.
        stop: ends serving.
        budget: seconds that connections have from then on.
        quiet: called when none is left.
    """

    def __init__(
        self, config: uvicorn.Config, stop: asyncio.Event, *, budget: float, quiet: Callable[[], None]
    ) -> None:
        super().__init__(config)
        config.load()
        members = {"leaving": stop}
        config.http_protocol_class = type("Connection", (_Leaving, config.http_protocol_class), members)
        self._stop = stop
        self._budget = budget
        self._quiet = quiet

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def main_loop(self) -> None:
        """Serve until the stop."""
        counter = 0
        while not self._stop.is_set():
            await self.on_tick(counter)  # the date of replies
            counter = (counter + 1) % _TICKS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take the connections that are made, let all of them end, and then the application."""
        connections: Any = self.server_state.connections
        for connection in list(connections):
            connection.leave()
        end = asyncio.get_running_loop().time() + self._budget
        await emptied(sockets or [])
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await self._ended(end)
        self._quiet()
        await self.lifespan.shutdown()

    async def _ended(self, end: float) -> None:
        loop = asyncio.get_running_loop()
        state = self.server_state
        while (state.connections or state.tasks) and loop.time() < end:
            await asyncio.sleep(_TICK / 10)  # uvicorn's connections end without a signal
        for task in list(state.tasks):
            task.cancel()
        if state.tasks:
            await asyncio.wait(list(state.tasks), timeout=LAST_WORDS)
