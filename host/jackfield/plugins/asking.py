"""Asking single implementations of hooks, and judging what they answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from pluggy import HookImpl

from jackfield.chain.handler import Handler, Stage
from jackfield.errors import InvalidSetting, JackfieldError, PluginError, ServiceFailed
from jackfield.faults import is_fault, text_of
from jackfield.logs import frames

__all__ = ["AskService", "HookFailed", "Provided", "call", "first", "provided", "service", "sound"]

T = TypeVar("T")

AskService: TypeAlias = Callable[[], "AbstractAsyncContextManager[object] | None"]
"""Asks one plugin for its service; None if it has none for the scope."""


class HookFailed(PluginError):
    """A plugin's implementation of a hook raised something, or gave something that can't be used."""


class Provided(NamedTuple, Generic[T]):
    """What a hook gave, and the plugin it is from."""

    plugin: str
    answer: T


def call(hook: str, implementation: HookImpl, arguments: Mapping[str, object]) -> object:
    """Call one implementation with the arguments it takes.

    Raises:
        PluginError: it is async after all.
    """
    positional = [arguments[name] for name in implementation.argnames]
    named = {name: arguments[name] for name in implementation.kwargnames if name in arguments}
    answer: object = implementation.function(*positional, **named)
    if inspect.iscoroutine(answer):
        answer.close()
        raise PluginError(f"hook {hook!r} returned a coroutine; hooks are plain functions")
    return answer


def provided(
    hook: str, implementation: HookImpl, kind: type | None, arguments: Mapping[str, object]
) -> Provided[Any] | None:
    """Ask one implementation for something; None if it gives nothing.

    Args:
        hook: the hook's name.
        implementation: the plugin's function.
        kind: what it must give; None for anything that can be called.
        arguments: the hook's arguments by name.

    Raises:
        InvalidSetting: a setting of the component is wrong; also several of them in an ``ExceptionGroup``.
        HookFailed: the implementation raised something else, or gave something else.
    """
    plugin = implementation.plugin_name
    try:
        answer = call(hook, implementation, arguments)
    except BaseException as error:
        if not is_fault(error) or isinstance(error, InvalidSetting) or _all_settings(error):
            raise
        where = "" if isinstance(error, JackfieldError) else f" (at {frames(error)})"
        raise HookFailed(f"plugin {plugin}: {hook}: {type(error).__name__}: {text_of(error)}{where}") from error
    if answer is None:
        return None
    if not (callable(answer) if kind is None else isinstance(answer, kind)):
        wanted = "a stage" if kind is None else kind.__name__
        raise HookFailed(f"plugin {plugin}: {hook} gave {type(answer).__name__} rather than {wanted} or None")
    return Provided(plugin, answer)


def sound(hook: str, found: Provided[Any], stage: Stage) -> Stage:
    """Guard a stage that a plugin gave: what it makes of a handler has to be a handler.

    Args:
        hook: the hook that gave it.
        found: the plugin's answer.
        stage: the stage in it.
    """

    def guarded(handler: Handler) -> Handler:
        try:
            made: object = stage(handler)
        except BaseException as error:
            if not is_fault(error) or isinstance(error, InvalidSetting) or _all_settings(error):
                raise
            where = "" if isinstance(error, JackfieldError) else f" (at {frames(error)})"
            cause = f"{type(error).__name__}: {text_of(error)}{where}"
            raise HookFailed(f"plugin {found.plugin}: the stage of {hook}: {cause}") from error
        if not callable(made):
            kind = type(made).__name__
            raise HookFailed(f"plugin {found.plugin}: the stage of {hook} made {kind} rather than a handler")
        return cast("Handler", made)

    return guarded


def service(implementation: HookImpl, arguments: Mapping[str, object]) -> AbstractAsyncContextManager[object] | None:
    """Ask one implementation of ``run_service``; None if it has no service for the scope.

    Raises:
        ServiceFailed: it says itself that it can't start.
        HookFailed: it raised something else, or gave something else.
    """
    try:
        found = provided("run_service", implementation, AbstractAsyncContextManager, arguments)
    except HookFailed as error:
        if isinstance(error.__cause__, ServiceFailed):
            raise error.__cause__ from None
        raise
    return None if found is None else found.answer


def _all_settings(error: BaseException) -> bool:
    return isinstance(error, ExceptionGroup) and error.split(InvalidSetting)[1] is None


def first(
    hook: str,
    implementations: Iterable[HookImpl],
    kind: type | None,
    arguments: Mapping[str, object],
    *,
    defaults_first: bool = False,
) -> Provided[Any] | None:
    """Ask one implementation after the other until one gives something; arguments and errors as for ``provided``.

    Args:
        hook: the hook's name.
        implementations: in the plugins' order.
        kind: what is to be given.
        arguments: the hook's arguments by name.
        defaults_first: ask those that are marked ``trylast`` before the others.
    """
    order = sorted(implementations, key=lambda one: (one.trylast != defaults_first, not one.tryfirst))
    answers = (provided(hook, implementation, kind, arguments) for implementation in order)
    return next((answer for answer in answers if answer is not None), None)
