"""A provider's server that runs in a thread of its own, beside a host that runs in another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jackfield.testing import Behaviour, Exchange, FakeUpstream, chat

__all__ = ["Upstream", "running_upstream"]


class Upstream:
    """The plugin's own test server, as a plain thread sees it.

    Args:
        server: the server.
        loop: the event loop it runs on.
    """

    def __init__(self, server: FakeUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop

    @property
    def endpoint(self) -> str:
        """The base address of the API."""
        return self._server.endpoint

    @property
    def requests(self) -> list[Exchange]:
        """What was asked so far."""
        return self._server.requests

    def behave(self, behaviour: Behaviour) -> None:
        """Answer otherwise from now on, and forget what was asked and closed until now."""
        self._server.behaviour = behaviour
        self._server.requests.clear()
        self._loop.call_soon_threadsafe(self._server.asked.clear)
        self._loop.call_soon_threadsafe(self._server.closed.clear)

    def wait_asked(self) -> None:
        """Wait until a request has arrived."""
        self._wait(self._server.asked)

    def wait_closed(self) -> None:
        """Wait until a connection has ended."""
        self._wait(self._server.closed)

    def _wait(self, event: asyncio.Event) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(event.wait(), 20), self._loop).result(25)


@contextmanager
def running_upstream(behaviour: Behaviour = chat) -> Iterator[Upstream]:
    """Run a server while the context lasts."""
    ready: list[Upstream] = []
    started, stopped = threading.Event(), []

    async def main() -> None:
        async with FakeUpstream(behaviour) as server:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            stopped.append(lambda: loop.call_soon_threadsafe(stop.set))
            ready.append(Upstream(server, loop))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(20), "the upstream did not start"
    try:
        yield ready[0]
    finally:
        stopped[0]()
        thread.join(20)
    assert not thread.is_alive(), "the upstream did not stop"
