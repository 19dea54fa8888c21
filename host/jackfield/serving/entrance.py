"""The way in, and how to close it so that nobody who has come through it is left without an answer.

When a listening socket is closed, the kernel resets the connections that it has made for it and that nobody has taken
yet. Their clients are connected and have sent their requests, which nobody would answer. So the host first has no new
connection made, then takes those that are there, and closes last.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jackfield.serving.network import remove_socket_file

__all__ = ["Entrance", "emptied"]

_HANDSHAKE = 0.05
"""Seconds for handshakes that have begun to end."""
_AT_MOST = 0.25
_TURNS = 0.002
_SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>; Python has no name for it
# A classic BPF program over the TCP header: a packet with ACK or RST passes; what has neither is to make a new
# connection. One whose handshake ends later has the program too, and is to hear that its client is gone.
_WITHOUT_NEW = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x14), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0))


class Entrance:
    """The sockets on which a host listens.

    Args:
        sockets: bound and listening.
    """

    def __init__(self, sockets: Sequence[socket.socket]) -> None:
        self._sockets = tuple(sockets)
        paths = [Path(bound.getsockname()) for bound in sockets if bound.family == socket.AF_UNIX]
        self._files: dict[Path, os.stat_result] = {}
        for path in paths:
            with suppress(FileNotFoundError):  # somebody has taken it away already
                self._files[path] = path.stat()

    def shut(self) -> None:
        """Have no new connection made, for all processes that share the sockets; those that are made can be taken.

        A Unix socket loses its file. On Linux, who asks for a TCP connection from now on hears nothing, asks again
        after a second and is refused, as the socket is closed by then. Elsewhere nothing happens here.
        """
        for path, bound in self._files.items():
            remove_socket_file(path, bound)
        if sys.platform == "linux":
            for each in self._sockets:
                if each.family != socket.AF_UNIX:
                    _drop_new(each)

    def close(self) -> None:
        """Shut it, and close this process's copies: while one is open anywhere, the kernel takes connections for it."""
        self.shut()
        for each in self._sockets:
            each.close()


async def emptied(sockets: Sequence[socket.socket]) -> None:
    """Wait, a quarter of a second at most, until the connections that have been made are taken and known."""
    poll = select.poll()
    for bound in sockets:
        poll.register(bound, select.POLLIN)
    loop = asyncio.get_running_loop()
    end = loop.time() + _AT_MOST
    await asyncio.sleep(_HANDSHAKE)
    while poll.poll(0) and loop.time() < end:
        await asyncio.sleep(_TURNS)  # the server takes some with each turn of the loop
    await asyncio.sleep(_TURNS)


def _drop_new(bound: socket.socket) -> None:
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _WITHOUT_NEW))
    with suppress(OSError):  # a sandbox that knows no filters: who comes at this moment may be reset
        bound.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_WITHOUT_NEW), ctypes.addressof(program))
        )
