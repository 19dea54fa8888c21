"""A way to a store that can be made worse: it passes bytes on, or lies, cuts, delays, or leads nowhere."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from typing import Literal, Self, TypeAlias

__all__ = ["StoreRelay", "Way"]

Way: TypeAlias = Literal["open", "rubbish", "reset", "silent", "cut"]
"""Pass everything on; answer with what is no RESP; reset each connection; take and say nothing; cut within a reply."""
_RUBBISH = b"HTTP/1.1 400 Bad Request\r\n\r\n<html>\xff\x00</html>\r\n"
_RESET = struct.pack("ii", 1, 0)
_ROOM = 1 << 16


class StoreRelay:
    """Listens on a port of the kernel's choice and leads to another on 127.0.0.1; use it with ``with``.

    Args:
        port: the store's.

    Attributes:
        port: where to connect to.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._way: Way = "open"
        self._peers: dict[socket.socket, socket.socket] = {}

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close everything."""
        self._wake.close()
        self._thread.join()

    def turn(self, way: Way) -> None:
        """Treat all connections in this way from now on."""
        self._way = way
        if way == "reset":
            self._wake.send(b"r")

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                if ready is self._woken:
                    if not self._woken.recv(_ROOM):
                        self._end()
                        return
                    for each in list(self._peers):
                        self._reset(each)
                elif ready is self._listener:
                    self._accept()
                elif ready in self._peers:
                    self._pass_on(ready)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            store = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        store.settimeout(5)
        client.settimeout(5)
        self._peers |= {client: store, store: client}
        for each in (client, store):
            self._selector.register(each, selectors.EVENT_READ, data=each is client)

    def _pass_on(self, ready: socket.socket) -> None:
        way, from_client = self._way, self._selector.get_key(ready).data
        try:
            data = ready.recv(_ROOM)
            if not data or way == "reset":
                self._reset(ready)
            elif way == "rubbish" and from_client:
                ready.sendall(_RUBBISH)
            elif way == "cut" and not from_client:
                self._peers[ready].sendall(data[: len(data) // 2])
                self._reset(ready)
            elif way != "silent":
                self._peers[ready].sendall(data)
        except OSError:
            self._reset(ready)

    def _reset(self, one: socket.socket) -> None:
        other = self._peers.pop(one, None)
        if other is None:
            return
        del self._peers[other]
        for each in (one, other):
            self._selector.unregister(each)
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            each.close()

    def _end(self) -> None:
        for each in list(self._peers):
            self._reset(each)
        self._selector.close()
        for last in (self._listener, self._woken):
            last.close()
