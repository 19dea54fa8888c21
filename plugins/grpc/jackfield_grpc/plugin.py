"""The plugin: a gRPC server beside the host's HTTP server."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from jackfield import hookimpl
from jackfield.frontends import HostView, ServiceScope

__all__ = ["run_service"]


@hookimpl
def run_service(host: HostView, scope: ServiceScope) -> AbstractAsyncContextManager[None] | None:
    """Serve in one worker: grpcio can't take over a socket that listens, so that two can't share a port."""
    if not scope.once:
        return None
    from jackfield_grpc.server import serve

    return serve(host)
