"""What the host finds: observers that count, and the port that gives the numbers."""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from jackfield import RegisterObservers, hookimpl
from jackfield.frontends import HostView, ServiceFailed, ServiceScope
from jackfield_metrics.ledger import Series
from jackfield_metrics.recorder import Recorder
from jackfield_metrics.server import Scrapes
from jackfield_metrics.text import exposition, merge

__all__ = ["Metrics"]

_PORT: Final = 9090
_log = logging.getLogger("jackfield.metrics")


class Metrics:
    """The plugin; the host makes one in each process, so that the numbers are that process's own."""

    def __init__(self) -> None:
        self._recorder = Recorder()

    @hookimpl
    def register_observers(self, register: RegisterObservers) -> None:
        """Count requests, and note how components and breakers stand."""
        register.request_finished(self._recorder.request_finished)
        register.catalog_changed(self._recorder.catalog_changed)
        register.breaker_changed(self._recorder.breaker_changed)

    @hookimpl
    def run_service(self, host: HostView, scope: ServiceScope) -> AbstractAsyncContextManager[object] | None:
        """Listen in one worker, and have each of several keep its numbers where that one finds them."""
        if host.option("enable-metrics") == "false":
            return None
        if scope.once:
            return self._listening(host, scope)
        return self._sharing(host, scope) if scope.group else None

    @asynccontextmanager
    async def _sharing(self, host: HostView, scope: ServiceScope) -> AsyncIterator[None]:
        from jackfield_metrics.shared import SharedFolder  # needs what only Unix has, as several workers do

        try:
            folder = SharedFolder(scope.group)
            storage = folder.open()
        except OSError as error:
            cause = f"no folder for what the workers count: {error}; set TMPDIR to a folder that can be written"
            raise ServiceFailed(cause, needed=False) from error
        self._recorder.move(storage)
        try:
            yield
        finally:
            await host.drained()
            self._recorder.move(None)
            storage.close()
            folder.leave()

    @asynccontextmanager
    async def _listening(self, host: HostView, scope: ServiceScope) -> AsyncIterator[None]:
        port = int(host.option("metrics-port") or _PORT)
        given = host.option("metrics-listen-address")
        addresses = host.listening.addresses if given is None else (given,)
        common = {"app_id": host.app_id, "namespace": host.namespace}

        def text() -> bytes:
            return exposition(self._numbers(scope), common)

        try:
            server = await Scrapes(text).listen(addresses, port)
        except OSError as error:
            raise ServiceFailed(_cause(error, port), needed=False) from error
        shown = ", ".join(sorted({f"http://{_host(bound.getsockname())}" for bound in server.sockets}))
        _log.info("serving metrics", extra={"url": shown})
        try:
            yield
        finally:
            server.close()  # who is connected has had its answer, or asks no more

    def _numbers(self, scope: ServiceScope) -> Mapping[Series, list[float]]:
        """Return the numbers of all workers; this one's own where they have no folder."""
        if scope.group:
            from jackfield_metrics.shared import SharedFolder

            with suppress(OSError):
                numbers = merge(SharedFolder(scope.group).series())
                if numbers:
                    return numbers
        return self._recorder.ledger.series()


def _host(name: tuple[str, int]) -> str:
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cause(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} for metrics is taken; free it, or choose another with --metrics-port"
    what = error.strerror or str(error)
    return f"port {port} for metrics can't be used: {what}; see --metrics-port and --metrics-listen-address"
