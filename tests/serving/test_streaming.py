"""A streamed reply on a real Hypercorn: a slow reader slows the provider, one that leaves ends its work.

The host's front ends answer in one piece so far; the app here is the few lines that a streaming one needs, so that what
they stand on is proved: the chain's events, the server's back-pressure, and the end of a generator.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from jackfield import Build, Conversation, ConversationRequest, Delta, Event, Finish, Message, Settings, TextPart
from jackfield.chain.provider import ProviderHandler
from jackfield.http.client import ClientWatch, Lookout
from jackfield.serving.network import Network, bind
from jackfield.serving.servers import serve
from jackfield.serving.worker import run

PIECE = "x" * 65536
PIECES = 1024
PATIENCE = 20.0


class Talkative(Conversation[Settings]):
    """Writes 64 MiB as fast as it may, and counts."""

    written = 0

    def __init__(self, build: Build[Settings]) -> None:
        super().__init__(build)
        self.closed = threading.Event()

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        try:
            for _ in range(PIECES):
                yield Delta(TextPart(PIECE))
                self.written += 1
                await asyncio.sleep(0)  # as a provider does that reads from a socket
            yield Finish("stop")
        finally:
            self.closed.set()


@contextmanager
def streaming(server: str) -> Iterator[tuple[Talkative, int]]:
    """Serve the events of one component; gives it and the port."""
    talkative = Talkative(Build(name="t", type_name="conversation.t", settings=Settings()))
    handler, lookout = ProviderHandler(talkative, limits=None, redact=str), Lookout()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": (await receive())["type"] + ".complete"})
            return
        watch = ClientWatch(lookout, receive, 10.0)
        await receive()
        watch.body_ended()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        message = Message(role="user", parts=(TextPart("go"),))
        request = ConversationRequest(component="t", messages=(message,), stream=True)
        try:
            async with aclosing(handler(request)) as events:
                async for event in events:
                    if isinstance(event, Delta) and isinstance(event.part, TextPart):
                        body = event.part.text.encode()
                        await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except asyncio.CancelledError:
            if not watch.left:
                raise
            watch.forgive()
        finally:
            watch.stop()

    network = Network(port=0, server=server)
    sockets = bind(network)
    port: int = sockets[0].getsockname()[1]
    stops: list[Any] = []
    ready = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        stops.append((asyncio.get_running_loop(), stop))
        ready.set()
        await serve(app, sockets, network, stop, drain=1)

    thread = threading.Thread(target=lambda: run(main))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield talkative, port
    finally:
        loop, stop = stops[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def settle(talkative: Talkative) -> int:
    """Wait until the provider writes no more for a while; returns how many pieces it has written."""
    end, before = time.monotonic() + PATIENCE, -1
    while before != talkative.written or not before:
        assert time.monotonic() < end
        before = talkative.written
        time.sleep(0.3)  # that nothing happens has no signal
    return before


SERVERS = pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])


@SERVERS
def test_a_reader_that_stops_reading_stops_the_provider(server: str) -> None:
    """What the host holds for a reader that takes nothing is bounded; when it reads on, it gets every byte."""
    with streaming(server) as (talkative, port), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        held = settle(talkative)
        received = 0
        while data := client.recv(1 << 20):
            received += data.count(b"x")

        assert held * len(PIECE) < 16 << 20
        assert PIECES * len(PIECE) == received
        assert talkative.closed.wait(PATIENCE)


@SERVERS
def test_a_reader_that_leaves_ends_the_providers_work(server: str) -> None:
    """A client that closes in the middle of a stream has the provider's generator closed, far from its end."""
    with streaming(server) as (talkative, port):
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            settle(talkative)
        assert talkative.closed.wait(PATIENCE)

    assert talkative.written < PIECES
