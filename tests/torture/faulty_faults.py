"""The faults themselves: what an upstream does in place of a right answer, and what the docs say comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from faulty_call import LATE, OK, Act, Call, Ending, Fault, Kind

from jackfield.testing import Fail, hang, reset

__all__ = ["COMMON", "LARGEST", "RIGHT", "refusal"]

NONSENSE = Ending(Kind.NONSENSE)
BROKE = Ending(Kind.BROKE)
_MANY = 80 * 1024 * 1024


def _both(name: str, act: Act, *endings: Ending, silent: bool = False, share: float = 1.0) -> Fault:
    """Make a fault of whole replies and streams alike."""
    return Fault(name, act, frozenset(endings), frozenset(endings), silent, share)


def _whole_only(name: str, act: Act, *endings: Ending, share: float = 1.0) -> Fault:
    """Make a fault of whole replies."""
    return Fault(name, act, whole=frozenset(endings), share=share)


async def _right(call: Call) -> None:
    await call.right()


async def _slow(call: Call) -> None:
    await asyncio.sleep(0.2)
    await call.right()


async def _reset(call: Call) -> None:
    await reset(call.exchange)


async def _closed(call: Call) -> None:
    call.close()


async def _hang(call: Call) -> None:
    await hang(call.exchange)


async def _drip(call: Call) -> None:
    """A right answer, a byte at a time."""
    body = b"".join(call.pieces()) if call.stream else call.whole()
    kind = call.dialect.stream_type if call.stream else "application/json"
    head = f"HTTP/1.1 200 OK\nContent-Type: {kind}\nContent-Length: {len(body)}"
    for byte in head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body:
        call.exchange.writer.write(bytes((byte,)))
        await asyncio.sleep(0)
    await call.exchange.writer.drain()


async def _drip_for_ever(call: Call) -> None:
    """A byte now and then, each too early for a limit on silence, and never an answer."""
    kind, byte = (call.dialect.stream_type, b":") if call.stream else ("application/json", b" ")
    await call.raw(f"HTTP/1.1 200 OK\nContent-Type: {kind}\nContent-Length: 100000")
    while not call.exchange.reader.at_eof():
        await call.exchange.send_raw(byte)
        await asyncio.sleep(0.05)


async def _half_body(call: Call) -> None:
    """Half a body under its whole length, then the end."""
    body = call.whole()
    await call.raw(
        f"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {len(body)}", body[: len(body) // 2]
    )
    call.close()


async def _half_json(call: Call) -> None:
    """Half a JSON text as if it were all."""
    body = call.whole()
    await call.exchange.send(200, body[: len(body) // 2])


async def _length_too_short(call: Call) -> None:
    """More than was announced: what is too much must be nobody's answer."""
    body = call.whole()
    await call.raw(f"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {len(body) // 2}", body)


async def _length_too_long(call: Call) -> None:
    """Less than was announced, and a connection that stays open."""
    body = call.whole()
    await call.raw(f"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {len(body) + 100}", body)
    await hang(call.exchange)


async def _ghost(call: Call) -> None:
    """A second answer that nobody has asked for, in one piece with the right one: it must not be the next request's."""
    ghost = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"GHOST"},"finish_reason":"stop"}]}'
    answers = (call.dialect.stream_type, b"".join(call.pieces())) if call.stream else ("application/json", call.whole())
    sent = b""
    for kind, body in (answers, ("application/json", ghost)):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        sent += head.encode() + body
    await call.exchange.send_raw(sent)


async def _bad_chunks(call: Call) -> None:
    """Chunks whose lengths are no numbers, and a connection that stays open."""
    await call.raw("HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked", b"zz\r\nnot a chunk")
    await hang(call.exchange)


async def _unended_chunks(call: Call) -> None:
    """All of the body, without the chunk that ends it."""
    body = call.whole()
    head = "HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked"
    await call.raw(head, b"%x\r\n%s\r\n" % (len(body), body))
    call.close()


async def _chunked(call: Call) -> None:
    """A right answer in odd chunks."""
    body = call.whole()
    cuts = [body[at : at + 7] for at in range(0, len(body), 7)]
    chunks = b"".join(b"%x;x=1\r\n%s\r\n" % (len(cut), cut) for cut in cuts) + b"0\r\n\r\n"
    await call.raw("HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked", chunks)


async def _until_the_end(call: Call) -> None:
    """A right answer without a length: the connection's end is the body's."""
    await call.raw("HTTP/1.1 200 OK\nContent-Type: application/json", call.whole())
    call.close()


async def _plain_text(call: Call) -> None:
    await call.right({"Content-Type": "text/plain"})


async def _page(call: Call) -> None:
    await call.exchange.send(200, b"<html><title>Welcome</title></html>", {"Content-Type": "text/html"})


