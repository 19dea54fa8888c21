"""Faults of streams: cut anywhere, with and without an end, and events that are none."""

from __future__ import annotations

from faulty_call import LATE_BEGUN, OK, Act, Call, Ending, Fault, Kind

from jackfield.testing import ChatCompletions, event_stream, hang, named_events

__all__ = ["STREAMED"]

_BROKE = Ending(Kind.BROKE)
_BROKE_BEGUN = Ending(Kind.BROKE, begun=True)
_NONSENSE = Ending(Kind.NONSENSE)
_NONSENSE_BEGUN = Ending(Kind.NONSENSE, begun=True)


def _fault(name: str, act: Act, *endings: Ending, share: float = 1.0) -> Fault:
    return Fault(name, act, streamed=frozenset(endings), share=share)


def _error(call: Call) -> bytes:
    """An error within a stream, as the API writes it; it repeats the key."""
    said = f"no more, not with {call.key}"
    if isinstance(call.dialect, ChatCompletions):
        return event_stream([{"error": {"message": said, "code": 503}}], done=False)[0]
    return named_events([{"type": "error", "error": {"type": "overloaded_error", "message": said}}])[0]


def _of_api(chat: int, messages: int, *, begun: bool) -> tuple[Ending, Ending]:
    """The statuses that the two APIs' errors stand for."""
    return Ending(Kind.STATUS, chat, begun=begun), Ending(Kind.STATUS, messages, begun=begun)


async def _cut(call: Call) -> None:
    """Half a stream, and the connection's end in the middle of the body."""
    await call.begin(call.half())
    call.close()


async def _short(call: Call) -> None:
    """Half a stream, ended as if that were all."""
    await call.exchange.send_events(call.half(), content_type=call.dialect.stream_type)


async def _no_done(call: Call) -> None:
    """All but the last event, ended in order."""
    await call.exchange.send_events(call.pieces()[:-1], content_type=call.dialect.stream_type)


async def _cut_before_done(call: Call) -> None:
    """All but the last event, and the connection's end in the middle of the body."""
    await call.begin(call.pieces()[:-1])
    call.close()


async def _nothing_begun(call: Call) -> None:
    """The first event, which says nothing yet."""
    await call.exchange.send_events(call.pieces()[:1], content_type=call.dialect.stream_type)


async def _cut_in_character(call: Call) -> None:
    """A cut between the bytes of a character."""
    stream = b"".join(call.pieces())
    await call.begin([stream[: stream.index("ü".encode()) + 1]])
    call.close()


async def _cut_in_event(call: Call) -> None:
    """A cut within an event, ended as if that were all."""
    stream = b"".join(call.half())
    await call.exchange.send_events([stream[:-9]], content_type=call.dialect.stream_type)


async def _odd_pieces(call: Call) -> None:
    """A right stream in pieces of 3 bytes, so that events and characters are cut, with comments between the events."""
    stream = b": a comment\n\n".join(call.pieces())
    pieces = [stream[at : at + 3] for at in range(0, len(stream), 3)]
    await call.exchange.send_events(pieces, content_type=call.dialect.stream_type)


async def _crlf(call: Call) -> None:
    pieces = [piece.replace(b"\n", b"\r\n") for piece in call.pieces()]
    await call.exchange.send_events(pieces, content_type=call.dialect.stream_type)


async def _in_one(call: Call) -> None:
    """A whole reply where a stream was asked for."""
    await call.exchange.send(200, call.whole())


async def _other_type(call: Call) -> None:
    await call.exchange.send_events(call.pieces(), content_type="text/plain")


async def _error_first(call: Call) -> None:
    await call.exchange.send_events([_error(call)], content_type=call.dialect.stream_type)


async def _error_within(call: Call) -> None:
    await call.exchange.send_events([*call.half(), _error(call)], content_type=call.dialect.stream_type)


async def _rubbish_within(call: Call) -> None:
    await call.exchange.send_events([*call.half(), b'data: {"choi\n\n'], content_type=call.dialect.stream_type)


async def _hang_within(call: Call) -> None:
    await call.begin(call.half())
    await hang(call.exchange)


async def _empty(call: Call) -> None:
    await call.exchange.send_events([], content_type=call.dialect.stream_type)


async def _large_event(call: Call) -> None:
    """An event of more bytes than are held in memory."""
    await call.begin([b"data: "])
    block = b"x" * (1 << 19)
    for _ in range(10):
        await call.exchange.send_raw(b"%x\r\n%s\r\n" % (len(block), block))


STREAMED = (
    _fault("cut", _cut, _BROKE, _BROKE_BEGUN, share=2),
    _fault("short", _short, _BROKE_BEGUN, share=2),
    _fault("without its last event", _no_done, OK),
    _fault("cut before its last event", _cut_before_done, _BROKE, _BROKE_BEGUN),
    _fault("over before it says anything", _nothing_begun, _BROKE),
    _fault("cut within a character", _cut_in_character, _BROKE, _BROKE_BEGUN),
    _fault("cut within an event", _cut_in_event, _BROKE_BEGUN),
    _fault("odd pieces", _odd_pieces, OK),
    _fault("lines that end in CR and LF", _crlf, OK),
    _fault("a whole reply", _in_one, OK),
    _fault("events as text/plain", _other_type, OK),
    _fault("an error first", _error_first, *_of_api(503, 529, begun=False)),
    _fault("an error within", _error_within, *_of_api(503, 529, begun=True), share=2),
    _fault("rubbish within", _rubbish_within, _NONSENSE_BEGUN),
    _fault("a hang within", _hang_within, LATE_BEGUN),
    _fault("no event", _empty, _BROKE),
    _fault("an event too large", _large_event, _NONSENSE, share=0.3),
)
"""Faults of streams alone."""
