"""A server that is down, paused, full or restarted: quick failures, then calls that work."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
import uvloop

from jackfield_redis import RedisStore, StoreFailure
from jackfield_redis.failures import StoreSilent
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]

# How much later than its time limit a call may fail on a busy machine.
SLACK = 0.5


async def _failure(call: Callable[[], object], *, within: float, silent: bool = True) -> str:
    """Return the text of a call's failure, which must come soon, and be a ``StoreSilent`` unless it is an answer."""
    begin = time.monotonic()
    with pytest.raises(StoreFailure) as caught:
        await call()  # type: ignore[misc]
    assert time.monotonic() - begin < within
    assert isinstance(caught.value, StoreSilent) is silent
    return str(caught.value)


async def _until_it_works(store: RedisStore) -> None:
    """Ask until the store answers again."""
    while True:
        try:
            await store.get("k")
        except StoreFailure:
            continue
        return


def _calls(store: RedisStore) -> list[Callable[[], object]]:
    """Each of the four methods."""
    return [
        lambda: store.get("k"),
        lambda: store.set("k", b"v", 60),
        lambda: store.lease("k", "me", 60),
        lambda: store.release("k", "me"),
    ]


def test_down_from_the_beginning(opened: Opened, server: ValkeyServer) -> None:
    """A component starts without its server, fails at once while it is away, and works as soon as it is there."""
    server.kill()

    async def scenario() -> bytes | None:
        async with opened() as store:
            for call in _calls(store):
                assert "connecting to 127.0.0.1" in await _failure(call, within=SLACK)
            server.restart()
            await store.set("k", b"v", 60)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"v"


def test_killed_and_restarted(opened: Opened, server: ValkeyServer) -> None:
    """Connections that a killed server left are replaced; a restarted one has lost its scripts and nobody notices."""

    async def scenario() -> bytes | None:
        async with opened() as store:
            await asyncio.gather(*(store.lease(str(number), "me", 60) for number in range(50)))
            server.kill()
            for call in _calls(store):
                await _failure(call, within=SLACK)
            server.restart()
            assert await store.lease("k", "me", 60)
            await store.set("k", b"v", 60)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"v"


