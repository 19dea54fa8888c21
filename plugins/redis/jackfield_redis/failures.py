"""What went wrong at a server, in words that name the server, the cause and the fix.

A server quotes what it was sent in some of its errors ("with args beginning with"), which may be a password or a reply.
So nothing of an error that is not known here is repeated but its code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jackfield import JackfieldError

if TYPE_CHECKING:
    from types import ModuleType

    from jackfield_redis.address import Address

__all__ = ["StoreFailure", "StoreSilent", "explain", "too_slow"]

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


class StoreSilent(StoreFailure, ConnectionError):
    """No call of the store can succeed at the moment: there is no connection, or no answer in time."""


def too_slow(address: Address, seconds: float) -> StoreSilent:
    """Make the failure of a call that took too long."""
    return StoreSilent(f"{address} did not answer within {seconds * 1000:g} ms")


def explain(error: Exception, address: Address) -> StoreFailure:
    """Turn what redis-py raised into a failure that can be shown.

    Args:
        error: a ``redis.RedisError`` or an ``OSError``.
        address: the server.
    """
    from redis import exceptions

    # What is said before the first command, about credentials or a server that still loads, is of these kinds too.
    silent = isinstance(error, exceptions.ConnectionError | exceptions.TimeoutError | OSError)
    failure = StoreSilent if silent else StoreFailure
    if isinstance(error, exceptions.ConnectionError) and isinstance(error.__cause__, exceptions.RedisError):
        error = error.__cause__  # what a Unix socket's server says in the beginning is wrapped
    for kind, text in _known(exceptions, address):
        if isinstance(error, kind):
            return failure(f"{address} {text}")
    text = str(error)
    if "max number of clients" in text:
        return failure(f"{address} has as many clients as it takes; raise its maxclients")
    if isinstance(error, exceptions.ResponseError):
        if "DB index" in text:
            return StoreFailure(f"{address} has no database of that number; check the end of url")
        found = _CODE.match(text)
        code = found[0] if found else "ERR"
        return StoreFailure(f"{address} answered with the error {code}", code=code)
    hint = "; a certificate authority of your own goes into caCert" if "CERTIFICATE_VERIFY" in text else ""
    return failure(f"{address}: {text}{hint}")


def _known(exceptions: ModuleType, address: Address) -> tuple[tuple[type[Exception], str], ...]:
    """Give what is said of each kind of error; the first that fits counts."""
    credentials = "refuses the credentials; check username and password"
    if not address.password:
        credentials = "asks for a password; add an item `name: password`"
    replica = "is a replica that can't be written to; url must name its primary"
    cluster = "is a part of a cluster, which can't be used; url must name a server of its own"
    return (
        (exceptions.AuthenticationError, credentials),
        (exceptions.AuthenticationWrongNumberOfArgsError, "knows no users; give a password without a username"),
        (exceptions.NoPermissionError, "does not let this user do that; grant it what the plugin's page lists"),
        (exceptions.OutOfMemoryError, "is full; give it more memory, or an eviction policy such as allkeys-lru"),
        (exceptions.ReadOnlyError, replica),
        (exceptions.MasterDownError, replica),
        (exceptions.BusyLoadingError, "is still loading its data"),
        (exceptions.AskError, cluster),
        (exceptions.ClusterDownError, cluster),
        (exceptions.InvalidResponse, "does not speak the protocol of Redis; check url"),
    )
