"""The events of a streamed reply, whatever the API calls them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import msgspec

from jackfield.errors import InvokeError, ProviderError, ProviderUnreachable
from jackfield.upstream.reply import Reply
from jackfield.upstream.sse import EventParser

__all__ = ["LARGEST_REPLY", "cut_off", "read_events"]

LARGEST_REPLY: Final = 64 * 1024 * 1024
"""Bytes of one reply, unpacked, that are read."""


async def read_events(reply: Reply, *, last: bytes = b"") -> AsyncGenerator[bytes, None]:
    """Give the data of each server-sent event; what stands after the last blank line counts if it is whole.

    Args:
        reply: what the server sends.
        last: data that counts as whole although it is no JSON object, such as OpenAI's ``[DONE]``.

    Raises:
        InvokeError: the stream is too large, or its connection broke.
    """
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
    if rest and (rest == last or _is_whole(rest)):
        yield rest


def cut_off(media: str, *, begun: bool) -> InvokeError:
    """Make the error for a stream that ended too early, or that was none.

    Args:
        media: the reply's media type.
        begun: whether anything of the reply has been understood.
    """
    if begun or media == "text/event-stream":
        return ProviderUnreachable("network error: the provider's stream ended before the reply was whole")
    return ProviderError(f"a stream of events was expected, but the provider sent {media[:80] or 'no known type'}")


def _is_whole(data: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(data), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
