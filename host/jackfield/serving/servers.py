"""The two servers that can carry the application. Both end when ``stop`` is set, after the host has drained."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Iterator
from typing import Any, cast

from starlette.types import ASGIApp

from jackfield.errors import ConfigurationError
from jackfield.serving.network import BACKLOG, Network

__all__ = ["serve"]

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than pooled clients keep theirs, so that they close first."""
_UNLIMITED = 1 << 62
_AFTER_DRAIN = 2.0


async def serve(
    app: ASGIApp, sockets: list[socket.socket], network: Network, stop: asyncio.Event, *, drain: float
) -> None:
    """Serve an application on bound sockets until ``stop`` is set.

    From then on new connections are refused, idle ones closed, and running replies left to the host's own drain.

    Args:
        app: the application.
        sockets: bound and listening; they are closed at the end.
        network: the server to use and its TLS files.
        stop: ends serving.
        drain: seconds that the host gives running replies.
    """
    await (_uvicorn if network.server == "uvicorn" else _hypercorn)(app, sockets, network, stop, drain + _AFTER_DRAIN)


async def _hypercorn(
    app: ASGIApp, sockets: list[socket.socket], network: Network, stop: asyncio.Event, budget: float
) -> None:
    from hypercorn.config import Config

    from jackfield.serving.connections import serve as serve_connections

    # hypercorn keeps misspelt settings in silence, so they are set one by one under a type checker's eyes.
    config = Config()
    config.bind = [f"fd://{bound.detach()}" for bound in sockets]
    config.backlog = BACKLOG  # hypercorn listens again, on the sockets that listen already
    config.accesslog = None
    config.errorlog = _server_log()
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE
    config.keep_alive_max_requests = _UNLIMITED
    config.graceful_timeout = budget
    config.startup_timeout = 3600
    if network.certificate is not None:
        config.certfile = str(network.certificate)
        config.keyfile = str(network.private_key) if network.private_key else None
        if network.client_ca is not None:
            config.ca_certs = str(network.client_ca)
            config.verify_mode = ssl.CERT_REQUIRED
    await serve_connections(app, config, stopped=stop.wait)


def _server_log() -> logging.Logger:
    """A log for what goes wrong; what a server says of itself is said by the host already."""
    log = logging.getLogger("jackfield.server")
    log.setLevel(logging.WARNING)
    return log


async def _uvicorn(
    app: ASGIApp, sockets: list[socket.socket], network: Network, stop: asyncio.Event, budget: float
) -> None:
    try:
        import uvicorn

        from jackfield.serving.heads import BoundedHeads
    except ImportError as error:
        # It is installed, or the start would have ended before: something that it needs is missing or broken.
        cause = f"--server uvicorn: uvicorn can't be imported ({error.name or type(error).__name__})"
        raise ConfigurationError(f"{cause}; install it again: pip install 'jackfield[uvicorn]'") from None

    class Server(uvicorn.Server):
        """Leaves the signals to the host."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        cast("Any", app),
        http=BoundedHeads,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(budget) + 1,
        ssl_certfile=network.certificate,
        ssl_keyfile=network.private_key,
        ssl_ca_certs=str(network.client_ca) if network.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if network.client_ca else ssl.CERT_NONE,
    )
    server = Server(config)

    async def end() -> None:
        await stop.wait()
        server.should_exit = True

    ending = asyncio.get_running_loop().create_task(end())
    try:
        await server.serve(sockets=sockets)
    finally:
        ending.cancel()
