"""The component ``cache.redis``: values and leases in a Redis or Valkey server."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any, Final

from jackfield import Build, CacheStore
from jackfield_redis.failures import StoreFailure, explain, too_slow
from jackfield_redis.settings import RedisSettings
from jackfield_redis.trust import client_context

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from jackfield_redis.pool import Pool

__all__ = ["RedisStore"]

# A key without an end is no lease, whoever wrote it: all leases have one, and this one would keep everybody out.
_LEASE: Final = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('PTTL', KEYS[1]) == -1 or redis.pcall('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0
"""
_RELEASE: Final = """
if redis.pcall('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisStore(CacheStore[RedisSettings]):
    """Keeps replies in a server that other processes and replicas use too.

    A server that can't be reached does not keep the component from starting: each call then fails within ``timeout``,
    and the calls after the server's return succeed. A call is one round trip and is never repeated.
    """

    Settings = RedisSettings
    shared = True

    def __init__(self, build: Build[RedisSettings]) -> None:
        super().__init__(build)
        self.timeout: float = self.settings.timeout
        self.address = self.settings.address
        self._values = f"{self.settings.key_prefix}value:"
        self._leases = f"{self.settings.key_prefix}lease:"
        self._pool: Pool | None = None
        self._client: Redis | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.address}>"

    async def start(self) -> None:
        """Load the client and begin to make a connection; doesn't wait for the server.

        Raises:
            ValueError: certificates can't be used; the text names the setting.
        """
        context = await asyncio.to_thread(self._prepare)
        from redis.asyncio import Redis

        from jackfield_redis.pool import Pool

        self._pool = Pool(
            self.address,
            context=context,
            max_connections=self.settings.max_connections,
            connect_timeout=self.settings.connect_timeout,
        )
        self._client = Redis(connection_pool=self._pool)
        self._pool.dial()

    def _prepare(self) -> ssl.SSLContext | None:
        """Do what takes a while: import the client, read certificates."""
        import jackfield_redis.pool  # noqa: F401  it takes 100 ms that the loop has no time for

        if not self.address.tls:
            return None
        return client_context(
            ca_cert=self.settings.ca_cert,
            client_cert=self.settings.client_cert,
            client_key=self.settings.client_key.get_secret_value(),
        )

    async def close(self) -> None:
        """Close the connections; harmless if there are none, and a second time."""
        pool, self._pool, self._client = self._pool, None, None
        if pool is not None:
            await pool.aclose()

    async def get(self, key: str) -> bytes | None:
        """Return what is kept under a key; see ``CacheStore.get``. A list or hash that stands there is no value.

        Raises:
            StoreSilent: the server did not answer in time, or can't be reached.
            StoreFailure: it answered with an error.
        """
        try:
            value = await self._call("GET", self._values + key)
        except StoreFailure as failure:
            if failure.code != "WRONGTYPE":
                raise
            return None
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep a value; see ``CacheStore.set``. What is there is replaced, of whatever type it is.

        Raises:
            StoreFailure: as for ``get``; a full server is among the errors.
        """
        await self._call("SET", self._values + key, value, "PX", _milliseconds(ttl))

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        """Take or renew a lease; see ``CacheStore.lease``.

        Raises:
            StoreFailure: as for ``get``.
        """
        # EVAL and not EVALSHA: a server that was restarted would answer the latter only at the second try.
        taken = await self._call("EVAL", _LEASE, 1, self._leases + key, holder, _milliseconds(seconds))
        return bool(taken == 1)

    async def release(self, key: str, holder: str) -> None:
        """Give a lease back; see ``CacheStore.release``.

        Raises:
            StoreFailure: as for ``get``.
        """
        await self._call("EVAL", _RELEASE, 1, self._leases + key, holder)

    async def _call(self, *command: str | bytes | int) -> Any:
        from redis.exceptions import RedisError

        if self._client is None:
            raise StoreFailure(f"the component {self.name!r} is not running")
        try:
            async with asyncio.timeout(self.timeout):
                return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise too_slow(self.address, self.timeout) from None
        except (RedisError, OSError) as error:
            raise explain(error, self.address) from None


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
