"""What several tests of this plugin need: a server of their own, and stores that use it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import pytest

from jackfield import Build
from jackfield_redis import RedisSettings, RedisStore
from jackfield_redis.testing import ValkeyServer, needed_server

Opened: TypeAlias = Callable[..., AbstractAsyncContextManager[RedisStore]]

# What a call may take in a test that is not about time; the machine may be busy.
PATIENCE = "10s"


@pytest.fixture(name="servers")
def _servers() -> type[ValkeyServer]:
    """Servers of a configuration that the test gives; where there is none to start the test is skipped."""
    needed_server()
    return ValkeyServer


@pytest.fixture(name="server")
def _server(servers: type[ValkeyServer]) -> Iterator[ValkeyServer]:
    """A server of one test's own."""
    with servers() as server:
        yield server


@pytest.fixture(name="opened")
def _opened(request: pytest.FixtureRequest) -> Opened:
    """Build and start a store, of the test's server by default, and close it at the end."""

    @asynccontextmanager
    async def opened(**settings: Any) -> AsyncGenerator[RedisStore, None]:
        if "url" not in settings:
            settings["url"] = request.getfixturevalue("server").url
        decoded = RedisSettings.model_validate({"timeout": PATIENCE, **settings})
        store = RedisStore(Build(name="replies", type_name="cache.redis", settings=decoded))
        try:
            await store.start()
            yield store
        finally:
            await store.close()

    return opened
