"""The pool, where the moment matters: who gets a connection that comes free, and who hears that none will come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from redis.exceptions import ConnectionError as NotConnected

from jackfield_redis.address import parse_address
from jackfield_redis.pool import Pool
from jackfield_redis.testing import ValkeyServer


@asynccontextmanager
async def _pool(server: ValkeyServer, size: int) -> AsyncGenerator[Pool, None]:
    """Open a pool of connections to a server; nothing in it may take long."""
    pool = Pool(parse_address(server.url), context=None, max_connections=size, connect_timeout=10)
    try:
        async with asyncio.timeout(10):
            yield pool
    finally:
        await pool.aclose()


def test_served_in_turn(server: ValkeyServer) -> None:
    """Who waits longest gets the connection that comes free."""

    async def scenario() -> list[int]:
        order = []

        async def use(pool: Pool, number: int) -> None:
            connection = await pool.get_connection()
            order.append(number)
            await pool.release(connection)

        async with _pool(server, 1) as pool:
            await asyncio.gather(*(use(pool, number) for number in range(10)))
        return order

    assert asyncio.run(scenario()) == list(range(10))


def test_cancelled_with_a_connection_on_the_way(server: ValkeyServer) -> None:
    """Who is cancelled after a connection was promised, and before it was taken, hands it to the next."""

    async def scenario() -> None:
        async with _pool(server, 1) as pool:
            connection = await pool.get_connection()
            first, second = (asyncio.create_task(pool.get_connection()) for _ in range(2))
            await asyncio.sleep(0)
            await pool.release(connection)
            first.cancel()
            assert await second is connection
            assert first.cancelled()

    asyncio.run(scenario())


def test_cancelled_while_waiting(server: ValkeyServer) -> None:
    """Who is cancelled while nothing is free is passed by."""

    async def scenario() -> None:
        async with _pool(server, 1) as pool:
            connection = await pool.get_connection()
            first, second = (asyncio.create_task(pool.get_connection()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            await pool.release(connection)
            assert await second is connection

    asyncio.run(scenario())


def test_a_connection_that_comes_back_cut(server: ValkeyServer) -> None:
    """In place of a connection that comes back unusable, who waits gets a new one."""

    async def scenario() -> None:
        async with _pool(server, 1) as pool:
            connection = await pool.get_connection()
            waiting = asyncio.create_task(pool.get_connection())
            await asyncio.sleep(0)
            await connection.disconnect(nowait=True)
            await pool.release(connection)
            assert (await waiting).is_connected

    asyncio.run(scenario())


def test_a_stray_reply_is_nobodys(server: ValkeyServer) -> None:
    """A connection that has something left to read is not used again."""

    async def scenario() -> None:
        async with _pool(server, 1) as pool:
            connection = await pool.get_connection()
            await connection.send_command("PING")
            while not await connection.can_read():
                await asyncio.sleep(0)
            await pool.release(connection)
            other = await pool.get_connection()
            assert other is not connection
            assert not await other.can_read()

    asyncio.run(scenario())


def test_all_that_wait_hear_of_a_failure(server: ValkeyServer) -> None:
    """When the last attempt at a connection fails, all that wait are told at once, however few may be tried."""
    server.kill()

    async def scenario() -> list[type]:
        async with _pool(server, 2) as pool:
            ends = await asyncio.gather(*(pool.get_connection() for _ in range(20)), return_exceptions=True)
            return [type(end) for end in ends]

    assert asyncio.run(scenario()) == [NotConnected] * 20


def test_a_failed_attempt_while_others_are_in_use(server: ValkeyServer) -> None:
    """While a connection is in use, who waits is not told of attempts that fail: it gets that one."""

    async def scenario() -> None:
        async with _pool(server, 2) as pool:
            connection = await pool.get_connection()
            # The connection in hand stays; nobody gets in any more.
            pool.connection_kwargs["port"] = 1
            waiting = asyncio.create_task(pool.get_connection())
            failed = asyncio.create_task(asyncio.open_connection("127.0.0.1", 1))
            await asyncio.wait([failed])
            assert isinstance(failed.exception(), OSError)
            for _ in range(20):
                await asyncio.sleep(0)
            assert not waiting.done()
            await pool.release(connection)
            assert await waiting is connection

    asyncio.run(scenario())


def test_a_closed_pool(server: ValkeyServer) -> None:
    """A pool that is closed gives nothing, and what comes back to it is cut."""

    async def scenario() -> bool:
        async with _pool(server, 1) as pool:
            connection = await pool.get_connection()
            waiting = asyncio.create_task(pool.get_connection())
            await asyncio.sleep(0)
            await pool.aclose()
            with pytest.raises(NotConnected, match="is closed"):
                await waiting
            with pytest.raises(NotConnected, match="is closed"):
                await pool.get_connection()
            await pool.release(connection)
            return bool(connection.is_connected)

    assert asyncio.run(scenario()) is False
