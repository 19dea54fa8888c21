"""Addresses at which nobody answers, and a guard that keeps a test on this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

__all__ = ["closed_port", "only_this_machine"]


@contextmanager
def closed_port() -> Generator[str, None, None]:
    """Give an address of this machine at which connections are refused, as long as the context lasts."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def only_this_machine() -> Generator[list[str], None, None]:
    """Refuse every connection that leaves this machine, in all threads, and every look-up of a name.

    Yields:
        What was refused so far: a library may swallow the error.
    """
    refused: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guard(host: object) -> None:
        if not _is_local(host):
            refused.append(str(host))
            raise PermissionError(f"a test of the conformance kit must not leave this machine, and asked for {host!r}")

    def checked_connect(self: socket.socket, address: Any) -> None:
        guard(address[0] if isinstance(address, tuple) else address)
        return connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        guard(address[0] if isinstance(address, tuple) else address)
        return connect_ex(self, address)

    def checked_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        guard(host)
        return getaddrinfo(host, *args, **kwargs)

    with (
        patch.object(socket.socket, "connect", checked_connect),
        patch.object(socket.socket, "connect_ex", checked_connect_ex),
        patch.object(socket, "getaddrinfo", checked_getaddrinfo),
    ):
        yield refused


def _is_local(host: object) -> bool:
    if host is None or host in {"", "localhost", b"localhost"}:
        return True
    text = host.decode("latin-1") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False
