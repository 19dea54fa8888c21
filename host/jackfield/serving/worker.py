"""One serving process: the event loop, the signals, the host and its server."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from jackfield.frontends.host_view import HostView, ServiceScope
from jackfield.host import Host
from jackfield.http.app import build_app
from jackfield.options import HostOptions
from jackfield.serving.budgets import FORCE_AFTER, MARGIN
from jackfield.serving.entrance import Entrance
from jackfield.serving.network import Network
from jackfield.serving.servers import serve
from jackfield.serving.services import Services
from jackfield.serving.signals import end_on_second
from jackfield.serving.watchdog import Watchdog

__all__ = ["end_within", "exit_soon", "log_loop_error", "run", "serve_host", "serve_until_signalled"]

T = TypeVar("T")
_log = logging.getLogger("jackfield.host")
_TURN = 0.001


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on the fastest event loop there is: uvloop's where it is installed."""
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    # A thread that reads manifests or loads a model gives the loop its turn after 1 ms instead of 5.
    sys.setswitchinterval(_TURN)
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())


async def serve_host(
    host: Host, network: Network, sockets: list[socket.socket], stop: asyncio.Event, entrance: Entrance | None = None
) -> None:
    """Serve a host until ``stop`` is set, then let running replies finish within the host's budget.

    Args:
        host: the host.
        network: how to serve.
        sockets: bound and listening.
        stop: ends serving.
        entrance: what to shut then; a process that shares its sockets with others leaves that to its parent.
    """
    quiet = asyncio.Event()
    draining = asyncio.get_running_loop().create_task(_drain(host, stop, quiet, entrance))
    try:
        budget = host.options.graceful_shutdown_seconds
        await serve(build_app(host, network), sockets, network, stop, drain=budget, quiet=quiet.set)
    finally:
        quiet.set()
        stop.set()
        await draining


async def serve_until_signalled(options: HostOptions, network: Network, sockets: list[socket.socket]) -> int:
    """Serve in this process until a signal or a request stops it; returns the process's exit code.

    SIGTERM and SIGINT stop, a second one at once; SIGHUP looks at the folders.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_error)
    stop = asyncio.Event()
    host: Host | None = None
    with Watchdog(lambda: host is not None and host.following):
        host = Host(options, stop=partial(_stop, stop))
        return await _serve_here(host, network, sockets, stop)


async def _serve_here(host: Host, network: Network, sockets: list[socket.socket], stop: asyncio.Event) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_on_signal, stop)
    end_on_second((signal.SIGTERM, signal.SIGINT))
    loop.add_signal_handler(signal.SIGHUP, host.rescan)
    entrance = Entrance(sockets)  # before anybody is told: a Unix socket's file may be another's as soon as it is
    urls = ", ".join(network.describe(sockets))
    names = ", ".join(str(folder) for folder in host.options.folders)
    _log.info("serving", extra={"url": urls, "manifests": names, "pid": os.getpid()})
    host.services = Services(host.plugins, HostView(host, network), ServiceScope(once=False))
    await serve_host(host, network, sockets, stop, entrance)
    _log.info("stopped")
    return host.exit_code


async def _drain(host: Host, stop: asyncio.Event, quiet: asyncio.Event, entrance: Entrance | None) -> None:
    await stop.wait()
    if entrance is not None:
        entrance.shut()
        end_within(host.options.graceful_shutdown_seconds + MARGIN)
    _log.info("stopping", extra={"running": len(host.running)})
    await host.drain(quiet)


def end_within(seconds: float) -> None:
    """End the process in some seconds whatever runs: from a thread, as what hangs may hold up the event loop."""

    def end() -> None:
        _log.error("the host did not stop in time and ends at once", extra={"seconds": seconds})
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True  # a process that ends by itself doesn't wait for it
    timer.start()


def _stop(stop: asyncio.Event, force: bool) -> None:
    if force:
        exit_soon()
    else:
        stop.set()


def stop_on_signal(stop: asyncio.Event) -> None:
    """Stop gracefully, or at once if somebody asks a second time: what hangs then has had its chance."""
    if stop.is_set():
        _log.warning("stopping at once, because a second signal came")
        exit_soon()
    stop.set()


def exit_soon() -> None:
    """End the process whatever runs: with code 1 after 100 ms, daprd's rule for ``dapr-force-shutdown``."""
    asyncio.get_running_loop().call_later(FORCE_AFTER, os._exit, 1)


def log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what the event loop can't tell anybody else; for ``set_exception_handler``."""
    error = context.get("exception")
    if isinstance(error, (ConnectionError, TimeoutError)) or type(error).__module__.partition(".")[0] == "ssl":
        return  # a client that left or failed its handshake is nobody's fault here
    if isinstance(error, RuntimeError) and str(error).endswith("; the handler is closed"):
        return  # the same in uvloop's words: its TLS has something to send to a peer that is gone already
    _log.error("the event loop reports a problem", extra={"problem": context.get("message")}, exc_info=error)
