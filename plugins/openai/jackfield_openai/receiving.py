"""Reading a reply: whole, or as it is written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import msgspec

from jackfield import Event, FinishReason, InvokeError, ProviderError, ProviderUnreachable, Result
from jackfield_openai.replies import decode_chunk, decode_reply, result
from jackfield_openai.sse import EventParser
from jackfield_openai.streams import StreamReader

if TYPE_CHECKING:
    from jackfield_openai.upstream import Reply

__all__ = ["LARGEST_REPLY", "read_result", "read_stream"]

LARGEST_REPLY: Final = 64 * 1024 * 1024
"""Bytes of one reply, unpacked, that are read."""

_DONE: Final = b"[DONE]"


async def read_result(reply: Reply, *, model: str, reasons: Mapping[str, FinishReason]) -> Result:
    """Read a whole reply.

    Args:
        reply: what the server sends.
        model: what was asked, for servers that don't say what answered.
        reasons: the meanings of the server's finish reasons.

    Raises:
        InvokeError: the reply is none, or did not arrive whole.
    """
    return result(decode_reply(await reply.read(LARGEST_REPLY)), model=model, reasons=reasons)


async def read_stream(reply: Reply, *, model: str, reasons: Mapping[str, FinishReason]) -> AsyncGenerator[Event, None]:
    """Read a reply as it is written; arguments and errors are those of ``read_result``.

    A server that answers in one piece although a stream was asked for is understood too.
    """
    media = reply.content_type
    if media in {"application/json", "text/html"}:
        result = await read_result(reply, model=model, reasons=reasons)
        for event in result.events():
            yield event
        return
    reader = StreamReader(model=model, reasons=reasons)
    async with aclosing(_items(reply)) as items:
        async for data in items:
            if data == _DONE:
                break
            for event in reader.read(decode_chunk(data)):
                yield event
        else:
            if not reader.complete:
                raise _cut(reader, media)
    for event in reader.finish():
        yield event
    await reply.skip_tail()


async def _items(reply: Reply) -> AsyncGenerator[bytes, None]:
    """Give the data of each event; what stands after the last blank line counts if it is whole."""
    parser = EventParser()
    size = 0
    async with aclosing(reply.pieces()) as pieces:
        async for piece in pieces:
            size += len(piece)
            if size > LARGEST_REPLY:
                raise ProviderError(f"the provider's stream is larger than {LARGEST_REPLY} bytes")
            for data in parser.feed(piece):
                yield data
    rest = parser.rest()
    if rest == _DONE or _is_whole(rest):
        yield rest


def _is_whole(data: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(data), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _cut(reader: StreamReader, media: str) -> InvokeError:
    if reader.started or media == "text/event-stream":
        return ProviderUnreachable("network error: the provider's stream ended before the reply was whole")
    return ProviderError(f"a stream of events was expected, but the provider sent {media[:80] or 'no known type'}")
