"""Reading a request's body, bounded in size and in silence."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

from jackfield.durations import format_go
from jackfield.errors import BodyUnreadable

__all__ = ["ClientLeft", "read_body"]

_DRAIN_AT_MOST = 64 << 20
_DRAIN_SECONDS = 5.0


class ClientLeft(Exception):  # noqa: N818  not an error of anybody's
    """The client closed its connection before its request was whole."""


async def read_body(receive: Receive, *, announced: int | None, limit: int, silence: float) -> bytes:
    """Read a body to its end.

    Args:
        receive: ASGI's receive.
        announced: the request's ``content-length``, if it has one.
        limit: the largest size in bytes.
        silence: the longest wait for the next piece, in seconds.

    Raises:
        BodyUnreadable: it is larger than ``limit`` (daprd's text: ``stream too large``), or it stalled.
        ClientLeft: the connection was closed before its end.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(silence) as clock:
            while True:
                if size > limit or (announced is not None and announced > limit):
                    break
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                piece = message.get("body", b"")
                size += len(piece)
                if not message.get("more_body", False):
                    if size > limit:
                        break
                    if not pieces:
                        return bytes(piece)
                    pieces.append(piece)
                    return b"".join(pieces)
                if piece:
                    pieces.append(piece)
                clock.reschedule(asyncio.get_running_loop().time() + silence)
    except TimeoutError:
        waited = format_go(silence)
        raise BodyUnreadable(f"nothing arrived for {waited}; {size} bytes had come until then") from None
    await _drain(receive)
    raise BodyUnreadable(f"stream too large: the limit is {limit} bytes (--max-body-size)")


async def _drain(receive: Receive) -> None:
    """Take in what is still on its way, or closing the connection would reset it before the client reads the answer."""
    drained = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while drained < _DRAIN_AT_MOST:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
                drained += len(message.get("body", b""))
    except TimeoutError:
        return
