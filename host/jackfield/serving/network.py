"""Where the host listens, and the sockets for it."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jackfield.errors import ConfigurationError

__all__ = ["BACKLOG", "Network", "bind", "check_server", "own_socket_file", "remove_socket_file"]

BACKLOG = 2048
"""Connections that the kernel keeps until they are accepted."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where and how to listen.

    Attributes:
        addresses: IP addresses or host names, all on ``port``.
        port: the TCP port; 0 lets the kernel choose.
        unix_socket: listen on this path instead of TCP.
        unix_folder: services listen on sockets in this folder instead of TCP.
        certificate: a PEM file with the certificate chain; turns TLS on.
        private_key: a PEM file with its key.
        client_ca: a PEM file; clients must show a certificate that it signed.
        server: ``hypercorn`` or ``uvicorn``.
        port_option: the name of the option that set the port, for error texts.
    """

    addresses: tuple[str, ...] = ("127.0.0.1",)
    port: int = 3500
    unix_socket: Path | None = None
    unix_folder: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    client_ca: Path | None = None
    server: str = "hypercorn"
    port_option: str = "--port"

    def describe(self, sockets: list[socket.socket]) -> list[str]:
        """URLs under which bound sockets are reached."""
        scheme = "https" if self.certificate else "http"
        return [_url(scheme, bound) for bound in sockets]


def bind(network: Network) -> list[socket.socket]:
    """Bind and listen, so that a taken port is known before anything else is started.

    Raises:
        ConfigurationError: an address can't be had; the text names it and its option.
    """
    if network.unix_socket is not None:
        return [_bind_unix(network.unix_socket)]
    sockets: list[socket.socket] = []
    port = network.port
    for address in network.addresses:
        bound = _bind_tcp(address, port, network.port_option)
        sockets.append(bound)
        # With port 0 the kernel chooses once; the other addresses get the same port.
        port = bound.getsockname()[1]
    return sockets


@contextmanager
def own_socket_file(network: Network) -> Iterator[None]:
    """Remove the file of a Unix socket that has been bound when the block ends; another host's in its place stays."""
    path = network.unix_socket
    if path is None:
        yield
        return
    bound = path.stat()
    try:
        yield
    finally:
        remove_socket_file(path, bound)


def remove_socket_file(path: Path, bound: os.stat_result) -> None:
    """Remove the file of a Unix socket, unless another host's is in its place by now."""
    with suppress(OSError):  # it, or its folder, is gone already
        if os.path.samestat(bound, path.stat()):
            path.unlink()


def _bind_tcp(address: str, port: int, option: str) -> socket.socket:
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no address"
        raise ConfigurationError(f"can't listen on {address}: {reason}; check --host") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(target)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            cause = f"port {port} on {address} is taken by another program; stop it or choose another with {option}"
        elif error.errno == errno.EACCES:
            cause = f"no permission to listen on port {port}; choose one above 1023 with {option}"
        else:
            cause = f"can't listen on {address} port {port}: {error.strerror}; check --host and {option}"
        raise ConfigurationError(cause) from None
    bound.set_inheritable(True)
    return bound


def _bind_unix(path: Path) -> socket.socket:
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_abandoned(path)
        bound.bind(os.fspath(path))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        # A path that is too long has a text and no number.
        cause = f"can't listen on the Unix socket {path}: {error.strerror or error}; check --unix-socket"
        raise ConfigurationError(cause) from None
    bound.set_inheritable(True)
    return bound


def _remove_abandoned(path: Path) -> None:
    """Remove a socket that nobody listens on any more; one in use, or a file that is no socket, stays."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise OSError(errno.EEXIST, "a file that is no socket is in the way")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, "another program listens there")


def _url(scheme: str, bound: socket.socket) -> str:
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    address, port = bound.getsockname()[:2]
    return f"{scheme}://[{address}]:{port}" if ":" in address else f"{scheme}://{address}:{port}"


def check_server(network: Network) -> None:
    """Make sure that the server can be had, before anything else is started.

    Raises:
        ConfigurationError: it is uvicorn, and that isn't installed.
    """
    if network.server == "uvicorn" and find_spec("uvicorn") is None:
        raise ConfigurationError(
            "--server uvicorn needs uvicorn, which isn't installed; run: pip install 'jackfield[uvicorn]'"
        )
