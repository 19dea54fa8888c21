"""Starting to serve: in this process, or in several that a parent watches."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

from jackfield.options import HostOptions
from jackfield.serving.network import Network, check_server
from jackfield.serving.tls import check_certificates

if TYPE_CHECKING:
    from jackfield.serving.code import CodeWatcher

__all__ = ["start"]

_log = logging.getLogger("jackfield.dev")


def start(
    options: HostOptions, network: Network, sockets: list[socket.socket], *, workers: int, dev: bool = False
) -> int:
    """Serve until stopped; returns the process's exit code.

    Args:
        options: the host's options.
        network: how to serve.
        sockets: bound and listening.
        workers: serving processes; with more than one, this process becomes their parent and loads no plugin.
        dev: replace the serving processes when the code of an editable distribution changes; there is a parent then
            even of one.

    Raises:
        ConfigurationError: the host can't start as it was asked to.
    """
    check_server(network)
    check_certificates(network)
    if workers > 1 or dev:
        from jackfield.logs import settings
        from jackfield.serving.parent import Parent

        watcher = _code_watcher(options) if dev else None
        parent = Parent(options, network, sockets, workers=workers, logs=settings(), watcher=watcher)
        return asyncio.run(parent.run())
    from jackfield.serving.worker import run, serve_until_signalled

    return run(partial(serve_until_signalled, options, network, sockets))


def _code_watcher(options: HostOptions) -> CodeWatcher | None:
    """Watch what is editable; None, and a warning, if nothing is."""
    from importlib.metadata import distributions

    from jackfield.plugins.sources import editable_sources
    from jackfield.serving.code import CodeWatcher

    # A cached file is held to be current if the source has the same size and second: too coarse for quick edits.
    sys.dont_write_bytecode = True
    sources = editable_sources(distributions(), allow=options.plugins, deny=options.deny_plugins)
    if not sources:
        _log.warning("no plugin here is editable; install one with: jackfield install --editable DIR")
        return None
    watched = ", ".join(f"{source.distribution} ({source.path})" for source in sources)
    _log.info("watching code", extra={"sources": watched})
    return CodeWatcher(sources, events=options.watch_events)
