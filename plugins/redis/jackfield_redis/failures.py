"""What went wrong at a server, in words that name the server, the cause and the fix.

A server quotes what it was sent in some of its errors ("with args beginning with"), which may be a password or a reply.
So nothing of an error that is not known here is repeated but its code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jackfield import JackfieldError

if TYPE_CHECKING:
    from jackfield_redis.address import Address

__all__ = ["StoreFailure", "explain", "too_slow"]

_CODE = re.compile(r"[A-Z][A-Z0-9]+\b")


class StoreFailure(JackfieldError):
    """A call of the store failed; the text holds no secret and nothing of keys and values.

    Args:
        text: the server, the cause and the fix.
        code: the server's code for the error, such as ``WRONGTYPE``; empty if it gave none that counts.
    """

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.code = code


def too_slow(address: Address, seconds: float) -> StoreFailure:
    """Make the failure of a call that took too long."""
    return StoreFailure(f"{address} did not answer within {seconds * 1000:g} ms")


def explain(error: Exception, address: Address) -> StoreFailure:
    """Turn what redis-py raised into a failure that can be shown.

    Args:
        error: a ``redis.RedisError`` or an ``OSError``.
        address: the server.
    """
    from redis import exceptions

    if isinstance(error, exceptions.ConnectionError) and isinstance(error.__cause__, exceptions.RedisError):
        error = error.__cause__  # what a Unix socket's server says in the beginning is wrapped
    known: tuple[tuple[type[Exception], str], ...] = (
        (exceptions.AuthenticationError, "refuses the credentials; check username and password"),
        (exceptions.AuthenticationWrongNumberOfArgsError, "knows no users; give a password without a username"),
        (exceptions.NoPermissionError, "does not let this user do that; grant it what the plugin's page lists"),
        (exceptions.OutOfMemoryError, "is full; give it more memory, or an eviction policy such as allkeys-lru"),
        (exceptions.ReadOnlyError, "is a replica that can't be written to; url must name its primary"),
        (exceptions.BusyLoadingError, "is still loading its data"),
        (exceptions.MaxConnectionsError, "has as many clients as it takes; raise its maxclients"),
        (exceptions.InvalidResponse, "does not speak the protocol of Redis; check url"),
    )
    for kind, text in known:
        if isinstance(error, kind):
            return StoreFailure(f"{address} {text}")
    if isinstance(error, exceptions.ResponseError):
        found = _CODE.match(str(error))
        code = found[0] if found else "ERR"
        return StoreFailure(f"{address} {_told(code, str(error))}", code=code)
    hint = (
        "; the certificate of an authority of your own goes into caCert" if "CERTIFICATE_VERIFY" in str(error) else ""
    )
    return StoreFailure(f"{address}: {error}{hint}")


def _told(code: str, text: str) -> str:
    if code == "NOAUTH":
        return "asks for a password; add an item `name: password`"
    if code in {"MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT"}:
        return "is a part of a cluster, which can't be used; url must name a server of its own"
    if "DB index" in text:
        return "has no database of that number; check the end of url"
    if "max number of clients" in text:
        return "has as many clients as it takes; raise its maxclients"
    return f"answered with the error {code}"
