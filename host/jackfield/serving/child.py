"""A worker process: ``python -m jackfield.serving.child FD``, started by the parent and by nobody else."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from functools import partial

from jackfield.errors import JackfieldError
from jackfield.frontends.host_view import HostView, ServiceScope
from jackfield.host import Host
from jackfield.logs import configure, frames
from jackfield.serving.budgets import MARGIN
from jackfield.serving.channel import Channel, read_frame
from jackfield.serving.frames import (
    Alive,
    Extended,
    Failed,
    FromParent,
    Hello,
    Loaded,
    MetadataSet,
    Rescan,
    RunServices,
    ServicesEnded,
    ServicesReport,
    Start,
    Stop,
    StopAll,
    View,
    decode_for_worker,
)
from jackfield.serving.peers import Peers
from jackfield.serving.reporter import scan_of
from jackfield.serving.services import Services
from jackfield.serving.watchdog import Watchdog
from jackfield.serving.worker import end_within, log_loop_error, run, serve_host

__all__ = ["main"]

_log = logging.getLogger("jackfield.host")


def main(arguments: list[str]) -> int:
    """Serve for the parent at the other end of an inherited socket; returns the exit code."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGHUP})
    link = socket.socket(fileno=int(arguments[0]))
    link.set_inheritable(False)
    first = read_frame(link)
    start = decode_for_worker(first) if first is not None else None
    if not isinstance(start, Start):
        return 0  # the parent is gone already
    level, form, app_id = start.logs
    configure(level=level, form=form, app_id=app_id, worker=start.worker, pid=os.getpid())
    return run(partial(_Worker(start).serve, link))


class _WorkerHost(Host):
    """A host that may have to wait, with all built, until it is told to serve."""

    may_serve: asyncio.Event | None = None

    async def admitted(self) -> None:
        if self.may_serve is not None:
            await self.may_serve.wait()


class _Worker:
    """One worker, between its host and the parent."""

    def __init__(self, start: Start) -> None:
        self._start = start
        environment = {os.fsdecode(key): os.fsdecode(value) for key, value in start.environment.items()}
        self._options = replace(start.options, environment=environment)
        self._host: Host | None = None
        self._parent = os.getppid()

    async def serve(self, link: socket.socket) -> int:
        """Serve until the parent says stop, or is gone."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(log_loop_error)
        self._stop = asyncio.Event()
        self._informed = asyncio.Event()
        self._channel: Channel[FromParent] = Channel(decode_for_worker, self._received)
        self._peers = Peers(self._start.worker, self._channel.send)
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        await self._channel.open(link)
        watching = loop.create_task(self._watch_parent())
        self._channel.send(Hello())
        try:
            alive = partial(self._channel.send, Alive())
            with Watchdog(self._following, alive=alive, orphaned=self._orphaned):
                return await self._serve()
        except Exception as error:
            if self._host is not None and self._host.following:
                raise
            # What the parent hears is logged there; only a fault of the program is worth its traceback here.
            known = isinstance(error, JackfieldError)
            self._channel.send(Failed(str(error) if known else f"{type(error).__name__} at {frames(error)}"))
            return 1
        finally:
            watching.cancel()
            self._channel.close()
            await self._channel.lost.wait()

    async def _serve(self) -> int:
        start = self._start
        first = (scan_of(start.documents), start.generation) if start.generation or start.documents else None
        host = _WorkerHost(self._options, stop=self._ask_to_stop, first=first, changed=self._changed, peers=self._peers)
        self._host = host
        records = host.plugins.records
        broken = {each.name: each.reason for each in records if each.reason and each.state != "blocked"}
        self._channel.send(Loaded(broken))
        if start.renews:
            host.may_serve = self._informed
        else:
            await self._informed.wait()
        sockets = [socket.socket(fileno=descriptor) for descriptor in start.sockets]
        for bound in sockets:
            bound.set_inheritable(False)
        scope = ServiceScope(once=False, worker=start.worker, workers=start.workers, group=start.group)
        view = HostView(host, start.network)
        host.services = Services(
            host.plugins,
            view,
            scope,
            leads=False,
            changed=lambda tried, missing: self._channel.send(ServicesReport(tried, missing)),
            ended=partial(self._channel.send, ServicesEnded()),
        )
        await serve_host(host, start.network, sockets, self._stop)
        _log.info("stopped")
        return 0  # the host's own exit code has gone to the parent, with the wish to stop

    def _following(self) -> bool:
        return self._host is not None and self._host.following

    def _orphaned(self) -> bool:
        return os.getppid() != self._parent

    async def _watch_parent(self) -> None:
        await self._channel.lost.wait()
        end_within(self._options.graceful_shutdown_seconds + MARGIN)  # nobody is left to kill what hangs
        if not self._stop.is_set():
            _log.error("the parent process is gone; stopping")
        self._informed.set()
        self._stop.set()

    def _received(self, frame: FromParent) -> None:
        match frame:
            case View() | Extended() | MetadataSet():
                self._peers.received(frame)
                if isinstance(frame, View):
                    self._informed.set()
            case Rescan():
                if self._host is not None:
                    self._host.rescan()
            case RunServices():
                if self._host is not None and self._host.services is not None:
                    self._host.services.lead()
            case Stop():
                self._stop.set()
                self._informed.set()
            case Start():
                pass  # it comes once, and has been read

    def _changed(self) -> None:
        # What closes at the end is not gone for the others, or for the process that takes this one's place.
        if self._host is not None and not self._stop.is_set():
            host = self._host
            self._peers.report(host.catalog, host.readiness.missing(), host.resilience.good)

    def _ask_to_stop(self, force: bool) -> None:
        self._channel.send(StopAll(force, self._host.exit_code if self._host is not None else 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
