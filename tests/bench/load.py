"""A load generator: kept-alive connections that send one request after another and check every byte that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

__all__ = ["Load", "Outcome"]


@dataclass
class Outcome:
    """What a run saw.

    Attributes:
        seconds: how long it took.
        latencies: of each request, in seconds.
        faults: replies that were not the expected ones, by kind; any of them voids the run.
    """

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        """The latency that ``share`` of the requests stay under, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Load:
    """One kind of request, and the reply that must come.

    Attributes:
        port: where the server listens.
        path: the request's path.
        body: the request's body.
        expected: the reply's body, to the byte; the reply of the first request if None.
        status: the reply's status.
    """

    port: int
    path: str
    body: bytes
    expected: bytes | None = None
    status: int = 200

    async def run(self, *, requests: int, connections: int) -> Outcome:
        """Send ``requests`` over ``connections`` connections."""
        outcome = Outcome()
        left = iter(range(requests))
        began = perf_counter()
        await asyncio.gather(*(self._connection(left, outcome) for _ in range(connections)))
        outcome.seconds = perf_counter() - began
        return outcome

    async def _connection(self, left: object, outcome: Outcome) -> None:
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        ).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for _ in left:  # type: ignore[attr-defined]
            began = perf_counter()
            writer.write(head + self.body)
            fault = await self._read(reader)
            outcome.latencies.append(perf_counter() - began)
            if fault:
                outcome.faults[fault] = outcome.faults.get(fault, 0) + 1
                if fault == "closed":
                    break
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            return "closed"
        status = int(head[9:12])
        if status != self.status:
            return f"status {status}"
        if self.expected is None:
            self.expected = body
        return "" if body == self.expected else "other bytes"
