"""An upstream that takes its time: it says a prompt again, piece by piece, or hangs, and notes what it has begun."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PausingUpstream"]

_HANG = "hang"


@dataclass
class PausingUpstream:
    """Speaks chat completions on a port of its own. The prompt says how: ``SECONDS NONCE``, or ``hang NONCE``.

    Attributes:
        begun: the nonces of the calls that have arrived.
        endpoint: what a manifest's ``endpoint`` has to say.
    """

    begun: set[str] = field(default_factory=set)
    endpoint: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve while the context lasts; what runs at its end is cut."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0.02)  # connections that were closed end in the loop's next turns

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            # Whoever cancels it waits for it; asyncio would log that it was cancelled.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    await self._answer(json.loads(await reader.readexactly(length)), writer)
        finally:
            writer.close()

    async def _answer(self, call: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        said = call["messages"][-1]["content"]
        text = said if isinstance(said, str) else "".join(part["text"] for part in said)
        pace, _, nonce = text.partition(" ")
        self.begun.add(nonce)
        if pace == _HANG:
            await asyncio.Event().wait()
        seconds = float(pace)
        if not call.get("stream"):
            await asyncio.sleep(seconds)  # a provider at work
            message = {"role": "assistant", "content": text}
            body = json.dumps({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body.encode()))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        pieces = [text[start : start + 8] for start in range(0, len(text), 8)]
        for piece in pieces:
            await asyncio.sleep(seconds / len(pieces))
            await _say(writer, {"delta": {"content": piece}, "index": 0, "finish_reason": None})
        await _say(writer, {"delta": {}, "index": 0, "finish_reason": "stop"})
        writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
        await writer.drain()


async def _say(writer: asyncio.StreamWriter, choice: dict[str, Any]) -> None:
    data = b"data: %b\n\n" % json.dumps({"model": "m", "choices": [choice]}).encode()
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()
