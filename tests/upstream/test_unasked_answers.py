"""Answers that a server sends without being asked: nobody may take them for theirs."""

from __future__ import annotations

import asyncio

import pytest

from jackfield.testing import Exchange, FakeUpstream
from jackfield.upstream.client import Upstream

_HEAD = b"HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("status", [200, 408])
def test_an_answer_that_arrives_between_two_calls_is_nobodys(status: int) -> None:
    """A server's second answer, or its 408 for a connection it gives up, isn't taken for that of the next call."""

    async def talk() -> None:
        unasked = asyncio.Event()

        async def answer(exchange: Exchange) -> None:
            await exchange.send(200, exchange.body)
            if exchange.body["call"] == 1:
                await unasked.wait()
                await exchange.send_raw(_HEAD % (status, 13) + b'{"call": 404}')
                sent.set()

        async with FakeUpstream(answer) as server:
            upstream, sent = Upstream(server.endpoint, {}), asyncio.Event()
            for call in (1, 2):
                reply = await upstream.post(server.endpoint, b'{"call": %d}' % call)
                assert await reply.read(1000) == b'{"call":%d}' % call
                reply.close()
                if call == 1:
                    unasked.set()
                    await asyncio.wait_for(sent.wait(), 10)
                    await asyncio.sleep(0)  # the bytes are in the socket's buffer, and read with the loop's next turn
                    await asyncio.sleep(0)
            assert server.connections == 2
            await upstream.close()

    asyncio.run(talk())
