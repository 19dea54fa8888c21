"""The hooks: every way in which a plugin takes part in the host.

Hooks resolve, handlers run. A hook is a plain ``def`` that is asked at start, or when a component is built, and gives
back the thing that does the work. It never is a coroutine function or a wrapper, and none is called for a request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    import click
    from starlette.types import ASGIApp

    from jackfield.chain.build import ChainBuild, ScrubStages
    from jackfield.chain.handler import Stage
    from jackfield.components import Conversation, SecretStore
    from jackfield.frontends.dialect import Dialect
    from jackfield.frontends.host_view import HostView, ServiceScope
    from jackfield.messages import Record
    from jackfield.observing import BreakerChange, CatalogChange
    from jackfield.routing import RoutingStrategy
    from jackfield.scrubbing import Scrubber
    from jackfield.stores import CacheStore

__all__ = ["RegisterComponents", "RegisterObservers", "RegisterRoutes", "hookimpl"]

hookspec = HookspecMarker("jackfield")
hookimpl = HookimplMarker("jackfield")
"""Marks a plugin's function as the implementation of the hook of the same name."""


class RegisterComponents(Protocol):
    """What ``register_components`` hands to a plugin."""

    def conversation(
        self, type_name: str, cls: type[Conversation[Any]], *, factory: Callable[..., Conversation[Any]] | None = None
    ) -> None:
        """Register a conversation component type.

        Args:
            type_name: such as ``conversation.echo``; it starts with ``conversation.`` and is matched in any case.
            cls: the class; its ``Settings`` describe the manifest.
            factory: what makes an instance from a ``Build``; the class itself by default.

        Raises:
            PluginError: the name or the class breaks a rule.
        """

    def secret_store(
        self, type_name: str, cls: type[SecretStore[Any]], *, factory: Callable[..., SecretStore[Any]] | None = None
    ) -> None:
        """Register a secret store type; its name starts with ``secretstores.``. Otherwise as ``conversation``."""

    def cache_store(
        self,
        type_name: str,
        cls: type[CacheStore[Any]],
        *,
        factory: Callable[..., CacheStore[Any]] | None = None,
        default: bool = False,
    ) -> None:
        """Register a cache store type; its name starts with ``cache.``. Otherwise as ``conversation``.

        Args:
            type_name: the component type.
            cls: the class.
            factory: what makes an instance from a ``Build``.
            default: use one of this type, with its default settings, where a manifest names no store.
        """

    def scrubber(
        self,
        type_name: str,
        cls: type[Scrubber[Any]],
        *,
        factory: Callable[..., Scrubber[Any]] | None = None,
        default: bool = False,
    ) -> None:
        """Register a scrubber type; its name starts with ``scrubber.``. Otherwise as ``cache_store``."""

    def strategy(self, name: str, cls: type[RoutingStrategy]) -> None:
        """Register a routing strategy, which ``conversation.router`` components name as their ``strategy``.

        Args:
            name: lower-case letters, digits and dashes.
            cls: the class; each router makes one instance.

        Raises:
            PluginError: the name or the class breaks a rule.
        """


class RegisterObservers(Protocol):
    """What ``register_observers`` hands to a plugin."""

    def request_finished(self, observer: Callable[[Record], None]) -> None:
        """Have a plain function called with the record of every finished conversation request.

        It runs on the event loop after the reply has left, so it must not block. What it raises is logged with the
        plugin's name and goes no further.
        """

    def catalog_changed(self, observer: Callable[[CatalogChange], None]) -> None:
        """Have a plain function called with what each new catalog changes; otherwise as ``request_finished``."""

    def breaker_changed(self, observer: Callable[[BreakerChange], None]) -> None:
        """Have a plain function called when a circuit breaker comes, changes its state or goes; otherwise likewise."""


class RegisterRoutes(Protocol):
    """What ``register_routes`` hands to a plugin."""

    def conversation(self, path: str, dialect: Dialect) -> None:
        """Serve conversation on a path; ``POST`` alone.

        The host reads the body, watches the client, leases the component, keeps the record and sends; the dialect reads
        and writes bytes.

        Args:
            path: such as ``/v1/chat/completions``; it has no parameters.
            dialect: the API's.

        Raises:
            PluginError: the path is none, is taken, or belongs to the host; or that is no dialect.
        """

    def route(self, path: str, app: ASGIApp, methods: Iterable[str] = ("GET",)) -> None:
        """Serve an ASGI app on a path, behind the same checks of token and origin as every other.

        Args:
            path: such as ``/v1/models`` or ``/v1/models/{model}``; the app finds parameters in
                ``scope["path_params"]``.
            app: gets the requests as they are, with the ``HostView`` in ``scope["jackfield.host"]``.
            methods: the HTTP methods that it answers; others are a 404, as everywhere in the host.

        Raises:
            PluginError: the path is none, is taken, or belongs to the host; the app can't be called, or a method is
                none.
        """


