"""Whatever a server sends back on one connection, for tests of requests that are no good."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

__all__ = ["Answered", "answers"]


@dataclass(frozen=True)
class Answered:
    """What came back.

    Attributes:
        statuses: of each reply, in order.
        bodies: of each reply, in order.
        received: all bytes.
        closed: whether the server ended the connection by itself.
    """

    statuses: list[int]
    bodies: list[bytes]
    received: bytes
    closed: bool


class _Received(io.BytesIO):
    """Bytes that ``HTTPResponse`` takes for a socket, and leaves open."""

    def makefile(self, *_: object) -> _Received:
        return self

    def close(self) -> None:
        """Stay open for the next reply."""


def answers(connection: socket.socket, data: bytes, *, end: bytes = b"", patience: float = 20.0) -> Answered:
    """Send bytes and read until the server closes, or until a reply has come that ends with ``end``.

    Args:
        connection: used up afterwards.
        data: what to send; a server that has closed need not take all of it.
        end: the last bytes of the last reply, where the connection stays open.
        patience: seconds of silence that fail the test.
    """
    connection.settimeout(patience)
    received, closed = b"", False
    with suppress(ConnectionError):
        connection.sendall(data)
    with suppress(ConnectionError):
        while not (end and received.endswith(end)):
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    closed = not (end and received.endswith(end))
    statuses, bodies = [], []
    source = _Received(received)
    while source.tell() < len(received):
        response = HTTPResponse(cast("Any", source), method="POST")
        try:
            response.begin()
            statuses.append(response.status)
            bodies.append(response.read())
        except HTTPException:
            break  # no reply, or one to HEAD, which has a length and no body
    return Answered(statuses, bodies, received, closed)