def test_idle_connections_of_a_restart_cost_no_call(opened: Opened, server: ValkeyServer) -> None:
    """A restart between two calls goes unnoticed once the end of the old connections has arrived."""

    async def scenario() -> None:
        async with opened(maxConnections=8) as store:
            await asyncio.gather(*(store.get(str(number)) for number in range(50)))
            server.restart()
            # The ends of the connections lie in their sockets; two rounds of the loop read them.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert await store.get("k") is None

    asyncio.run(scenario())


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_idle_connections_that_were_reset_cost_no_call(opened: Opened, run: Callable[..., bytes | None]) -> None:
    """A connection that something on the way has reset is not used again, whichever event loop runs."""

    async def scenario() -> bytes | None:
        resets: list[asyncio.Event] = []

        async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            reset = asyncio.Event()
            resets.append(reset)
            await reader.readuntil(b"GET\r\n")
            writer.write(b"$1\r\nv\r\n")
            await reset.wait()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

        listener = await asyncio.start_server(answering, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with opened(url=f"redis://127.0.0.1:{port}") as store:
            assert await store.get("k") == b"v"
            before = len(resets)
            for reset in resets:
                reset.set()
            # The reset is written in one round of the loop and read in another.
            for _ in range(5):
                await asyncio.sleep(0.001)
            value = await store.get("k")
            assert len(resets) > before
            for reset in resets:
                reset.set()
        listener.close()
        return value

    assert run(scenario()) == b"v"


def test_paused_and_resumed(opened: Opened, server: ValkeyServer) -> None:
    """While a server hangs, each call fails when its time is over; when it goes on, so do the calls."""

    async def scenario() -> bytes | None:
        async with opened(timeout="50ms") as store:
            await _until_it_works(store)
            server.pause()
            for call in _calls(store):
                text = await _failure(call, within=0.05 + SLACK)
                assert text == f"{server.url}/0 did not answer within 50 ms"
            server.resume()
            await _until_it_works(store)
            await store.set("k", b"v", 60)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"v"


def test_many_calls_while_paused(opened: Opened, server: ValkeyServer) -> None:
    """Hundreds of calls at once fail in the time of one, though there are connections for a few, and all work later."""

    async def scenario() -> list[bytes | None]:
        async with opened(timeout="200ms", maxConnections=4) as store:
            await _until_it_works(store)
            server.pause()
            begin = time.monotonic()
            failures = await asyncio.gather(*(store.get("k") for _ in range(300)), return_exceptions=True)
            assert time.monotonic() - begin < 0.2 + SLACK
            assert {type(failure) for failure in failures} == {StoreSilent}
            server.resume()
            await _until_it_works(store)
            return await asyncio.gather(*(store.get("k") for _ in range(20)))

    assert asyncio.run(scenario()) == [None] * 20


@pytest.mark.filterwarnings("error")
def test_a_large_value_to_a_server_that_hangs(opened: Opened, server: ValkeyServer) -> None:
    """What a hanging server did not take of a value is thrown away with its connection, not kept until it goes on."""

    async def scenario() -> None:
        async with opened(timeout="50ms") as store:
            await _until_it_works(store)
            server.pause()
            await _failure(lambda: store.set("k", b"v" * 20_000_000, 60), within=0.05 + SLACK)
        # A transport that had something left to send would be told of as unclosed now.

    asyncio.run(scenario())
    gc.collect()
    server.resume()
    assert server.keys() == set()


def test_full(opened: Opened, server: ValkeyServer) -> None:
    """A full server still gives what it has; what would add to it fails and says what to do; room is used again."""

    async def scenario() -> bytes | None:
        async with opened() as store:
            await store.set("k", b"v", 60)
            server.fill()
            full = f"{server.url}/0 is full; give it more memory, or an eviction policy such as allkeys-lru"
            assert await _failure(lambda: store.set("k", b"w", 60), within=SLACK, silent=False) == full
            assert await _failure(lambda: store.lease("k", "me", 60), within=SLACK, silent=False) == full
            assert await store.get("k") == b"v"
            server.make_room()
            await store.set("k", b"w", 60)
            return await store.get("k")

    assert asyncio.run(scenario()) == b"w"


def test_a_slow_connection_is_not_begun_again_by_each_call(opened: Opened) -> None:
    """Where a connection takes longer than a call may, it is made all the same, and later calls use it."""
    seen = []

    async def scenario() -> bytes | None:
        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readuntil(b"SELECT\r\n$1\r\n7\r\n"))
            await awake.wait()
            writer.write(b"+OK\r\n")
            ready.set()
            while await reader.read(1000):
                writer.write(b"$1\r\nv\r\n")
            writer.close()

        awake, ready = asyncio.Event(), asyncio.Event()
        listener = await asyncio.start_server(slow, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with opened(url=f"redis://127.0.0.1:{port}/7", timeout="20ms", connectTimeout="10s") as store:
            for _ in range(3):
                assert "did not answer within 20 ms" in await _failure(lambda: store.get("k"), within=SLACK)
            awake.set()
            await ready.wait()
            while True:
                try:
                    value = await store.get("k")
                    break
                except StoreFailure:
                    continue
        listener.close()
        return value

    assert asyncio.run(scenario()) == b"v"
    # The one that start began, and one more for a call that found it busy with another's wait.
    assert len(seen) <= 2


def test_a_connection_that_is_never_made(opened: Opened) -> None:
    """A server that accepts and says nothing is given up after connectTimeout, and the failure says so."""

    async def scenario() -> str:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        listener = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with opened(url=f"redis://127.0.0.1:{port}/7", timeout="10s", connectTimeout="20ms") as store:
            text = await _failure(lambda: store.get("k"), within=SLACK)
        listener.close()
        return text

    assert asyncio.run(scenario()).endswith("/7: no connection within 0.02 s")
