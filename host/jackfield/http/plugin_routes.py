"""The paths that plugins bring, as the host's own HTTP server serves them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jackfield.errors import HostFault, Unauthorized
from jackfield.faults import is_fault
from jackfield.frontends.dialect import Dialect
from jackfield.frontends.host_view import HostView
from jackfield.http.replies import JSON, Reply
from jackfield.http.service import OwnRoute
from jackfield.http.wire import encode_error
from jackfield.logs import frames
from jackfield.plugins.routes import PluginRoute

__all__ = ["BrokenOffError", "Turned", "of_plugins", "plugin_conversations", "plugin_routes"]

_log = logging.getLogger("jackfield.http")


def plugin_conversations(routes: Iterable[PluginRoute]) -> dict[str, Dialect]:
    """Return the dialects that plugins bring, by path."""
    return {route.path: route.dialect for route in routes if route.dialect is not None}


def plugin_routes(routes: Iterable[PluginRoute], view: HostView) -> list[OwnRoute]:
    """Make routes of the ASGI apps that plugins bring; each finds the host in ``scope["jackfield.host"]``."""
    return [
        OwnRoute(route.path, _App(route.plugin, route.app, view), methods=sorted(route.methods))
        for route in routes
        if route.app is not None
    ]


def of_plugins(routes: Iterable[PluginRoute]) -> Callable[[str], bool]:
    """Make what tells whether a path is one that a plugin brings."""
    patterns = [compile_path(route.path)[0] for route in routes]
    return lambda path: any(pattern.match(path) for pattern in patterns)


class BrokenOffError(Exception):
    """A reply can't be brought to its end: the server is to cut the connection."""


class _App:
    """An ASGI app as it is: of a plain function Starlette would think that it takes a request.

    An app that fails, or gives no reply, is answered for with a 500. One that fails in the middle of its reply has the
    connection cut, so that nobody takes a part for the whole.
    """

    def __init__(self, plugin: str, app: ASGIApp, view: HostView) -> None:
        self._plugin = plugin
        self._app = app
        self._view = view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = whole = False

        async def noted(message: Message) -> None:
            nonlocal begun, whole
            await send(message)
            begun = True
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        scope["jackfield.host"] = self._view
        fault = "NoReply"
        try:
            await self._app(scope, receive, noted)
        except BaseException as error:
            if not is_fault(error):
                raise
            fault = type(error).__name__
            about = {"plugin": self._plugin, "path": scope["path"], "error": fault, "at": frames(error)}
            _log.error("a plugin's route raised an error", extra=about)
        else:
            if begun:
                return
            _log.error("a plugin's route gave no reply", extra={"plugin": self._plugin, "path": scope["path"]})
        if not begun:
            await Reply(500, encode_error(HostFault(fault)), (JSON,))(scope, receive, send)
        elif not whole:
            raise BrokenOffError


class Turned:
    """Answers requests without the right token: as the path's dialect does, or else the first one of the same plugin.

    Args:
        routes: what plugins bring.
        otherwise: answers everywhere else.
    """

    def __init__(self, routes: Iterable[PluginRoute], otherwise: ASGIApp) -> None:
        spoken: dict[str, Dialect] = {}
        routes = tuple(routes)
        for route in routes:
            if route.dialect is not None:
                spoken.setdefault(route.plugin, route.dialect)
        self._dialects = [
            (compile_path(route.path)[0], route.dialect if route.dialect is not None else spoken[route.plugin])
            for route in routes
            if route.plugin in spoken
        ]
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request."""
        path = scope["path"] if scope["type"] == "http" else ""
        dialect = next((dialect for pattern, dialect in self._dialects if pattern.match(path)), None)
        if dialect is None:
            await self._otherwise(scope, receive, send)
            return
        refusal = dialect.refuse(Unauthorized())
        headers = [("content-type", refusal.media_type), *refusal.headers]
        reply = Reply(refusal.status, refusal.body, [(name.encode(), value.encode()) for name, value in headers])
        await reply(scope, receive, send)
