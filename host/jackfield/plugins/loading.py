"""Importing plugins and registering them with pluggy, so that a bad one harms nobody but itself."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches

from pluggy import PluginManager, PluginValidationError

from jackfield.faults import is_fault
from jackfield.hookspecs import Hooks
from jackfield.plugins.discovery import Candidate
from jackfield.plugins.faults import verdict
from jackfield.plugins.records import PluginRecord, PluginState

__all__ = ["guarded", "load", "unknown_hooks"]


def guarded(action: Callable[[], object], *, module: str = "") -> tuple[PluginState, str] | None:
    """Run a piece of a plugin's code and catch whatever it raises, ``SystemExit`` too.

    What it prints goes to standard error, so that a command's own output stays what it promises to be.

    Args:
        action: the code to run.
        module: the plugin's own module.

    Returns:
        None if it went well, else the state and reason that the exception gives the plugin.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            action()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not is_fault(error):
            raise
        return verdict(error, module=module)
    return None


def load(manager: PluginManager, candidates: Iterable[Candidate]) -> list[PluginRecord]:
    """Import and register plugins in the order given.

    Returns:
        One record each, in the same order; those that are loaded are registered under their names.
    """
    records = {candidate.name: _register(manager, candidate) for candidate in candidates}
    for name, reason in _drop_unknown(manager):
        records[name] = replace(records[name], state="incompatible", reason=reason, hooks=())
    return list(records.values())


def unknown_hooks(names: Iterable[str]) -> str:
    """Say that hooks don't exist, and which ones may have been meant."""
    texts = []
    for name in names:
        close = get_close_matches(name, _HOOKS, n=1, cutoff=0.7)
        texts.append(f"{name!r} is no hook of this jackfield{f'; did you mean {close[0]!r}?' if close else ''}")
    return "; ".join(texts)


_HOOKS = tuple(name for name in vars(Hooks) if not name.startswith("_"))


def _register(manager: PluginManager, candidate: Candidate) -> PluginRecord:
    def act() -> None:
        plugin = candidate.load()
        if plugin is None:
            raise PluginValidationError(plugin, "its entry point names None; name a module, a class or an object")
        if inspect.isclass(plugin):
            plugin = plugin()  # state that several of its hooks share belongs to one host, not to the module
        if manager.is_registered(plugin):
            raise PluginValidationError(plugin, f"is the same object as plugin {manager.get_name(plugin)!r}")
        manager.register(plugin, name=candidate.name)

    fault = guarded(act, module=candidate.module)
    if fault is not None:
        return candidate.record(*fault)
    plugin = manager.get_plugin(candidate.name)
    callers = manager.get_hookcallers(plugin) or []
    broken = [
        f"hook {caller.name!r} {rule}"
        for caller in callers
        for implementation in caller.get_hookimpls()
        if implementation.plugin is plugin
        and (rule := _broken_rule(implementation.function, implementation.wrapper or implementation.hookwrapper))
    ]
    if broken:
        manager.unregister(plugin)
        return candidate.record("incompatible", "; ".join(broken))
    hooks = tuple(sorted(caller.name for caller in callers if caller.has_spec()))
    return replace(candidate.record("loaded"), hooks=hooks)


def _broken_rule(function: Callable[..., object], wrapper: bool) -> str:
    """Rule one, hooks resolve and handlers run: what is asked once can't wait, and can't surround the work."""
    if wrapper:
        return "is a wrapper; hooks are asked once, so there is nothing to wrap"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return "is async; hooks are plain functions, and what they register may be async"
    if inspect.isgeneratorfunction(function):
        return "contains yield, so its body would never run; make it a plain function"
    return ""


def _drop_unknown(manager: PluginManager) -> Iterable[tuple[str, str]]:
    """Unregister, one by one, the plugins that implement hooks which don't exist."""
    while True:
        try:
            manager.check_pending()
        except PluginValidationError as error:
            callers = manager.get_hookcallers(error.plugin) or []
            unknown = [
                caller.name
                for caller in callers
                for implementation in caller.get_hookimpls()
                if implementation.plugin is error.plugin and not caller.has_spec() and not implementation.optionalhook
            ]
            yield manager.get_name(error.plugin) or "", unknown_hooks(unknown)
            manager.unregister(error.plugin)
        else:
            return
