"""uvicorn's connections, with limits on a request's line and headers: by itself it takes any number, for ever.

By itself it also counts trailers as headers, so that a token or a name could come past whoever checks headers. A
request that asks for another protocol, of which there is none, is its connection's last: nothing after it would be
answered.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["BoundedHeads"]

_LARGEST: Final = 64 * 1024
"""Bytes of a request's line and headers that are held until they are whole; the last piece may make them more."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHeads(HttpToolsProtocol):
    """A connection that ends if a request's line and headers are too large, or not whole in the time of an idle one."""

    _waiting = True
    _size = 0
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client has sent."""
        waited = self._waiting
        super().data_received(data)
        if waited and self._waiting:
            self._size += len(data)
            if self._size > _LARGEST:
                self._refuse()

    def on_message_begin(self) -> None:
        """Begin with a head; the one before is whole."""
        super().on_message_begin()
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a body is none, though the parser calls it one."""
        if self._waiting:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Go on with the body."""
        self._end()
        super().on_headers_complete()
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False  # the parser reads nothing after it: neither its body nor another request

    def _begin(self) -> None:
        self._end()
        self._waiting, self._size = True, 0
        self._limit = self.loop.call_later(self.config.timeout_keep_alive, self._late)

    def _end(self) -> None:
        self._waiting = False
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _late(self) -> None:
        if self._replies:  # whoever waits for that has asked in time
            self._limit = self.loop.call_later(self.config.timeout_keep_alive, self._late)
        else:
            self.transport.close()

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        if not self._replies:  # else it would stand in the middle of another reply
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    @property
    def _replies(self) -> bool:
        running: RequestResponseCycle | None = self.cycle
        return running is not None and not running.response_complete
