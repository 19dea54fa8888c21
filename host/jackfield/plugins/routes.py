"""The HTTP paths that plugins bring, and the object they register them with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.routing import compile_path
from starlette.types import ASGIApp

from jackfield.errors import PluginError
from jackfield.frontends.dialect import Dialect

__all__ = ["PluginRoute", "RouteRegister", "clashing"]

_OWN = re.compile(r"/(?:v1\.0(?:-[^/]*)?|openapi\.json)(?:/.*)?")
_PATH = re.compile(r"(?:/[^/?#\s]+)+", re.ASCII)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})


@dataclass(frozen=True)
class PluginRoute:
    """A path of a plugin's.

    Attributes:
        plugin: the plugin's name.
        path: as it was registered.
        methods: the HTTP methods that it answers.
        dialect: what reads and writes conversation there; None where an ASGI app answers.
        app: the ASGI app; None where a dialect answers.
    """

    plugin: str
    path: str
    methods: frozenset[str]
    dialect: Dialect | None = None
    app: ASGIApp | None = None

    @property
    def shape(self) -> str:
        """The path without its parameters' names: two of one shape match the same requests."""
        return re.sub(r"\{[^}]*\}", "{}", self.path)


class RouteRegister:
    """What ``register_routes`` hands to one plugin; see ``jackfield.frontends.RegisterRoutes``.

    Args:
        plugin: the plugin's name, for errors and listings.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._routes: list[PluginRoute] = []
        self._open = True

    def conversation(self, path: str, dialect: Dialect) -> None:
        """Serve conversation on a path; ``POST`` alone.

        Raises:
            PluginError: the path is none, is taken, or belongs to the host; or that is no dialect.
        """
        if "{" in str(path):
            raise self._error(path, "the path of a conversation has no parameters; the body names the component")
        for method in ("read", "refuse"):
            if not callable(getattr(dialect, method, None)):
                raise self._error(path, f"{type(dialect).__name__} has no method {method}; see jackfield.frontends")
        for attribute, kind in (("name", str), ("success", int)):
            if not isinstance(getattr(dialect, attribute, None), kind):
                raise self._error(path, f"{type(dialect).__name__}.{attribute} is no {kind.__name__}")
        self._add(PluginRoute(self._plugin, path, frozenset({"POST"}), dialect=dialect))

    def route(self, path: str, app: ASGIApp, methods: Iterable[str] = ("GET",)) -> None:
        """Serve an ASGI app on a path.

        Raises:
            PluginError: the path is none, is taken, or belongs to the host; the app can't be called, or a method is
                none.
        """
        if not callable(app):
            raise self._error(path, f"{type(app).__name__} is no ASGI app: it can't be called")
        wanted = frozenset([methods] if isinstance(methods, str) else methods)
        if not wanted or wanted - _METHODS:
            raise self._error(path, f"its methods must be of {', '.join(sorted(_METHODS))}")
        self._add(PluginRoute(self._plugin, path, wanted, app=app))

    def close(self) -> tuple[PluginRoute, ...]:
        """End the registration and return what was registered, in that order."""
        self._open = False
        return tuple(self._routes)

    def _add(self, route: PluginRoute) -> None:
        path: object = route.path
        if not self._open:
            raise self._error(path, "register_routes has returned; register only while it runs")
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            raise self._error(path, "a path is /ONE/OR/MORE parts, without a slash at its end, a query or blanks")
        if _OWN.fullmatch(path):
            raise self._error(path, "that path is the host's own")
        try:
            compile_path(route.path)
        except (AssertionError, ValueError) as error:
            raise self._error(path, str(error)) from None
        if any(route.shape == other.shape and route.methods & other.methods for other in self._routes):
            raise self._error(path, "it is registered twice")
        self._routes.append(route)

    def _error(self, path: object, rule: str) -> PluginError:
        return PluginError(f"plugin {self._plugin!r} can't register the path {path!r}: {rule}")


def clashing(routes: Iterable[PluginRoute]) -> dict[str, list[PluginRoute]]:
    """Return the routes that plugins register beside each other, each with what to say of it."""
    routes = list(routes)
    clashes: dict[str, list[PluginRoute]] = {}
    for route in routes:
        others = [
            other
            for other in routes
            if other.plugin != route.plugin and other.shape == route.shape and other.methods & route.methods
        ]
        if others:
            names = " and ".join(sorted({route.plugin, *(other.plugin for other in others)}))
            text = f"register_routes: the path {route.path} is registered by {names}; neither is served"
            clashes.setdefault(f"{text}; deny one with --deny-plugins", []).append(route)
    return clashes