class Hooks:
    """The specifications. Each docstring says what, when, who wins, what an exception does, and since when."""

    @hookspec
    def register_components(self, register: RegisterComponents) -> None:
        """Register the component types that a plugin brings.

        When: once, at the start of each process that serves or checks manifests.
        Who wins: every plugin is asked. A type or strategy that two plugins register belongs to neither, and both are
        named, unless ``--prefer TYPE=PLUGIN`` picks one; the return value is not used.
        An exception: the plugin fails as a whole, none of its types is registered, and the host serves on.
        Since: 0.1.
        """

    @hookspec(firstresult=True)
    def provide_scrubber(self, build: ChainBuild) -> ScrubStages | None:
        """Give the pair of stages that scrubs a component's requests and replies.

        When: whenever a conversation component is built, unless its manifest says ``scrubber: none``.
        Who wins: the first that gives something, by plugin name; those marked ``trylast`` come last, or first where the
        manifest names a scrubber, and the host's own is one of them. None leaves the component to the next plugin; if
        all do, a request that asks for scrubbing is refused.
        An exception: the component's build fails and names the plugin; what served before serves on.
        Since: 0.1.
        """

    @hookspec(firstresult=True)
    def provide_router(self, build: ChainBuild) -> Stage | None:
        """Give the stage that decides which component answers a request.

        When: whenever a conversation component is built, unless its manifest says ``router: none``.
        Who wins: the first that gives something, by plugin name; those marked ``trylast`` come last, and the host's own
        is one of them. None leaves the component to the next plugin; if all do, its own provider answers.
        An exception: the component's build fails and names the plugin; what served before serves on.
        Since: 0.1.
        """

    @hookspec(firstresult=True)
    def provide_cache(self, build: ChainBuild) -> Stage | None:
        """Give the stage that keeps a component's replies.

        When: whenever a conversation component with a provider is built, unless its manifest says ``cache: none``.
        Who wins: the first that gives something, by plugin name; those marked ``trylast`` come last, or first where the
        manifest names a store, and the host's own is one of them. None leaves the component to the next plugin; if all
        do, no reply is kept.
        An exception: the component's build fails and names the plugin; what served before serves on.
        Since: 0.1.
        """

    @hookspec
    def wrap_handler(self, build: ChainBuild) -> Stage | None:
        """Give a stage of the plugin's own, between scrub-in and the router: limits, audit, changes of the request.

        When: whenever a conversation component is built.
        Who wins: every plugin is asked, and all stages are used: in the order of ``serve --wrap-order``, then by plugin
        name, the first outermost. A stage with the attribute ``sees_unscrubbed`` set to True stands before scrub-in and
        is listed as such. None means no stage.
        An exception: the component's build fails and names the plugin; what served before serves on.
        Since: 0.1.
        """

    @hookspec
    def register_routes(self, register: RegisterRoutes) -> None:
        """Register HTTP paths: a front end of the plugin's own on the host's port.

        When: once, at the start of each process that serves.
        Who wins: every plugin is asked. A path that two plugins register belongs to neither, and both are named; the
        host's own paths can't be registered; the return value is not used.
        An exception: the plugin's paths are left out, its other hooks stay, and the cause is logged.
        Since: 0.1.
        """

    @hookspec
    def register_observers(self, register: RegisterObservers) -> None:
        """Register functions that are told of what has happened.

        When: once, at the start of each process that serves.
        Who wins: every plugin is asked, and all observers are called; the return value is not used.
        An exception: the plugin's observers are left out, its other hooks stay, and the cause is logged.
        Since: 0.1.
        """

    @hookspec
    def run_service(self, host: HostView, scope: ServiceScope) -> AbstractAsyncContextManager[object] | None:
        """Give an async context manager that runs beside the HTTP server: a server or a task of the plugin's own.

        When: in each worker of ``jackfield serve`` once it serves, with ``scope.once`` False; with ``scope.once`` True
        in one worker at a time, and in another as soon as that one is gone. Asked again if the service couldn't start.
        Who wins: every plugin is asked, and all services run. None means that there is none for this scope.
        An exception: here or on entering, it is logged, the host serves on, and the service is tried again after 1 s,
        then ever more rarely, up to 30 s. ``ServiceFailed`` says what the operator should do.
        Since: 0.1.
        """

    @hookspec
    def register_commands(self, cli: click.Group) -> None:
        """Add subcommands to the ``jackfield`` command.

        When: for ``jackfield --help`` and for a command that is not the host's own; never for ``jackfield serve``.
        Who wins: the host's own commands can't be replaced; of two plugins that add one name, the first by plugin name
        keeps it; the return value is not used.
        An exception: the plugin's commands are left out and the cause is printed to standard error.
        Since: 0.1.
        """
