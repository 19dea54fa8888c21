"""The connections of one component, made for calls that may take 50 ms.

redis-py's own pools make a connection inside the call that wants it. A call whose time is over then throws away what
it began, and where the set-up takes longer than a call may (TLS, another region), no call ever succeeds. Here a
connection is made by a task of its own; a call waits for the first one that is free, its own or another's, and one
that comes too late waits for the next call. A full pool lets calls wait too, in turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import RedisError

if TYPE_CHECKING:
    import ssl

    from jackfield_redis.address import Address

__all__ = ["Pool"]


class _Abrupt(AbstractConnection):
    """A connection that ends at once, without sending what it still holds and without waiting for the other side.

    Otherwise one that was cut because its server hangs would live on, and as many more as there are calls: with its
    unsent value until the server reads again, with TLS for half a minute.
    """

    @property
    def is_lost(self) -> bool:
        """Whether its end has been noticed. After a reset there is nothing to read, so that ``can_read`` is silent."""
        return self._writer is None or self._writer.transport.is_closing()

    async def disconnect(
        self,
        nowait: bool = False,
        error: Exception | None = None,
        failure_count: int | None = None,
        health_check_failed: bool = False,
    ) -> None:
        """Cut the connection; see redis-py."""
        if self._writer is not None:
            self._writer.transport.abort()
        await super().disconnect(nowait, error, failure_count, health_check_failed)


class _TcpConnection(_Abrupt, Connection):
    """A connection by TCP."""


class _UnixConnection(_Abrupt, UnixDomainSocketConnection):
    """A connection by Unix socket."""


class _TlsConnection(_Abrupt, SSLConnection):
    """A connection that takes a context that is there; redis-py's reads the system's certificates for each anew."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context


class Pool(ConnectionPool):
    """Connections to one server.

    Args:
        address: the server, and who one is there.
        context: what TLS is made with, None without TLS.
        max_connections: how many connections there may be, those under way among them.
        connect_timeout: seconds until a connection must be ready for use.
    """

    def __init__(
        self, address: Address, *, context: ssl.SSLContext | None, max_connections: int, connect_timeout: float
    ) -> None:
        options: dict[str, Any] = {
            "db": address.database,
            "username": address.username or None,
            "password": address.password or None,
            # One limit stands around each call and one around each new connection: redis-py's own would cost a
            # quarter of a call's CPU.
            "socket_timeout": None,
            "socket_connect_timeout": None,
            # No round trip is spent on more than user and database.
            "protocol": 2,
            "driver_info": None,
        }
        kind: type[AbstractConnection] = _TcpConnection
        if address.path:
            kind = _UnixConnection
            options["path"] = address.path
        else:
            options.update(host=address.host, port=address.port)
        if context is not None:
            kind = _TlsConnection
            options["context"] = context
        super().__init__(connection_class=kind, max_connections=max_connections, **options)
        self._connect_timeout = connect_timeout
        self._waiters: deque[asyncio.Future[AbstractConnection]] = deque()
        self._dials: set[asyncio.Task[AbstractConnection]] = set()
        self._closed = False

    def dial(self) -> None:
        """Begin to make another connection, unless there are enough; returns at once."""
        count = len(self._available_connections) + len(self._in_use_connections) + len(self._dials)
        if not self._closed and count < self.max_connections:
            task = asyncio.create_task(self._connect())
            self._dials.add(task)
            task.add_done_callback(self._dialled)

    async def get_connection(
        self,
        command_name: Any = None,  # noqa: ARG002  its place is redis-py's
        *keys: Any,  # noqa: ARG002
        **options: Any,  # noqa: ARG002
    ) -> AbstractConnection:
        """Give a connection that is ready for use, as soon as there is one.

        Raises:
            RedisError: the pool is closed, or no connection can be made.
        """
        if self._closed:
            raise NotConnected("the component is closed")
        while self._available_connections:
            connection = self._available_connections.pop()
            self._in_use_connections.add(connection)
            if await _is_fit(connection):
                return connection
            await self._drop(connection)
        connection = await self._wait()
        if not await _is_fit(connection):
            await self._drop(connection)
            raise NotConnected("it ends connections at once; it may have as many clients as it takes (maxclients)")
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back; one that was cut, as after a call that was cancelled, makes place for another."""
        if connection.is_connected and not self._closed:
            self._in_use_connections.discard(connection)
            self._offer(connection)
        else:
            await self._drop(connection)

    async def aclose(self) -> None:
        """Cut all connections, those in use and under way too; doesn't wait for the server."""
        self._closed = True
        self._refuse(NotConnected("the component is closed"))
        for task in self._dials:
            task.cancel()
        await asyncio.gather(*self._dials, return_exceptions=True)
        connections = [*self._available_connections, *self._in_use_connections]
        self._available_connections.clear()
        self._in_use_connections.clear()
        await asyncio.gather(*(each.disconnect() for each in connections), return_exceptions=True)

    async def _wait(self) -> AbstractConnection:
        """Wait in turn for a connection; it counts as in use."""
        waiter: asyncio.Future[AbstractConnection] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if len(self._dials) < len(self._waiters):
            self.dial()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                await self.release(waiter.result())
            raise
        finally:
            with suppress(ValueError):
                self._waiters.remove(waiter)

    async def _connect(self) -> AbstractConnection:
        connection = self.connection_class(**self.connection_kwargs)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await connection.connect()  # type: ignore[no-untyped-call]
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise NotConnected(f"no connection within {self._connect_timeout:g} s") from None
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    def _dialled(self, task: asyncio.Task[AbstractConnection]) -> None:
        """Give a new connection to who has waited longest or keep it for the next call; else tell why there is none."""
        self._dials.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._offer(task.result())
        elif not self._in_use_connections and not self._dials:
            # While calls or other attempts run, their connections may yet serve who waits.
            self._refuse(error)

    def _offer(self, connection: AbstractConnection) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._in_use_connections.add(connection)
                waiter.set_result(connection)
                return
        self._available_connections.append(connection)

    def _refuse(self, error: BaseException) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    async def _drop(self, connection: AbstractConnection) -> None:
        self._in_use_connections.discard(connection)
        await connection.disconnect(nowait=True)
        if self._waiters:
            self.dial()


async def _is_fit(connection: AbstractConnection) -> bool:
    """Whether nothing lies in a connection, neither its end nor a reply that nobody took."""
    if isinstance(connection, _Abrupt) and connection.is_lost:
        return False
    try:
        return connection.is_connected and not await connection.can_read()
    except (RedisError, OSError):
        return False
