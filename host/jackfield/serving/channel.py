"""The channel between the parent and a worker: frames over a socket pair, each behind its length.

Nobody waits for anybody: what can't be written yet is kept, and what is superseded before it could be written is left
out by the sender, who asks ``congested``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import Generic, TypeVar, cast

import msgspec

from jackfield.serving.frames import FromParent, FromWorker, encode

__all__ = ["Channel", "read_frame"]

T = TypeVar("T")
_log = logging.getLogger("jackfield.serving")
_LENGTH = struct.Struct(">Q")


class Channel(asyncio.Protocol, Generic[T]):
    """One end of a channel, on an event loop.

    Args:
        decode: decodes what comes in.
        received: called with each frame.
        relieved: called when ``congested`` turns false.

    Attributes:
        lost: set once the other end is gone, or this one is closed and all is written.
        congested: true while the other end doesn't keep up.
    """

    def __init__(
        self, decode: Callable[[bytes], T], received: Callable[[T], None], relieved: Callable[[], None] = lambda: None
    ) -> None:
        self.lost = asyncio.Event()
        self.congested = False
        self._decode = decode
        self._received = received
        self._relieved = relieved
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    async def open(self, link: socket.socket) -> None:
        """Begin to read and write; the socket belongs to the channel from now on."""
        link.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=link)

    def send(self, frame: FromWorker | FromParent) -> None:
        """Send a frame; it is dropped if the other end is gone."""
        self.write(encode(frame))

    def write(self, data: bytes) -> None:
        """Send an encoded frame, as one that goes to many is encoded once."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_LENGTH.pack(len(data)) + data)

    def close(self) -> None:
        """Write what is left to write, and close."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close, and drop what is left to write."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            frame = bytes(memoryview(self._buffer)[_LENGTH.size : end])
            del self._buffer[:end]
            try:
                decoded = self._decode(frame)
            except msgspec.MsgspecError as error:
                # The text is left out: it may quote what the frame holds.
                _log.error("the other process sent what can't be read", extra={"error": type(error).__name__})
                self.abort()
                return
            self._received(decoded)

    def connection_lost(self, _: Exception | None) -> None:
        """Called by the event loop."""
        self.lost.set()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self.congested = True

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self.congested = False
        self._relieved()


def read_frame(link: socket.socket) -> bytes | None:
    """Read one frame from a blocking socket, before there is an event loop; None if the other end is gone."""
    length = _read(link, _LENGTH.size)
    return None if length is None else _read(link, _LENGTH.unpack(length)[0])


def _read(link: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = link.recv(min(size - len(data), 1 << 20))
        if not piece:
            return None
        data += piece
    return bytes(data)
