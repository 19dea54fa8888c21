"""Providers that send more than anybody can want: what is read of a reply is bounded, and so is memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest
from process import Process, serving
from running import component, converse_on

from jackfield.testing import Behaviour, Exchange, chat
from upstream import Upstream

MEBIBYTE = 1 << 20


def packed(piece: bytes, times: int, *, bits: int) -> bytes:
    """Pack a piece, repeated; ``bits`` are zlib's: 31 for gzip, 15 for deflate. The end has no checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    first, again = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (times - 1)


def answering(body: bytes, media: str, encoding: str = "") -> Behaviour:
    """Make what answers every request with a body."""
    headers = {"Content-Type": media} | ({"Content-Encoding": encoding} if encoding else {})

    async def answer(exchange: Exchange) -> None:
        await exchange.send(200, body, headers)

    return answer


def endless(piece: bytes, media: str) -> Behaviour:
    """Make what answers every request with a piece again and again, for as long as somebody reads it."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n\r\n".encode())
        while True:
            await exchange.send_raw(piece)

    return answer


JSON, EVENTS = "application/json", "text/event-stream"
BLANKS = packed(b" " * MEBIBYTE, 1024, bits=31)
COMMENTS = (b": " + b"x" * 61 + b"\n") * (MEBIBYTE // 64)
LINES = packed(COMMENTS, 1024, bits=15)
EVENT = packed(b"data: " + b"x" * MEBIBYTE, 1024, bits=31)
TWICE = packed(packed(b" " * MEBIBYTE, 1024, bits=31), 1, bits=31)
BOMBS = {
    "a gigabyte of blanks in gzip": (answering(BLANKS, JSON, "gzip"), "the provider's reply is larger than 67108864"),
    "a gigabyte of lines in deflate": (answering(LINES, EVENTS, "deflate"), "larger than 67108864 bytes"),
    "an event of a gigabyte": (
        answering(EVENT, EVENTS, "gzip"),
        "event of the provider's stream is larger than 4194304",
    ),
    "a reply without end": (endless(b" " * MEBIBYTE, JSON), "the provider's reply is larger than 67108864 bytes"),
    "an event without end": (endless(b"data: " + b"x" * MEBIBYTE, EVENTS), "larger than 4194304 bytes"),
    "comments without end": (
        endless((b": " + b"x" * 61 + b"\n") * (MEBIBYTE // 64), EVENTS),
        "larger than 67108864 bytes",
    ),
    "packed twice": (answering(TWICE, JSON, "gzip, gzip"), "failed conversing with component llm"),
    "an unknown packing": (answering(BLANKS, JSON, "x-lzma"), "failed conversing with component llm"),
    "a nest": (answering(b"[" * (8 * MEBIBYTE), JSON), "failed conversing with component llm"),
}


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Process]:
    """A host in a process of its own, in front of that provider."""
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "llm.yaml").write_text(component("llm", "conversation.openai", key="k" * 20, endpoint=upstream.endpoint))
    with serving(folder) as process:
        assert converse_on(process.port, "llm", "warm").status == 200
        yield process


@pytest.mark.parametrize("name", BOMBS)
def test_a_reply_is_read_to_a_bound(asking: Process, upstream: Upstream, name: str) -> None:
    """A reply of a gigabyte, packed or not, whole or streamed, is an error that says so and costs bounded memory."""
    behaviour, told = BOMBS[name]
    before = asking.peak_memory()
    upstream.behave(behaviour)
    stream = "event" in name or "lines" in name or "comments" in name
    reply = converse_on(asking.port, "llm", "hello", accept=EVENTS if stream else JSON)
    assert reply.status == 500
    assert told in reply.json["message"]
    assert len(reply.body) < 4096
    # 64 MiB in pieces, and joined.
    assert asking.peak_memory() - before < 200 * MEBIBYTE
    upstream.behave(chat)
    assert converse_on(asking.port, "llm", "on").status == 200
