"""Sending a reply while it is being written.

Status and headers leave with the first event, so that what fails before it is an error like any other. The next event
is asked for when the last one has been taken: a reader that is slow slows the provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import perf_counter

from starlette.types import Send

from jackfield.errors import InvokeError, RequestError
from jackfield.events import Event, Finish, Result
from jackfield.frontends.dialect import StreamEncoder
from jackfield.http.facts import add_facts
from jackfield.http.replies import Header
from jackfield.messages import Record

__all__ = ["Heartbeat", "StreamedReply"]

_TURN = 0.001
"""Seconds after which a stream that never waits gives the event loop its turn: others are served, and a client that
has left is noticed."""


class StreamedReply:
    """One streamed reply on its way out.

    Args:
        send: ASGI's send.
        headers: those of the reply that are known before its first event.
        record: the facts of the request.
        debug: whether the caller asked for the cache's key and note.
        status: the HTTP status.
        ending: called before the last piece is sent: servers tell of a client that has left, and of a reply that has
            been sent, in the same words.

    Attributes:
        started: whether status and headers have left, so that an error needs another form.
    """

    started = False

    def __init__(
        self,
        send: Send,
        headers: list[Header],
        record: Record,
        *,
        debug: bool,
        status: int,
        ending: Callable[[], None],
    ) -> None:
        self._send = send
        self._headers = headers
        self._record = record
        self._debug = debug
        self._status = status
        self._ending = ending
        self._encoder: StreamEncoder | None = None
        self._silence: Heartbeat | None = None

    def heartbeat(self, seconds: float) -> Heartbeat:
        """Make what breaks this reply's silence when it has lasted for some seconds."""
        self._silence = Heartbeat(self, seconds)
        return self._silence

    async def send(self, events: AsyncGenerator[Event, None], encoder: StreamEncoder) -> None:
        """Send a reply to its end.

        Args:
            events: the chain's; they are closed.
            encoder: writes them.

        Raises:
            RequestError: the chain's, or it ended too early.
        """
        self._encoder = encoder
        encode = encoder.event
        finished = False
        turned = perf_counter()
        async with aclosing(events) as stream:
            async for event in stream:
                kind = type(event)
                if kind is Finish:
                    finished = True
                elif kind is Result:
                    finished = True
                    assert isinstance(event, Result)  # noqa: S101  for the type checker
                    for piece in event.events():
                        await self._write(encode(piece))
                    continue
                await self._write(encode(event))
                now = perf_counter()
                if now - turned > _TURN:
                    await asyncio.sleep(0)
                    turned = perf_counter()
        if not finished:
            raise InvokeError("the component's reply ended before it was finished")
        record = self._record
        record.total_seconds = perf_counter() - record.started
        await self._write(encoder.end(record), last=True)

    async def break_off(self, error: RequestError) -> None:
        """Tell of an error in place of the rest."""
        if self._encoder is not None:
            await self._write(self._encoder.error(error), last=True)

    async def beat(self) -> None:
        """Send what says nothing, if the reply has begun."""
        if self.started and self._encoder is not None and self._encoder.heartbeat:
            await self._send({"type": "http.response.body", "body": self._encoder.heartbeat, "more_body": True})

    async def _write(self, data: bytes, *, last: bool = False) -> None:
        silence = self._silence
        if silence is not None:
            if silence.beating is not None:
                await silence.ended()
            silence.heard(waiting=False)
        if not self.started:
            await self._start()
            # A server sends the headers with the first bytes of the body: an event that is not shown sends some too.
            data = data or (self._encoder.heartbeat if self._encoder is not None else b"")
        if last:
            self._ending()
        if data or last:
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        if silence is not None and not last:
            silence.heard(waiting=True)

    async def _start(self) -> None:
        assert self._encoder is not None  # noqa: S101  for the type checker
        headers = self._headers
        headers += [
            (b"content-type", self._encoder.media_type.encode()),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),  # or nginx would keep the events until it has enough of them
        ]
        add_facts(headers, self._record, debug=self._debug)
        self._record.status = self._status
        self.started = True
        await self._send({"type": "http.response.start", "status": self._status, "headers": headers})


class Heartbeat:
    """Breaks the silence of a reply that has begun. A ``Lookout`` looks at it from time to time.

    Args:
        reply: the reply.
        seconds: the longest silence.

    Attributes:
        beating: the comment that is being sent.
    """

    beating: asyncio.Task[None] | None = None
    _since: float | None = None
    _waiting = False

    def __init__(self, reply: StreamedReply, seconds: float) -> None:
        self._reply = reply
        self._seconds = seconds

    def heard(self, *, waiting: bool) -> None:
        """Begin to count anew: something is being sent, or has been and the next event is waited for."""
        self._waiting = waiting
        self._since = None

    def look(self, now: float) -> None:
        """Send a comment if the silence has lasted too long at a time of the event loop's clock."""
        if not self._waiting or self.beating is not None:
            return
        if self._since is None:
            self._since = now
        elif now - self._since >= self._seconds:
            self._since = now
            self.beating = asyncio.get_running_loop().create_task(self._reply.beat())
            self.beating.add_done_callback(self._done)

    async def ended(self) -> None:
        """Wait until the comment has been sent: two pieces can't be sent at once."""
        if self.beating is not None:
            await asyncio.wait([self.beating])

    def stop(self) -> None:
        """End it."""
        if self.beating is not None:
            self.beating.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self.beating = None
        if not task.cancelled():
            task.exception()  # a client that has left is noticed elsewhere
