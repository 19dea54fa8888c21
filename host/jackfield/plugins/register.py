"""The objects that plugins register with; every rule is checked at the moment of registration."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from jackfield.components import Component, Conversation, SecretStore
from jackfield.errors import PluginError
from jackfield.messages import Record
from jackfield.observing import BreakerChange, CatalogChange, Observers
from jackfield.plugins.types import ComponentType
from jackfield.routing import RoutingStrategy
from jackfield.scrubbing import Scrubber
from jackfield.settings import Settings
from jackfield.stores import CacheStore

__all__ = ["ObserverRegister", "TypeRegister"]

_TOO_LATE = "register_components has returned; register only while it runs"


class TypeRegister:
    """What ``register_components`` hands to one plugin; see ``jackfield.RegisterComponents``.

    Args:
        plugin: the plugin's name, for errors and listings.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._types: dict[str, ComponentType] = {}
        self._strategies: dict[str, type[RoutingStrategy]] = {}
        self._open = True

    def conversation(
        self, type_name: str, cls: type[Conversation[Any]], *, factory: Callable[..., Conversation[Any]] | None = None
    ) -> None:
        """Register a conversation component type.

        Raises:
            PluginError: the name or the class breaks a rule.
        """
        self._check(type_name, "conversation", Conversation, cls, factory)
        converse, stream = cls.converse, cls.stream
        if cls.has_provider and converse is Conversation.converse and stream is Conversation.stream:
            raise self._error(type_name, f"{cls.__name__} implements neither converse nor stream")
        if inspect.isasyncgenfunction(converse) or inspect.isgeneratorfunction(converse):
            raise self._error(type_name, f"{cls.__name__}.converse contains yield; it returns one Result")
        if inspect.iscoroutinefunction(stream):
            raise self._error(type_name, f"{cls.__name__}.stream contains no yield; it is an async generator of events")
        self._add(type_name, Conversation, cls, factory)

    def secret_store(
        self, type_name: str, cls: type[SecretStore[Any]], *, factory: Callable[..., SecretStore[Any]] | None = None
    ) -> None:
        """Register a secret store type.

        Raises:
            PluginError: the name or the class breaks a rule.
        """
        self._check(type_name, "secretstores", SecretStore, cls, factory)
        if cls.get is SecretStore.get:
            raise self._error(type_name, f"{cls.__name__} does not implement get")
        self._add(type_name, SecretStore, cls, factory)

    def cache_store(
        self,
        type_name: str,
        cls: type[CacheStore[Any]],
        *,
        factory: Callable[..., CacheStore[Any]] | None = None,
        default: bool = False,
    ) -> None:
        """Register a cache store type.

        Raises:
            PluginError: the name or the class breaks a rule.
        """
        self._check(type_name, "cache", CacheStore, cls, factory)
        for method in ("get", "set", "lease", "release"):
            if getattr(cls, method) is getattr(CacheStore, method):
                raise self._error(type_name, f"{cls.__name__} does not implement {method}")
        self._add(type_name, CacheStore, cls, factory, default=default)

    def scrubber(
        self,
        type_name: str,
        cls: type[Scrubber[Any]],
        *,
        factory: Callable[..., Scrubber[Any]] | None = None,
        default: bool = False,
    ) -> None:
        """Register a scrubber type.

        Raises:
            PluginError: the name or the class breaks a rule.
        """
        self._check(type_name, "scrubber", Scrubber, cls, factory)
        if cls.find is Scrubber.find:
            raise self._error(type_name, f"{cls.__name__} does not implement find")
        if inspect.iscoroutinefunction(cls.find):
            raise self._error(type_name, f"{cls.__name__}.find is async; it is a plain function that gives spans")
        self._add(type_name, Scrubber, cls, factory, default=default)

    def strategy(self, name: str, cls: type[RoutingStrategy]) -> None:
        """Register a routing strategy.

        Raises:
            PluginError: the name or the class breaks a rule.
        """
        self._check_strategy(name, cls)
        self._strategies[name] = cls

    @property
    def strategies(self) -> dict[str, type[RoutingStrategy]]:
        """The strategies that were registered, by name."""
        return dict(self._strategies)

    def close(self) -> tuple[ComponentType, ...]:
        """End the registration and return the types that were registered, by name."""
        self._open = False
        return tuple(self._types[name] for name in sorted(self._types))

    def _check(self, type_name: object, prefix: str, kind: type[Component[Any]], cls: Any, factory: object) -> None:
        if not self._open:
            raise self._error(type_name, _TOO_LATE)
        if not isinstance(type_name, str) or not re.fullmatch(
            rf"{prefix}\.[\w.-]+", type_name, re.ASCII | re.IGNORECASE
        ):
            raise self._error(type_name, f"its name must be {prefix}. and then letters, digits, dots, dashes")
        if type_name.lower() in self._types:
            raise self._error(type_name, "it is registered twice")
        if not isinstance(cls, type) or not issubclass(cls, kind):
            raise self._error(type_name, f"{_name(cls)} is not a subclass of jackfield.{kind.__name__}")
        if inspect.isabstract(cls):
            missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
            raise self._error(type_name, f"{cls.__name__} is abstract: it lacks {missing}")
        settings: object = cls.Settings
        if not isinstance(settings, type) or not issubclass(settings, Settings):
            raise self._error(type_name, f"{cls.__name__}.Settings is not a subclass of jackfield.Settings")
        if factory is not None and not callable(factory):
            raise self._error(type_name, "its factory can't be called")

    def _check_strategy(self, name: object, cls: Any) -> None:
        thing = "strategy"
        if not self._open:
            raise self._error(name, _TOO_LATE, thing)
        if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise self._error(name, "its name must be lower-case letters, digits and dashes, a letter first", thing)
        if name in self._strategies:
            raise self._error(name, "it is registered twice", thing)
        if not isinstance(cls, type) or not issubclass(cls, RoutingStrategy):
            raise self._error(name, f"{_name(cls)} is not a subclass of jackfield.RoutingStrategy", thing)
        if cls.order is RoutingStrategy.order:
            raise self._error(name, f"{cls.__name__} does not implement order", thing)
        if inspect.iscoroutinefunction(cls.order):
            raise self._error(name, f"{cls.__name__}.order is async; it is a plain function that doesn't wait", thing)

    def _add(
        self,
        type_name: str,
        kind: type[Component[Any]],
        cls: type[Component[Any]],
        factory: Callable[..., Component[Any]] | None,
        *,
        default: bool = False,
    ) -> None:
        name = type_name.lower()
        self._types[name] = ComponentType(name, kind, cls, factory or cls, cls.Settings, self._plugin, default)

    def _error(self, name: object, rule: str, thing: str = "type") -> PluginError:
        return PluginError(f"plugin {self._plugin!r} can't register the {thing} {name!r}: {rule}")


