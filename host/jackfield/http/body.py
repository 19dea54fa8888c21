"""Reading a request's body, bounded in size and in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.types import Receive, Scope

from jackfield.durations import format_go
from jackfield.errors import BodyUnreadable
from jackfield.http.client import ClientWatch
from jackfield.http.replies import CLOSE, Header

__all__ = ["BodyUnfinished", "ClientLeft", "closing", "read_body"]

_DRAIN_AT_MOST = 64 << 20
_DRAIN_SECONDS = 5.0


class ClientLeft(Exception):
    """The client closed its connection before its request was whole; nobody's error."""


class BodyUnfinished(BodyUnreadable):
    """Part of the body may still come, so that nothing after it on the connection can be understood."""


def closing(error: BaseException, scope: Scope) -> Sequence[Header]:
    """Return the header with which the reply to an error ends its connection, where it has to.

    HTTP/2 has no such header: it ends the stream by itself.
    """
    return (CLOSE,) if isinstance(error, BodyUnfinished) and scope["http_version"] < "2" else ()


async def read_body(receive: Receive, watch: ClientWatch, *, announced: int | None, limit: int) -> bytes:
    """Read a body to its end.

    Args:
        receive: ASGI's receive.
        watch: ends the wait for a client that has fallen silent; told how the body comes in.
        announced: the request's ``content-length``, if it has one.
        limit: the largest size in bytes.

    Raises:
        BodyUnreadable: it is larger than ``limit`` (daprd's text: ``stream too large``), or it stalled; the latter, and
            one too large to be taken in, as ``BodyUnfinished``.
        ClientLeft: the connection was closed before its end.
    """
    pieces: list[bytes] = []
    size = 0
    ended = False
    try:
        while size <= limit and (announced is None or announced <= limit):
            if ended:
                watch.body_ended()
                return b"".join(pieces)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            piece = message.get("body", b"")
            size += len(piece)
            pieces.append(piece)
            ended = not message.get("more_body", False)
            if not ended:
                watch.heard()
    except asyncio.CancelledError:
        if not watch.silent:
            raise
        watch.forgive()
        raise BodyUnfinished(
            f"nothing arrived for {format_go(watch.silence)}; {size} bytes had come until then"
        ) from None
    watch.stop()
    kind = BodyUnreadable if ended or await _drain(receive) else BodyUnfinished
    raise kind(f"stream too large: the limit is {limit} bytes (--max-body-size)")


async def _drain(receive: Receive) -> bool:
    """Take in what is still on its way, or closing the connection would reset it before the client reads the answer.

    Returns:
        Whether all of it came.
    """
    drained = 0
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            while drained < _DRAIN_AT_MOST:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return True
                drained += len(message.get("body", b""))
    except TimeoutError:
        pass
    return False
