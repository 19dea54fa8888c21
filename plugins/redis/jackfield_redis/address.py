"""Where a server is, taken out of a ``redis://``, ``rediss://`` or ``unix://`` address.

redis-py reads such addresses too, but takes any of its own options from the part after ``?``, and its errors may quote
the password. Here everything but the database is a setting, and no text of the address is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Address", "parse_address"]

_FORMS = "redis://host:6379/0, rediss://host:6379/0 or unix:///run/redis.sock?db=0"
_HIGHEST_DATABASE = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server, and who one is there.

    Attributes:
        host: the server's name or number; empty for a Unix socket.
        port: its TCP port.
        path: the Unix socket's path; empty for TCP.
        tls: whether the connection is encrypted.
        database: the database's number.
        username: the user; empty for the server's default user.
        password: the password; empty for none.
    """

    host: str = ""
    port: int = 6379
    path: str = ""
    tls: bool = False
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """The address without user and password, as it may be shown."""
        if self.path:
            return f"unix://{self.path}?db={self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}/{self.database}"


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        ValueError: it is of another form; the text repeats nothing of it.
    """
    try:
        parts = urlsplit(text.strip())
        port = 6379 if parts.port is None else parts.port
    except ValueError:
        raise ValueError(
            f"must be of the form {_FORMS}; write %23 for #, %2F for / and %3F for ? in a password"
        ) from None
    local = parts.scheme == "unix"
    if parts.scheme not in {"redis", "rediss", "unix"} or parts.fragment or port == 0:
        raise ValueError(f"must be of the form {_FORMS}; write %23 for #, %2F for / and %3F for ? in a password")
    if local and (not parts.path.startswith("/") or parts.path == "/" or parts.netloc.rpartition("@")[2]):
        raise ValueError("must name a Unix socket by its whole path, with three slashes: unix:///run/redis.sock")
    if not local and not parts.hostname:
        raise ValueError(f"names no host; write it as {_FORMS}")
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name != "db" for name, _ in query) or len(query) > 1:
        raise ValueError("may have nothing but db=NUMBER after the ?; everything else is a setting of its own")
    path = "" if local else parts.path.strip("/")
    if path and query:
        raise ValueError("names the database twice, after the / and after the ?; leave one out")
    return Address(
        host=unquote(parts.hostname or ""),
        port=port,
        path=unquote(parts.path) if local else "",
        tls=parts.scheme == "rediss",
        database=_database(query[0][1] if query else path),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def _database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) > _HIGHEST_DATABASE:
        raise ValueError("must name the database by its number, such as redis://host:6379/0")
    return int(text)