class ObserverRegister:
    """What ``register_observers`` hands to one plugin; see ``jackfield.RegisterObservers``.

    Args:
        plugin: the plugin's name.
    """

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin
        self._requests: list[Callable[[Record], None]] = []
        self._catalogs: list[Callable[[CatalogChange], None]] = []
        self._breakers: list[Callable[[BreakerChange], None]] = []

    def request_finished(self, observer: Callable[[Record], None]) -> None:
        """Register a plain function for finished requests.

        Raises:
            PluginError: it can't be called, or is async.
        """
        self._check(observer)
        self._requests.append(observer)

    def catalog_changed(self, observer: Callable[[CatalogChange], None]) -> None:
        """Register a plain function for new catalogs; raises as ``request_finished`` does."""
        self._check(observer)
        self._catalogs.append(observer)

    def breaker_changed(self, observer: Callable[[BreakerChange], None]) -> None:
        """Register a plain function for circuit breakers; raises as ``request_finished`` does."""
        self._check(observer)
        self._breakers.append(observer)

    def close(self) -> Observers:
        """Return what was registered, in that order."""
        plugin = self._plugin
        return Observers(
            tuple((plugin, observer) for observer in self._requests),
            tuple((plugin, observer) for observer in self._catalogs),
            tuple((plugin, observer) for observer in self._breakers),
        )

    def _check(self, observer: object) -> None:
        if not callable(observer):
            raise PluginError(f"plugin {self._plugin!r} can't register {_name(observer)} as an observer: no function")
        if inspect.iscoroutinefunction(observer) or inspect.iscoroutinefunction(type(observer).__call__):
            raise PluginError(
                f"plugin {self._plugin!r} can't register {_name(observer)} as an observer: it is async, and observers "
                "are plain functions that don't wait"
            )


def _name(thing: object) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__))
