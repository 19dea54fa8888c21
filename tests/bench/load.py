"""A load generator: kept-alive connections that send one request after another and check every reply."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import uvloop
from chunked import joined

__all__ = ["Load", "Outcome"]

_PATIENCE = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass
class Outcome:
    """What a run saw.

    Attributes:
        seconds: how long it took.
        latencies: of each request, in seconds.
        faults: replies that were not the expected ones, by kind; any of them voids the run.
        first: the body of the first reply.
        cpu: what ``meter`` rose by.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    first: bytes = b""
    cpu: float = 0.0

    def percentile(self, share: float) -> float:
        """The latency that ``share`` of the requests stay under, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def fault(self, kind: str) -> None:
        """Count a reply that was not the expected one."""
        self.faults[kind] = self.faults.get(kind, 0) + 1


@dataclass(frozen=True)
class Load:
    """One kind of request, and the reply that must come.

    Attributes:
        port: where the server listens.
        paths: the requests' paths, asked in turn.
        body: the requests' body.
        text: what each reply must contain. If empty, each must equal the first one to the byte.
        headers: further headers.
    """

    port: int
    paths: tuple[str, ...]
    body: bytes
    text: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def run(self, *, requests: int, connections: int, meter: Callable[[], float] = lambda: 0.0) -> Outcome:
        """Send ``requests`` over ``connections`` connections, in an event loop of its own.

        One request on each connection comes before these and isn't counted: what it costs to take a connection is no
        part of what a request costs, and a server takes them one by one.

        Args:
            requests: how many are counted.
            connections: how many send them side by side.
            meter: read before and after what is counted.
        """
        return uvloop.run(self._run(requests, connections, meter))

    async def _run(self, requests: int, connections: int, meter: Callable[[], float]) -> Outcome:
        greeting, outcome = Outcome(), Outcome()
        messages = itertools.cycle(self._messages())
        clients = [_Client(self.text) for _ in range(connections)]
        loop = asyncio.get_running_loop()
        try:
            for client in clients:
                await loop.create_connection(lambda client=client: client, "127.0.0.1", self.port)  # type: ignore[misc]
        except OSError:
            outcome.fault("a refused connection")
            return outcome
        await _send([(client, itertools.islice(messages, 1)) for client in clients], greeting)
        outcome.first, outcome.faults = greeting.first, greeting.faults
        if not outcome.faults:
            counted = itertools.islice(messages, requests)
            before, began = meter(), perf_counter()
            await _send([(client, counted) for client in clients], outcome)
            outcome.seconds = perf_counter() - began
            outcome.cpu = meter() - before
        for client in clients:
            client.transport.close()
        return outcome

    def _messages(self) -> list[bytes]:
        further = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        rest = (
            f" HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n{further}"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        ).encode() + self.body
        return [b"POST " + path.encode() + rest for path in self.paths]


async def _send(shares: list[tuple[_Client, Iterator[bytes]]], outcome: Outcome) -> None:
    """Have each connection send its share, and wait for all replies."""
    for client, messages in shares:
        client.begin(messages, outcome)
    waiting = {client.done for client, _ in shares}
    while waiting:
        seen = len(outcome.latencies)
        _, waiting = await asyncio.wait(waiting, timeout=_PATIENCE)
        if waiting and len(outcome.latencies) == seen:
            for done in waiting:
                outcome.fault(f"no reply within {_PATIENCE:.0f} s")
                done.set_result(None)
            return


class _Client(asyncio.Protocol):
    """One connection: the next request leaves when the reply to the last one is there."""

    transport: asyncio.Transport
    done: asyncio.Future[None]

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def begin(self, messages: Iterator[bytes], outcome: Outcome) -> None:
        """Send the first of some requests; ``done`` is set after the reply to the last."""
        self._messages = messages
        self._outcome = outcome
        self.done = asyncio.get_running_loop().create_future()
        self._next()

    def _next(self) -> None:
        message = next(self._messages, None)
        if message is None or self.transport.is_closing():
            self._end()
            return
        self._began = perf_counter()
        self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if length := _LENGTH.search(head):
            if len(rest) < int(length[1]):
                return
        elif not _CHUNKED.search(head):
            self._outcome.fault("a reply without a length")
            self._end()
            return
        elif not rest.endswith(_LAST_CHUNK):
            return
        else:
            rest = joined(rest)
        self._buffer = b""
        self._outcome.latencies.append(perf_counter() - self._began)
        self._judge(int(head[9:12]), rest)
        self._next()

    def _judge(self, status: int, body: bytes) -> None:
        if status != 200:
            self._outcome.fault(f"status {status}")
        elif not self._outcome.first:
            self._outcome.first = body
        if self._text and self._text not in body:
            self._outcome.fault("another text")
        elif not self._text and body != self._outcome.first:
            self._outcome.fault("other bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._outcome.fault("a closed connection")
            self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
