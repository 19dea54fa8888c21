"""The ASGI application of one host."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Router
from starlette.types import ASGIApp

from jackfield.frontends.dialect import Dialect
from jackfield.frontends.host_view import HostView
from jackfield.host import Host
from jackfield.http.conversation import ConversationEndpoint
from jackfield.http.dialects import Alpha1, Alpha2
from jackfield.http.facts import FACTS
from jackfield.http.gate import Gate, normal_origin
from jackfield.http.names import host_names
from jackfield.http.plugin_routes import Turned, of_plugins, plugin_conversations, plugin_routes
from jackfield.http.replies import direct_invoke, unauthorized
from jackfield.http.route import ConversationRoutes
from jackfield.http.service import service_routes
from jackfield.serving.network import Network

__all__ = ["build_app"]


def build_app(host: Host, network: Network | None = None) -> ASGIApp:
    """Make the application that serves a host; its lifespan starts and closes the host.

    Args:
        host: the host.
        network: how it listens, for front ends that want to know; None if another server does that.
    """
    view = HostView(host, network or Network())

    @asynccontextmanager
    async def lifespan(_: ASGIApp) -> AsyncIterator[None]:
        await host.start()
        try:
            yield
        finally:
            await host.close()

    options = host.options
    dialects: dict[str, tuple[str, Dialect]] = {
        "v1alpha2": ("v1.0-alpha2", Alpha2()),
        "v1alpha1": ("v1.0-alpha1", Alpha1(documented=options.alpha1 == "documented")),
    }
    endpoints = {
        version: ConversationEndpoint(host, dialect, view)
        for api, (version, dialect) in dialects.items()
        if options.configuration.allows("conversation", api, "http")
    }
    brought = plugin_conversations(host.routes)
    paths = {path: ConversationEndpoint(host, dialect, view) for path, dialect in brought.items()}
    # A path that isn't served is the same to daprd as one of another app: 404, whatever the method.
    listed = [*service_routes(host), *plugin_routes(host.routes, view)]
    router = Router(listed, redirect_slashes=False, default=direct_invoke, lifespan=lifespan)

    def readable(app: ASGIApp) -> ASGIApp:
        """Let the pages that are listed read what an app answers."""
        if not options.allowed_origins:
            return app
        return CORSMiddleware(
            app,
            allow_origins=[normal_origin(origin) for origin in options.allowed_origins],
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["*"],
            expose_headers=FACTS,
        )

    return Gate(
        readable(ConversationRoutes(endpoints, paths, router)),
        unauthorized=readable(Turned(host.routes, unauthorized)),
        api_token=options.api_token,
        allowed_origins=options.allowed_origins,
        host_names=host_names(options, network),
        takes_bearer=of_plugins(host.routes),
    )
