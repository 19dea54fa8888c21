"""Where the server listens, and what is told when it can't."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

import grpc

from jackfield.frontends import HostView, Listening, ServiceFailed

__all__ = ["DEFAULT_PORT", "bind"]

DEFAULT_PORT = 50001
_OPTION = "--dapr-grpc-port"


def bind(server: grpc.aio.Server, host: HostView) -> list[str]:
    """Listen on every address that the operator wants; returns them, for people to read.

    Raises:
        ServiceFailed: one can't be had. A default port that is taken is no reason not to be ready.
    """
    listening = host.listening
    credentials = _credentials(listening)
    if listening.unix_folder is not None:
        path = listening.unix_folder / f"dapr-{host.app_id}-grpc.socket"
        _probe_unix(path)
        _add(server, f"unix:{path}", credentials)
        return [f"unix:{path}"]
    given = host.option("dapr-grpc-port")
    port = DEFAULT_PORT if given is None else int(given)
    bound: list[str] = []
    for address in listening.addresses:
        name = f"[{address}]" if ":" in address else address or "[::]"
        _probe_tcp(address, port, needed=given is not None)
        # With port 0 the kernel chooses once; the other addresses get the same port.
        port = _add(server, f"{name}:{port}", credentials)
        bound.append(f"{name}:{port}")
    return bound


def _add(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError:
        raise ServiceFailed(f"can't listen on {address}; check --host and {_OPTION}") from None


def _probe_tcp(address: str, port: int, *, needed: bool) -> None:
    """Find out why a port can't be had: grpcio says no more than that it can't."""
    try:
        found: Iterable[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]] = (
            socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        )
        for family, kind, protocol, _, target in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(target)
    except socket.gaierror as error:
        raise ServiceFailed(f"can't listen on {address}: {error.strerror}; check --host") from None
    except OSError as error:
        where = f"port {port} on {address or 'all interfaces'}"
        if error.errno == errno.EADDRINUSE:
            cause = f"{where} is taken by another program; stop it or choose another with {_OPTION}"
        elif error.errno == errno.EACCES:
            cause = f"no permission for {where}; choose one above 1023 with {_OPTION}"
        else:
            cause = f"can't listen on {where}: {error.strerror}; check --host and {_OPTION}"
        raise ServiceFailed(cause, needed=needed) from None


def _probe_unix(path: Path) -> None:
    """Refuse a path that another program listens on, or that is no socket: grpcio would just take it."""
    if not path.parent.is_dir():
        raise ServiceFailed(f"can't listen on the Unix socket {path}: no such folder; check --unix-domain-socket")
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ServiceFailed(f"can't listen on {path}: a file that is no socket is in the way; remove it")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(os.fspath(path)) == 0:
            raise ServiceFailed(f"can't listen on {path}: another program listens there; stop it, or give an --app-id")


def _credentials(listening: Listening) -> grpc.ServerCredentials | None:
    if listening.certificate is None:
        return None
    chain = listening.certificate.read_bytes()
    key = chain if listening.private_key is None else listening.private_key.read_bytes()
    ca = None if listening.client_ca is None else listening.client_ca.read_bytes()
    return grpc.ssl_server_credentials([(key, chain)], ca, require_client_auth=ca is not None)
