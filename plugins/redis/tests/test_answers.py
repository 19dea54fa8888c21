"""A server that answers, but not as it should: failures in words of our own, without a secret or a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from jackfield_redis import RedisStore, StoreFailure
from jackfield_redis.testing import ValkeyServer

Opened = Callable[..., AbstractAsyncContextManager[RedisStore]]

SECRET = "quite-hidden-0123456789"


async def _failure(call: Awaitable[object]) -> str:
    """Return the text of a call's failure."""
    with pytest.raises(StoreFailure) as caught:
        await call
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "message", "silent"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak the protocol of Redis; check url", False),
        (b"", "Connection closed by server", True),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", "is a part of a cluster", False),
        (b"-READONLY You can't write against a read only replica.\r\n", "is a replica that can't be written to", False),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "is still loading its data", True),
        (b"-ERR unknown command 'GET', with args beginning with: 'hidden'\r\n", "answered with the error ERR", False),
        (b"-NOVEL of hidden things\r\n", "answered with the error NOVEL", False),
        (b"-hidden\r\n", "answered with the error ERR", False),
    ],
)
def test_answers_that_are_none(opened: Opened, answer: bytes, message: str, silent: bool) -> None:
    """A failure is in words of our own and repeats of an answer no more than its code; silence is an ``OSError``."""

    async def scenario() -> StoreFailure:
        async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"GET")
            writer.write(answer)
            writer.close()

        listener = await asyncio.start_server(odd, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with opened(url=f"redis://127.0.0.1:{port}") as store:
            with pytest.raises(StoreFailure) as caught:
                await store.get("k")
        listener.close()
        return caught.value

    failure = asyncio.run(scenario())
    assert message in str(failure)
    assert "hidden" not in str(failure)
    assert isinstance(failure, OSError) is silent


def test_a_server_that_quotes_what_it_was_sent(opened: Opened, servers: type[ValkeyServer]) -> None:
    """A server that does not know a command quotes its arguments; no reply and no password gets out that way."""
    config = ('rename-command SET ""', 'rename-command AUTH ""')

    async def scenario(url: str, password: str) -> str:
        async with opened(url=url, password=password) as store:
            return await _failure(store.set("k", SECRET.encode(), 60))

    with servers(config=config) as server:
        assert asyncio.run(scenario(server.url, "")) == f"{server.url}/0 answered with the error ERR"
        assert SECRET not in asyncio.run(scenario(server.url, SECRET))


def test_a_server_without_room_for_clients(opened: Opened, servers: type[ValkeyServer]) -> None:
    """A server that takes no more clients is told from one that is away, and serves when others have gone."""

    async def scenario(server: ValkeyServer) -> None:
        async with opened(url=server.url, maxConnections=1) as one:
            await one.get("k")
            async with opened(url=server.url, maxConnections=1) as other:
                assert "maxclients" in await _failure(other.get("k"))
                await one.close()
                while True:
                    try:
                        await other.get("k")
                        break
                    except StoreFailure:
                        continue

    with servers(config=("maxclients 2",)) as server:
        # One place is for the control of the server; it is taken for the scenario's whole length.
        import redis

        with redis.Redis(unix_socket_path=server.socket, protocol=2, driver_info=None) as control:
            control.ping()
            asyncio.run(scenario(server))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "asks for a password; add an item `name: password`"),
        ({"password": SECRET}, "refuses the credentials; check username and password"),
        ({"username": "nobody", "password": SECRET}, "refuses the credentials; check username and password"),
        ({"username": "reader", "password": "pw"}, "does not let this user do that"),
    ],
)
@pytest.mark.parametrize("local", [False, True], ids=["tcp", "unix"])
def test_credentials(
    opened: Opened, servers: type[ValkeyServer], settings: dict[str, str], message: str, local: bool
) -> None:
    """Credentials that don't do are told apart, without the password."""

    async def scenario(url: str) -> str:
        async with opened(url=url, **settings) as store:
            return await _failure(store.set("k", b"v", 60))

    with servers(password="right") as server:
        server.command("ACL", "SETUSER", "reader", "on", ">pw", "+get", "~*")
        text = asyncio.run(scenario(f"unix://{server.socket}" if local else server.url))
    assert message in text
    assert SECRET not in text


def test_a_database_that_is_not_there(opened: Opened, server: ValkeyServer) -> None:
    """A database's number that the server does not have is named as what is wrong."""

    async def scenario() -> str:
        async with opened(url=f"{server.url}/4000") as store:
            return await _failure(store.get("k"))

    assert asyncio.run(scenario()).endswith("has no database of that number; check the end of url")
