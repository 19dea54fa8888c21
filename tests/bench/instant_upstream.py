"""An upstream that answers every chat completion at once with the same bytes, as cheaply as Python can."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

import uvloop

TEXT = "The capital of France is Paris, and has been for a very long time."
REPLY = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"mock","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"' + TEXT.encode() + b'"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":57,"completion_tokens":17,"total_tokens":74}}'
)
ANSWERED = "/answered"
"""The path that answers how many completions were asked for so far."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_ANSWER = _HEAD % len(REPLY) + REPLY
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


class Tally:
    """How many completions were asked for."""

    answered = 0


class _Upstream(asyncio.Protocol):
    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)
        self.buffer = bytearray()
        self.whole = 0

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        # A long prompt comes in many pieces: its head is read once, and nothing is copied until it is whole.
        while len(self.buffer) >= (self.whole or 1):
            if not self.whole and not self._measure():
                return
            if len(self.buffer) < self.whole:
                return
            asked = bool(self.buffer.startswith(b"POST"))
            del self.buffer[: self.whole]
            self.whole = 0
            self._answer(asked)

    def _measure(self) -> bool:
        """Find out where the request ends; False if that can't be said yet."""
        end = self.buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return False
        head = bytes(self.buffer[:end])
        if _CHUNKED.search(head):
            self.whole = len(self.buffer) if self.buffer.endswith(_LAST_CHUNK, end) else 0
            return bool(self.whole)
        length = _LENGTH.search(head)
        self.whole = end + (int(length[1]) if length else 0)
        return True

    def _answer(self, asked: bool) -> None:
        if asked:
            self.tally.answered += 1
            self.transport.write(_ANSWER)
            return
        body = str(self.tally.answered).encode()
        self.transport.write(_HEAD % len(body) + body)


async def main() -> None:
    """Serve until killed; the port is the first line of the output."""
    tally = Tally()
    server = await asyncio.get_running_loop().create_server(lambda: _Upstream(tally), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
