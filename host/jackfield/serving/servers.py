"""The two servers that can carry the application. Both end when ``stop`` is set, after the host has drained."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from starlette.types import ASGIApp

from jackfield.errors import ConfigurationError
from jackfield.serving.budgets import AFTER_DRAIN
from jackfield.serving.network import BACKLOG, Network

__all__ = ["serve"]

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than pooled clients keep theirs, so that they close first."""
_UNLIMITED = 1 << 62


async def serve(
    app: ASGIApp,
    sockets: list[socket.socket],
    network: Network,
    stop: asyncio.Event,
    *,
    drain: float,
    quiet: Callable[[], None],
) -> None:
    """Serve an application on bound sockets until ``stop`` is set.

    From then on no new connection is taken but those that the kernel has made already. Every reply is its connection's
    last and says so; a connection that is silent for half a second is closed. What runs is left to the host's own
    drain, and two seconds after that it is ended.

    Args:
        app: the application.
        sockets: bound and listening; they are closed at the end.
        network: the server to use and its TLS files.
        stop: ends serving.
        drain: seconds that the host gives running replies.
        quiet: called when no connection is left after the stop.
    """
    carry = _uvicorn if network.server == "uvicorn" else _hypercorn
    await carry(app, sockets, network, stop, budget=drain + AFTER_DRAIN, quiet=quiet)


async def _hypercorn(
    app: ASGIApp,
    sockets: list[socket.socket],
    network: Network,
    stop: asyncio.Event,
    *,
    budget: float,
    quiet: Callable[[], None],
) -> None:
    from hypercorn.config import Config

    from jackfield.serving.connections import serve as serve_connections

    # hypercorn keeps misspelt settings in silence, so they are set one by one under a type checker's eyes.
    config = Config()
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
    await serve_connections(app, config, sockets, stopped=stop.wait, quiet=quiet)


def _server_log() -> logging.Logger:
    """A log for what goes wrong; what a server says of itself is said by the host already."""
    log = logging.getLogger("jackfield.server")
    log.setLevel(logging.WARNING)
    return log


async def _uvicorn(
    app: ASGIApp,
    sockets: list[socket.socket],
    network: Network,
    stop: asyncio.Event,
    *,
    budget: float,
    quiet: Callable[[], None],
) -> None:
    try:
        import uvicorn

        from jackfield.serving.heads import BoundedHeads
    except ImportError as error:
        # It is installed, or the start would have ended before: something that it needs is missing or broken.
        cause = f"--server uvicorn: uvicorn can't be imported ({error.name or type(error).__name__})"
        raise ConfigurationError(f"{cause}; install it again: pip install 'jackfield[uvicorn]'") from None
    from jackfield.serving.unhurried import Server

    config = uvicorn.Config(
        cast("Any", app),
        http=BoundedHeads,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        ssl_certfile=network.certificate,
        ssl_keyfile=network.private_key,
        ssl_ca_certs=str(network.client_ca) if network.client_ca else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if network.client_ca else ssl.CERT_NONE,
    )
    await Server(config, stop, budget=budget, quiet=quiet).serve(sockets=sockets)