async def _no_http(call: Call) -> None:
    await call.exchange.send_raw(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    call.close()


async def _headers_without_end(call: Call) -> None:
    await call.exchange.send_raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n")
    call.close()


async def _packed_rubbish(call: Call) -> None:
    """A body that is said to be packed, and isn't."""
    await call.exchange.send(200, b"no gzip at all, but long enough to look at", {"Content-Encoding": "gzip"})


async def _endless(call: Call) -> None:
    """A body that goes on for as long as somebody reads it."""
    await call.raw(f"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {_MANY}", b"[")
    block = b" " * (1 << 20)
    for _ in range(_MANY >> 20):
        await call.exchange.send_raw(block)


def _shaped(body: bytes) -> Act:
    async def act(call: Call) -> None:
        await call.exchange.send(200, body)

    return act


def refusal(status: int, **headers: str) -> Act:
    """Refuse, in the API's own form, and repeat the key as some servers do."""

    async def act(call: Call) -> None:
        body = call.dialect.failure(Fail(status, f"no, not with {call.key}"))
        await call.exchange.send(status, body, {name.replace("_", "-"): value for name, value in headers.items()})

    return act


def _redirect(status: int) -> Act:
    async def act(call: Call) -> None:
        await call.exchange.send(status, b"", {"Location": "/elsewhere"})

    return act


async def _soon(call: Call) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    await call.exchange.send(429, call.dialect.failure(Fail(429)), {"Retry-After": date})


async def _page_of_a_proxy(call: Call) -> None:
    await call.exchange.send(502, b"<html><title>502 Bad Gateway</title></html>", {"Content-Type": "text/html"})


async def _refusal_without_words(call: Call) -> None:
    """A status whose explanation never comes whole."""
    await call.raw("HTTP/1.1 500 Internal Server Error\nContent-Type: application/json\nContent-Length: 900", b'{"err')
    call.close()


async def _hints_first(call: Call) -> None:
    """An interim answer before the right one (RFC 9110, section 15.2)."""
    await call.raw("HTTP/1.1 103 Early Hints\nLink: </style.css>; rel=preload")
    await call.right()


def _statuses(statuses: Iterable[int]) -> Iterable[Fault]:
    for status in statuses:
        yield _both(str(status), refusal(status), Ending(Kind.STATUS, status), share=0.5)


RIGHT = _both("right", _right, OK)
"""No fault at all."""

LARGEST = _both("a body too large", _endless, NONSENSE, share=0.1)
"""The fault that takes most memory while it lasts."""

COMMON = (
    _both("slow", _slow, OK),
    _both("a byte at a time", _drip, OK, share=0.5),
    _both("an interim answer first", _hints_first, OK),
    _both("a ghost behind it", _ghost, OK),
    _whole_only("odd chunks", _chunked, OK),
    _whole_only("no length", _until_the_end, OK),
    _whole_only("text/plain", _plain_text, OK),
    _both("reset", _reset, BROKE, silent=True, share=2),
    _both("closed", _closed, BROKE, silent=True, share=2),
    _both("hang", _hang, LATE),
    _both("drip without end", _drip_for_ever, LATE, share=0.5),
    _both("half a body", _half_body, BROKE),
    _both("half a JSON", _half_json, NONSENSE),
    _whole_only("a length too short", _length_too_short, NONSENSE),
    _whole_only("a length too long", _length_too_long, LATE, share=0.5),
    _both("bad chunks", _bad_chunks, BROKE, NONSENSE),
    _whole_only("chunks without end", _unended_chunks, BROKE),
    _both("an array", _shaped(b"[]"), NONSENSE),
    _both("an empty object", _shaped(b"{}"), NONSENSE),
    _both("members of the wrong type", _shaped(b'{"choices": 5, "content": 5}'), NONSENSE),
    _both("null", _shaped(b"null"), NONSENSE),
    _both("no UTF-8", _shaped(b'{"choices": "\xff\xfe"}'), NONSENSE),
    _both("too deep", _shaped(b"[" * 50_000), NONSENSE, share=0.5),
    _both("an empty body", _shaped(b""), NONSENSE),
    _both("a page", _page, NONSENSE),
    _both("no HTTP", _no_http, NONSENSE),
    _both("headers too long", _headers_without_end, NONSENSE),
    _both("packed rubbish", _packed_rubbish, BROKE),
    LARGEST,
    *_statuses((400, 401, 403, 404, 408, 409, 422, 500, 501, 502, 503, 504, 529)),
    _both("429", refusal(429), Ending(Kind.STATUS, 429), share=2),
    _both("429, in a second", refusal(429, Retry_After="1"), Ending(Kind.STATUS, 429, retry_after=1)),
    _both("429, in 300 ms", refusal(429, retry_after_ms="300"), Ending(Kind.STATUS, 429, retry_after=0.3)),
    _both("429, in an hour", refusal(429, Retry_After="3600"), Ending(Kind.STATUS, 429, retry_after=3600)),
    _both("429, at a date", _soon, *(Ending(Kind.STATUS, 429, retry_after=wait) for wait in (1, 2)), share=0.5),
    _both("429, who knows when", refusal(429, Retry_After="later"), Ending(Kind.STATUS, 429), share=0.5),
    _both("503, in an hour", refusal(503, Retry_After="3600"), Ending(Kind.STATUS, 503, retry_after=3600), share=0.5),
    _both("a proxy's page", _page_of_a_proxy, Ending(Kind.STATUS, 502)),
    _both("500 without its words", _refusal_without_words, Ending(Kind.STATUS, 500)),
    _both("302", _redirect(302), Ending(Kind.STATUS, 302), share=0.5),
    _both("307", _redirect(307), Ending(Kind.STATUS, 307), share=0.5),
)
"""Faults that streams know as well, and those of whole replies."""
