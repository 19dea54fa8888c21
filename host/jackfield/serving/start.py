"""Starting to serve: in this process, or in several that a parent watches."""

from __future__ import annotations

import socket
from functools import partial

from jackfield.options import HostOptions
from jackfield.serving.network import Network
from jackfield.serving.worker import run, serve_until_signalled

__all__ = ["start"]


def start(options: HostOptions, network: Network, sockets: list[socket.socket], *, workers: int) -> int:
    """Serve until stopped; returns the process's exit code."""
    return run(partial(serve_until_signalled, options, network, sockets))
