"""The typed face of the plugins: the one file that calls hooks."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib.metadata import Distribution, distributions
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name
from pluggy import HookImpl, PluginManager

from jackfield.chain.build import ChainBuild, ScrubStages
from jackfield.chain.handler import Stage
from jackfield.hookspecs import Hooks
from jackfield.observing import Observers
from jackfield.plugins.asking import AskService, Provided, call, first, provided, service
from jackfield.plugins.discovery import GROUP, Candidate, discover, matches, sift
from jackfield.plugins.loading import guarded, load
from jackfield.plugins.records import PluginRecord
from jackfield.plugins.register import ObserverRegister, TypeRegister
from jackfield.plugins.routes import PluginRoute, RouteRegister, clashing
from jackfield.plugins.types import ComponentType, ComponentTypes
from jackfield.routing import RoutingStrategy
from jackfield.version import __version__

if TYPE_CHECKING:
    import click

    from jackfield.frontends.host_view import HostView, ServiceScope

__all__ = ["Plugins", "load_plugins"]

_BUILTIN = "builtin."
_log = logging.getLogger(__name__)


def load_plugins(
    *,
    builtins: Iterable[ModuleType] = (),
    allow: Collection[str] | None = None,
    deny: Collection[str] = (),
    installed: Iterable[Distribution] | None = None,
    version: str = __version__,
) -> Plugins:
    """Find, import and register plugins. No plugin can make this fail.

    Args:
        builtins: the host's own plugins, registered first as ``builtin.`` and the module's name.
        allow: the installed plugins to load, by the plugin's or its distribution's name; None for all, empty for none.
            Built-in plugins are not subject to it.
        deny: the plugins not to load, built-in ones too; stronger than ``allow``.
        installed: the distributions to look through, those of this environment by default.
        version: the version that plugins' requirements are held against, this host's by default.
    """
    found = discover(distributions() if installed is None else installed)
    own = [_builtin(module, version) for module in builtins]
    manager = PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    wanted_own, records = sift(own, allow=None, deny=deny, version=version)
    wanted, refused = sift(found, allow=allow, deny=deny, version=version)
    records += load(manager, (*wanted_own, *wanted)) + refused
    known = (*own, *found)
    notices = (*_unknown("--plugins", allow or (), known), *_unknown("--deny-plugins", deny, known))
    return Plugins(manager, records, notices)


class Plugins:
    """The plugins of a process. ``load_plugins`` makes it, the app owns it.

    Every hook is asked one implementation at a time, the host's own first, then by plugin name, each in a guard: what
    one plugin raises is written into its record, and the others are asked all the same.

    Args:
        manager: holds the plugins that are loaded.
        records: one for each plugin, loaded or not.
        notices: what else the operator should know, such as a plugin named in an option that isn't installed.
    """

    def __init__(self, manager: PluginManager, records: Iterable[PluginRecord], notices: Iterable[str] = ()) -> None:
        self._manager = manager
        self._records = sorted(records, key=_order)
        self._notices = tuple(notices)
        self._registered: tuple[ComponentType, ...] | None = None
        self._strategies: dict[str, dict[str, type[RoutingStrategy]]] = {}
        self._observers: Observers | None = None
        self._routes: tuple[PluginRoute, ...] | None = None

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """One record for each plugin, as things stand: built-in ones first, then by name."""
        return tuple(self._records)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the operator should know beside the records, one line each."""
        return self._notices

    def component_types(self, prefer: Mapping[str, str] = MappingProxyType({})) -> ComponentTypes:
        """Return the component types of all plugins; the hook is called the first time.

        Args:
            prefer: plugin names by component type, for types that several plugins register.
        """
        if self._registered is None:
            registered: list[ComponentType] = []
            for implementation in self._implementations(self._manager.hook.register_components.get_hookimpls()):
                registered += self._register(implementation)
            self._registered = tuple(registered)
        absent = {
            record.name: f"plugin {record.name} of {record.distribution} is {record.state}: {record.reason}"
            for record in self._records
            if record.state != "loaded"
        }
        return ComponentTypes(self._registered, prefer=prefer, absent=absent)

    def strategies(self) -> Mapping[str, type[RoutingStrategy]]:
        """Return the routing strategies of all plugins by name; one that two plugins register is left out."""
        self.component_types()
        return {name: next(iter(found.values())) for name, found in self._strategies.items() if len(found) == 1}

    def scrub_stages(self, build: ChainBuild, *, named: bool) -> Provided[ScrubStages] | None:
        """Return the stages that scrub for a component; None if no plugin has any for it.

        Args:
            build: the component.
            named: its manifest names a scrubber, so that the defaults are asked first.

        Raises:
            InvalidSetting: a setting of the manifest is wrong.
            HookFailed: a plugin's implementation raised something else, or answered with something else.
        """
        found = self._manager.hook.provide_scrubber.get_hookimpls()
        return first(
            "provide_scrubber", self._implementations(found), ScrubStages, {"build": build}, defaults_first=named
        )

    def route_stage(self, build: ChainBuild) -> Provided[Stage] | None:
        """Return the stage that routes a component's requests; raises and answers as ``scrub_stages`` does."""
        found = self._manager.hook.provide_router.get_hookimpls()
        return first("provide_router", self._implementations(found), None, {"build": build})

    def cache_stage(self, build: ChainBuild, *, named: bool) -> Provided[Stage] | None:
        """Return the stage that keeps a component's replies; as ``scrub_stages``."""
        found = self._manager.hook.provide_cache.get_hookimpls()
        return first("provide_cache", self._implementations(found), None, {"build": build}, defaults_first=named)

    def wrap_stages(self, build: ChainBuild, order: Sequence[str] = ()) -> tuple[Provided[Stage], ...]:
        """Return all plugins' own stages for a component, the outermost first; raises as ``scrub_stages`` does.

        Args:
            build: the component.
            order: names of plugins whose stages come first, in this order.
        """
        found = self._implementations(self._manager.hook.wrap_handler.get_hookimpls())
        places = {canonicalize_name(name): place for place, name in reversed(list(enumerate(order)))}
        found.sort(key=lambda one: places.get(canonicalize_name(one.plugin_name), len(places)))
        answers = [provided("wrap_handler", one, None, {"build": build}) for one in found]
        return tuple(answer for answer in answers if answer is not None)

    def observers(self) -> Observers:
        """Return the functions to tell of finished requests, new catalogs and circuit breakers.

        The hook is called the first time, after ``register_components``: a plugin that fails there has no observers.
        """
        if self._observers is None:
            self.component_types()
            observers: list[Observers] = []
            for implementation in self._implementations(self._manager.hook.register_observers.get_hookimpls()):
                register = ObserverRegister(implementation.plugin_name)
                if not self._ask("register_observers", implementation, register=register):
                    observers.append(register.close())
            self._observers = Observers.together(observers)
        return self._observers

    def services(self, host: HostView, scope: ServiceScope) -> tuple[tuple[str, AskService], ...]:
        """Return what asks each plugin for its service for a scope, with the plugin's name; see ``asking.service``.

        Each may be called again and again, as a context manager can be entered once.
        """
        found = self._implementations(self._manager.hook.run_service.get_hookimpls())
        arguments = {"host": host, "scope": scope}
        return tuple((one.plugin_name, partial(service, one, arguments)) for one in found)

    def routes(self) -> tuple[PluginRoute, ...]:
        """Return the HTTP paths of all plugins' front ends; the hook is called the first time, as for ``observers``.

        A path that two plugins register is left out, and both plugins' records say so.
        """
        if self._routes is None:
            self.component_types()
            found: list[PluginRoute] = []
            for implementation in self._implementations(self._manager.hook.register_routes.get_hookimpls()):
                register = RouteRegister(implementation.plugin_name)
                failed = self._ask("register_routes", implementation, register=register)
                routes = register.close()
                found += () if failed else routes
            clashes = clashing(found)
            for text, routes_of_it in clashes.items():
                for name in {route.plugin for route in routes_of_it}:
                    self._note(name, reason=text)
            left_out = [route for routes_of_it in clashes.values() for route in routes_of_it]
            self._routes = tuple(route for route in found if route not in left_out)
        return self._routes

    def add_commands(self, group: click.Group) -> tuple[str, ...]:
        """Add the plugins' commands to a group; a command the group has already is not replaced.

        Returns:
            What was left out and why, one line each, for standard error.
        """
        import click

        taken = set(group.list_commands(click.Context(group)))
        complaints: list[str] = []
        for implementation in self._implementations(self._manager.hook.register_commands.get_hookimpls()):
            plugin, own = implementation.plugin_name, click.Group(group.name)
            reason = self._ask("register_commands", implementation, cli=own)
            if reason:
                complaints.append(f"the commands of plugin {plugin} are left out: {reason}")
                continue
            for name, command in sorted(own.commands.items()):
                if name in taken:
                    complaints.append(f"the command {name} of plugin {plugin} is left out: there is one of that name")
                else:
                    group.add_command(command, name)
                    taken.add(name)
        return tuple(complaints)

    def log(self) -> None:
        """Write one line for each plugin, and the notices; a host that serves calls it once all hooks were asked."""
        for record in self._records:
            level = logging.ERROR if record.at_fault else logging.WARNING if record.state == "skipped" else logging.INFO
            facts = {"plugin": record.name, "distribution": record.distribution, "version": record.version}
            _log.log(
                level, "plugin %s", record.state, extra=facts | ({"reason": record.reason} if record.reason else {})
            )
        for notice in self._notices:
            _log.warning("%s", notice)

    def _implementations(self, found: Iterable[HookImpl]) -> list[HookImpl]:
        places = {record.name: place for place, record in enumerate(self._records) if record.state == "loaded"}
        return sorted(found, key=lambda implementation: places[implementation.plugin_name])

    def _register(self, implementation: HookImpl) -> tuple[ComponentType, ...]:
        register = TypeRegister(implementation.plugin_name)
        failed = self._ask("register_components", implementation, register=register)
        types = register.close()
        if failed:
            self._manager.unregister(implementation.plugin)
            return ()
        for name, cls in register.strategies.items():
            self._strategies.setdefault(name, {})[implementation.plugin_name] = cls
        self._note(implementation.plugin_name, types=tuple(component_type.name for component_type in types))
        return types

    def _ask(self, hook: str, implementation: HookImpl, **arguments: object) -> str:
        """Call one implementation with the arguments it takes; return what went wrong, which is in the record then."""
        fault = guarded(partial(call, hook, implementation, arguments), module=implementation.function.__module__)
        if fault is None:
            return ""
        state, reason = fault
        if hook == "register_components":
            self._note(implementation.plugin_name, state=state, reason=reason, hooks=())
        else:
            reason = f"{hook}: {reason}"
            self._note(implementation.plugin_name, reason=reason)
        return reason

    def _note(self, plugin: str, *, reason: str = "", **changes: Any) -> None:
        for place, record in enumerate(self._records):
            if record.name == plugin and record.state == "loaded":
                reasons = [text for text in (record.reason, reason) if text]
                told = record.reason if reason in record.reason else "; ".join(reasons)
                self._records[place] = replace(record, reason=told, **changes)


def _order(record: PluginRecord) -> tuple[bool, str, str]:
    return (not record.name.startswith(_BUILTIN), canonicalize_name(record.name), record.distribution)


def _builtin(module: ModuleType, version: str) -> Candidate:
    name = _BUILTIN + module.__name__.rpartition(".")[2]
    return Candidate(name, "jackfield", version, "", module.__name__, lambda: module)


def _unknown(option: str, names: Iterable[str], known: Collection[Candidate]) -> list[str]:
    """Complain of names in a list that no plugin has: a plugin denied under a wrong name would be loaded."""
    notices = []
    for name in names:
        if not any(matches(candidate, (name,)) for candidate in known):
            close = get_close_matches(name, [candidate.name for candidate in known], n=1, cutoff=0.7)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            notices.append(f"{option} names {name!r}, and no installed plugin is called that{meant}")
    return notices
