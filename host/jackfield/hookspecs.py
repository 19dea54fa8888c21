"""The hooks: every way in which a plugin takes part in the host.

Hooks resolve, handlers run. A hook is a plain ``def`` that is asked once, at start, and gives back the thing that does
the work. It never is a coroutine function or a wrapper, and no hook is called while a request is served.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    import click

    from jackfield.components import Conversation, SecretStore
    from jackfield.messages import Record

__all__ = ["RegisterComponents", "RegisterObservers", "hookimpl"]

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


class RegisterObservers(Protocol):
    """What ``register_observers`` hands to a plugin."""

    def request_finished(self, observer: Callable[[Record], None]) -> None:
        """Have a plain function called with the record of every finished conversation request.

        It runs on the event loop after the reply has left, so it must not block. What it raises is logged with the
        plugin's name and goes no further.
        """


class Hooks:
    """The specifications. Each docstring says what, when, who wins, what an exception does, and since when."""

    @hookspec
    def register_components(self, register: RegisterComponents) -> None:
        """Register the component types that a plugin brings.

        When: once, at the start of each process that serves or checks manifests.
        Who wins: every plugin is asked. A type that two plugins register belongs to neither, and both are named, unless
        ``--prefer TYPE=PLUGIN`` picks one; the return value is not used.
        An exception: the plugin fails as a whole, none of its types is registered, and the host serves on.
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
    def register_commands(self, cli: click.Group) -> None:
        """Add subcommands to the ``jackfield`` command.

        When: for ``jackfield --help`` and for a command that is not the host's own; never for ``jackfield serve``.
        Who wins: the host's own commands can't be replaced; of two plugins that add one name, the first by plugin name
        keeps it; the return value is not used.
        An exception: the plugin's commands are left out and the cause is printed to standard error.
        Since: 0.1.
        """
