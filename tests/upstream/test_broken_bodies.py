"""A body that breaks the rules of HTTP ends the call as a cut connection does, whatever aiohttp makes of it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from jackfield.errors import ProviderError, ProviderUnreachable
from jackfield.testing import Exchange, FakeUpstream
from jackfield.upstream.client import Upstream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("whole", [True, False], ids=["unary", "stream"])
@pytest.mark.parametrize(
    ("head", "rest"),
    [
        pytest.param(b"\r\n3\r\nabc\r\n", b"ZZ\r\nxx\r\n", id="no chunk"),
        pytest.param(b"\r\n3\r\nabc\r\n", b"3\r\nabcdef\r\n", id="chunk too long"),
        pytest.param(b"Content-Encoding: gzip\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", id="no gzip"),
    ],
)
def test_a_malformed_body_ends_the_call(head: bytes, rest: bytes, *, whole: bool) -> None:
    """The caller hears at once that the connection broke, although the server keeps it open."""
    begun = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(HEAD + head)
        await begun.wait()
        await exchange.send_raw(rest)
        await exchange.reader.read()

    async def main() -> None:
        async with FakeUpstream(answer) as server:
            upstream = Upstream(server.endpoint, {})
            try:
                reply = await upstream.post(server.endpoint, b"{}")
                begun.set()
                with pytest.raises(ProviderUnreachable, match="broke before the reply was whole"):
                    async with asyncio.timeout(20):
                        if whole:
                            await reply.read(1000)
                        else:
                            assert [piece async for piece in reply.pieces()] == []
                reply.close()
            finally:
                await upstream.close()

    asyncio.run(main())


def test_a_malformed_explanation_does_not_keep_the_status_back() -> None:
    """A refusal whose text can't be read is told by its status, although the server keeps the connection open."""
    begun = asyncio.Event()

    class Watched(Upstream):
        async def _start_of(self, response: aiohttp.ClientResponse) -> bytes:
            begun.set()
            return await super()._start_of(response)

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(HEAD.replace(b"200 OK", b"503 Status") + b"\r\n3\r\nabc\r\n")
        await begun.wait()
        await exchange.send_raw(b"ZZ\r\nxx\r\n")
        await exchange.reader.read()

    async def main() -> None:
        async with FakeUpstream(answer) as server:
            upstream = Watched(server.endpoint, {})
            try:
                with pytest.raises(ProviderError, match="503"):
                    async with asyncio.timeout(20):
                        await upstream.post(server.endpoint, b"{}")
            finally:
                await upstream.close()

    asyncio.run(main())
