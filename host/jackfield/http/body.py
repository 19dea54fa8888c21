"""Reading a request's body, bounded in size and in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.types import Receive, Scope

from jackfield.durations import format_go
from jackfield.errors import BodyUnreadable
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


async def read_body(receive: Receive, *, announced: int | None, limit: int, silence: float) -> bytes:
    """Read a body to its end.

    Args:
        receive: ASGI's receive.
        announced: the request's ``content-length``, if it has one.
        limit: the largest size in bytes.
        silence: the longest wait for the next piece, in seconds.

    Raises:
        BodyUnreadable: it is larger than ``limit`` (daprd's text: ``stream too large``), or it stalled; the latter, and
            one too large to be taken in, as ``BodyUnfinished``.
        ClientLeft: the connection was closed before its end.
    """
    pieces: list[bytes] = []
    size = 0
    ended = False
    patience = _Patience(silence)
    try:
        while size <= limit and (announced is None or announced <= limit):
            if ended:
                return b"".join(pieces)
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            piece = message.get("body", b"")
            size += len(piece)
            pieces.append(piece)
            ended = not message.get("more_body", False)
            if len(pieces) > 1:
                patience.renew()
    except asyncio.CancelledError:
        if not patience.lost:
            raise
        patience.forgive()
        raise BodyUnfinished(f"nothing arrived for {format_go(silence)}; {size} bytes had come until then") from None
    finally:
        patience.end()
    kind = BodyUnreadable if ended or await _drain(receive) else BodyUnfinished
    raise kind(f"stream too large: the limit is {limit} bytes (--max-body-size)")


class _Patience:
    """Cancels the task that made it after some seconds of silence.

    ``asyncio.timeout`` does the same and more at five times the cost, and every request comes by here.
    """

    __slots__ = ("_loop", "_seconds", "_task", "_timer", "lost")

    def __init__(self, seconds: float) -> None:
        self.lost = False
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(seconds, self._lose)

    def renew(self) -> None:
        """Begin to wait anew."""
        self._timer.cancel()
        self._timer = self._loop.call_later(self._seconds, self._lose)

    def end(self) -> None:
        """Wait no longer."""
        self._timer.cancel()

    def forgive(self) -> None:
        """Take the cancellation back: it has done its work."""
        if self._task is not None:
            self._task.uncancel()

    def _lose(self) -> None:
        self.lost = True
        if self._task is not None:
            self._task.cancel()


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
