"""``grpc.health.v1``: serving once every component of the host's first start is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc
from grpc_health.v1 import health_pb2

from jackfield.frontends import HostView

__all__ = ["Health"]

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_ROUND = 1.0


class Health:
    """Answers health checks of the server as a whole and of its services.

    Args:
        host: the host.
        services: the names of the services that the server has.
    """

    def __init__(self, host: HostView, services: frozenset[str]) -> None:
        self._host = host
        self._services = services | {""}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Say from now on that nothing is served, and end every ``Watch``."""
        self._stopping.set()

    async def check(self, sent: health_pb2.HealthCheckRequest, context: Context) -> health_pb2.HealthCheckResponse:
        """Answer ``Check``."""
        if sent.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no service of that name here")
        return health_pb2.HealthCheckResponse(status=self._status(sent.service))

    async def watch(
        self, sent: health_pb2.HealthCheckRequest, _: Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Answer ``Watch``: the state now, and each other that comes."""
        told: int | None = None
        while True:
            status = self._status(sent.service)
            if status != told:
                told = status
                yield health_pb2.HealthCheckResponse(status=status)
            if self._stopping.is_set():
                return
            try:
                async with asyncio.timeout(_ROUND):
                    await self._stopping.wait()
            except TimeoutError:
                pass  # time to look again

    def _status(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
        statuses = health_pb2.HealthCheckResponse
        if service not in self._services:
            return statuses.SERVICE_UNKNOWN
        return statuses.SERVING if self._host.ready and not self._stopping.is_set() else statuses.NOT_SERVING
