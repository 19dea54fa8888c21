"""What the host finds: a stage around every component, where the operator has named an address to send to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from jackfield import ChainBuild, Stage, hookimpl
from jackfield.frontends import HostView, ServiceScope
from jackfield_otel.wishes import read_wishes

if TYPE_CHECKING:
    from jackfield_otel.telemetry import Telemetry

__all__ = ["OpenTelemetry"]

_LAST_WORDS: Final = 3.0
"""Seconds that a host that stops waits for its last spans to be sent."""
_log = logging.getLogger("jackfield.otel")


class OpenTelemetry:
    """The plugin; the host makes one in each process. Without an address it does nothing, and imports no SDK."""

    def __init__(self) -> None:
        self._telemetry: Telemetry | None = None
        self._asked = False

    @hookimpl
    def wrap_handler(self, build: ChainBuild) -> Stage | None:
        """Trace a component's conversations."""
        if not self._asked:
            self._asked = True
            self._open(build)
        if self._telemetry is None:
            return None
        from jackfield_otel.stage import TraceStage

        return TraceStage(build, self._telemetry)

    @hookimpl
    def run_service(self, host: HostView, scope: ServiceScope) -> AbstractAsyncContextManager[object] | None:
        """Send what is left when the host stops."""
        return None if scope.once else self._sending(host)

    def _open(self, build: ChainBuild) -> None:
        wishes = read_wishes(build.environment)
        if wishes.complaint:
            _log.warning("%s", wishes.complaint)
        if wishes.traces or wishes.metrics:
            from jackfield_otel.telemetry import Telemetry

            self._telemetry = Telemetry(wishes)
            _log.info("sending telemetry", extra={"traces": bool(wishes.traces), "metrics": bool(wishes.metrics)})

    @asynccontextmanager
    async def _sending(self, host: HostView) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await host.drained()
            telemetry, self._telemetry = self._telemetry, None
            if telemetry is not None:
                loop, sent = asyncio.get_running_loop(), asyncio.Event()

                def done() -> None:
                    with suppress(RuntimeError):  # the event loop is closed: nobody waits any more
                        loop.call_soon_threadsafe(sent.set)

                telemetry.close(done)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LAST_WORDS):
                        await sent.wait()
