"""Headers that a stage adds to the calls of the request that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from jackfield.testing import Exchange, FakeUpstream
from jackfield.upstream import outgoing_headers
from jackfield.upstream.client import Upstream

OWN = {"Content-Type": "application/json", "X-Own": "mine"}


async def answer(exchange: Exchange) -> None:
    await exchange.send(200, b"{}")


@pytest.mark.parametrize(
    ("added", "seen"),
    [
        (None, ("", "mine")),
        ({}, ("", "mine")),
        ({"traceparent": "00-1-2-01"}, ("00-1-2-01", "mine")),
        ({"traceparent": "00-1-2-01", "x-own": "theirs"}, ("00-1-2-01", "mine")),
    ],
)
def test_added_headers_go_out_with_the_call(added: Mapping[str, str] | None, seen: tuple[str, str]) -> None:
    """What a stage adds is sent, and a header that the component has stays the component's."""

    async def run() -> Mapping[str, str]:
        async with FakeUpstream(answer) as server:
            upstream = Upstream(server.address, OWN)
            token = outgoing_headers.set(added)
            try:
                (await upstream.post(server.address, b"{}")).close()
            finally:
                outgoing_headers.reset(token)
                await upstream.close()
            return server.requests[0].headers

    headers = asyncio.run(run())
    assert (headers.get("traceparent", ""), headers["x-own"]) == seen


def test_two_requests_don_t_see_each_other_s() -> None:
    """Each request's call has its own headers, however the two overlap, and the next call has none."""

    async def run() -> list[str]:
        async with FakeUpstream(answer) as server:
            upstream = Upstream(server.address, OWN)

            async def call(number: int | None) -> None:
                if number is not None:
                    outgoing_headers.set({"x-number": str(number)})
                await asyncio.sleep(0)
                (await upstream.post(server.address, b"{}")).close()

            await asyncio.gather(*(asyncio.create_task(call(number)) for number in range(5)))
            await call(None)
            await upstream.close()
            return [exchange.headers.get("x-number", "none") for exchange in server.requests]

    seen = asyncio.run(run())
    assert sorted(seen[:5]) == ["0", "1", "2", "3", "4"]
    assert seen[5] == "none"
