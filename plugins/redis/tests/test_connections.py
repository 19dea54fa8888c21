"""Ways to a server, how many connections there are, and how they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield_redis import RedisStore
from jackfield_redis.failures import StoreSilent
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]

PASSWORD = "p@ss/w#rd"
QUOTED = "p%40ss%2Fw%23rd"


def _clients(server: ValkeyServer) -> int:
    """How many clients a server has, the asking one apart."""
    count: int = server.command("INFO", "clients")["connected_clients"]
    return count - 1


@pytest.mark.parametrize(
    ("url", "settings"),
    [
        ("redis://127.0.0.1:{port}", {}),
        ("redis://:{quoted}@127.0.0.1:{port}", {}),
        ("redis://127.0.0.1:{port}/3", {"password": PASSWORD}),
        ("redis://writer:{quoted}@127.0.0.1:{port}?db=3", {}),
        ("redis://127.0.0.1:{port}", {"username": "writer", "password": PASSWORD}),
        ("redis://writer@127.0.0.1:{port}", {"password": PASSWORD}),
        ("unix://{socket}", {"password": PASSWORD}),
        ("unix://writer:{quoted}@{socket}?db=3", {}),
    ],
)
def test_ways_in(opened: Opened, servers: type[ValkeyServer], url: str, settings: dict[str, str]) -> None:
    """A server is reached by TCP and by Unix socket, with the credentials from either place, in the database named."""

    async def scenario(url: str) -> bytes | None:
        async with opened(url=url, **settings) as store:
            await store.set("k", b"v", 60)
            assert await store.lease("k", "me", 60)
            assert await store.lease("k", "me", 60)
            await store.release("k", "me")
            return await store.get("k")

    with servers(password=PASSWORD if settings or "{quoted}" in url else "") as server:
        # What the plugin's page says that a user needs.
        server.command(
            "ACL", "SETUSER", "writer", "on", f">{PASSWORD}", "~jackfield:*",
            "+get", "+set", "+eval", "+del", "+pttl", "+select",
        )  # fmt: skip
        there = url.format(port=server.port, socket=server.socket, quoted=QUOTED)
        assert asyncio.run(scenario(there)) == b"v"
        databases = server.command("INFO", "keyspace")
        assert set(databases) == {"db3" if "3" in url.partition("}")[2].rpartition("}")[2] else "db0"}


def test_connections_are_bounded(opened: Opened, server: ValkeyServer) -> None:
    """Hundreds of calls at once share as many connections as the manifest allows, and none fails for it."""

    async def scenario() -> int:
        async with opened(maxConnections=4) as store:
            for number in range(50):
                await store.set(str(number), str(number).encode(), 60)
            got = await asyncio.gather(*(store.get(str(number % 50)) for number in range(400)))
            assert got == [str(number % 50).encode() for number in range(400)]
            return _clients(server)

    assert 2 <= asyncio.run(scenario()) <= 4


def test_one_call_after_the_other_needs_one_connection(opened: Opened, server: ValkeyServer) -> None:
    """A connection is used again, not made for each call."""

    async def scenario() -> int:
        async with opened() as store:
            for _ in range(100):
                await store.get("k")
            return _clients(server)

    assert asyncio.run(scenario()) == 1


def test_close_ends_connections(opened: Opened, server: ValkeyServer) -> None:
    """After a close the server has lost its client, and a second close does nothing."""

    async def scenario() -> None:
        async with opened() as store:
            await asyncio.gather(*(store.get("k") for _ in range(50)))
            assert _clients(server) > 0
            await store.close()
            await store.close()

    asyncio.run(scenario())
    while _clients(server):
        pass


def test_close_with_the_server_away(opened: Opened, server: ValkeyServer) -> None:
    """A close ends with the server down, whether it was ever there or not."""

    async def scenario() -> None:
        async with opened() as store, opened() as other:
            await store.get("k")
            server.kill()
            await store.close()
            await other.close()

    asyncio.run(scenario())


def test_close_while_the_server_hangs(opened: Opened, servers: type[ValkeyServer]) -> None:
    """A close doesn't wait for a server that does nothing; calls that wait for it fail at once."""

    async def scenario(server: ValkeyServer) -> list[object]:
        # A password makes the connections under way hang too.
        async with opened(url=server.url, password=PASSWORD, maxConnections=2) as store:
            await store.get("k")
            server.pause()
            calls = [asyncio.create_task(store.get("k")) for _ in range(5)]
            for _ in range(20):
                await asyncio.sleep(0)
            begin = time.monotonic()
            await store.close()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - begin < 2
            return [type(end) for end in ends]

    with servers(password=PASSWORD) as server:
        assert asyncio.run(scenario(server)) == [StoreSilent] * 5


def test_close_without_start(server: ValkeyServer, opened: Opened) -> None:
    """A store that was closed can be closed again before anything else."""

    async def scenario() -> None:
        async with opened() as store:
            await store.close()
            await store.start()
            assert await store.get("k") is None

    asyncio.run(scenario())
