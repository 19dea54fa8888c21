"""The body of a large request, which a server may stop to take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp.abc import AbstractStreamWriter

__all__ = ["LargeBody"]


class LargeBody(aiohttp.BytesIOPayload):
    """A body that may outgrow the socket's buffer.

    A call that is given up while a server takes none of it closes its connection at once; aiohttp alone would wait
    for the buffer to empty.
    """

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body; what aiohttp before 3.12 calls."""
        with _ended_by_failure(writer):
            await super().write(writer)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the body up to a length."""
        with _ended_by_failure(writer):
            await super().write_with_length(writer, content_length)


@contextmanager
def _ended_by_failure(writer: AbstractStreamWriter) -> Iterator[None]:
    transport = getattr(writer, "transport", None)
    try:
        yield
    except BaseException:
        if transport is not None:
            transport.abort()
        raise
