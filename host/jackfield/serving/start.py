"""Starting to serve: in this process, or in several that a parent watches."""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from jackfield.options import HostOptions
from jackfield.serving.network import Network, check_server
from jackfield.serving.tls import check_certificates

__all__ = ["start"]


def start(options: HostOptions, network: Network, sockets: list[socket.socket], *, workers: int) -> int:
    """Serve until stopped; returns the process's exit code.

    Args:
        options: the host's options.
        network: how to serve.
        sockets: bound and listening.
        workers: serving processes; with more than one, this process becomes their parent and loads no plugin.

    Raises:
        ConfigurationError: the host can't start as it was asked to.
    """
    check_server(network)
    check_certificates(network)
    if workers > 1:
        from jackfield.logs import settings
        from jackfield.serving.parent import Parent

        return asyncio.run(Parent(options, network, sockets, workers=workers, logs=settings()).run())
    from jackfield.serving.worker import run, serve_until_signalled

    return run(partial(serve_until_signalled, options, network, sockets))
