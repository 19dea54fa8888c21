"""The port that Prometheus asks: every path gives the metrics, as with daprd."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from jackfield_metrics.text import CONTENT_TYPE

__all__ = ["Scrapes"]

_PATIENCE: Final = 10.0
"""Seconds that one scrape may take."""
_LARGEST: Final = 16 * 1024
"""Bytes of a request's head."""
_AT_ONCE: Final = 32


class Scrapes:
    """Answers scrapes, one a connection.

    Args:
        text: writes the metrics; it is called in a thread, so that requests go on meanwhile.
    """

    def __init__(self, text: Callable[[], bytes]) -> None:
        self._text = text
        self._free = _AT_ONCE

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        if not self._free:
            writer.close()
            return
        self._free -= 1
        try:
            # A client that is slow, leaves or talks nonsense is nobody's fault here.
            with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(_PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._reply(head))
                    await writer.drain()
        finally:
            self._free += 1
            writer.close()

    async def _reply(self, head: bytes) -> bytes:
        method = head.partition(b" ")[0]
        if method not in {b"GET", b"HEAD"}:
            return _response("405 Method Not Allowed", b"only GET and HEAD\n", "allow: GET, HEAD\r\n")
        body = await asyncio.to_thread(self._text)
        reply = _response("200 OK", body)
        return reply if method == b"GET" else reply[: -len(body)]

    async def listen(self, addresses: Sequence[str], port: int) -> asyncio.Server:
        """Begin to listen.

        Args:
            addresses: IP addresses or host names; an empty one stands for all interfaces.
            port: 0 for any free one.

        Raises:
            OSError: the port is taken, or may not be used.
        """
        return await asyncio.start_server(self, None if "" in addresses else list(addresses), port, limit=_LARGEST)


def _response(status: str, body: bytes, headers: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
        f"cache-control: no-store\r\n{headers}connection: close\r\n\r\n"
    )
    return head.encode() + body
