"""Component types: what a manifest's ``spec.type`` can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from packaging.utils import canonicalize_name

from jackfield.components import Component
from jackfield.settings import Settings

__all__ = ["ComponentType", "ComponentTypes"]


@dataclass(frozen=True)
class ComponentType:
    """One component type.

    Attributes:
        name: such as ``conversation.echo``, in lower case.
        kind: ``Conversation`` or ``SecretStore``.
        cls: the plugin's class, of that kind.
        factory: makes an instance from a ``Build``; the class itself unless the plugin gave another.
        settings: the model of the manifest's metadata.
        plugin: the name of the plugin that registered it.
    """

    name: str
    kind: type[Component[Any]]
    cls: type[Component[Any]]
    factory: Callable[..., Component[Any]]
    settings: type[Settings]
    plugin: str


class ComponentTypes:
    """The component types of a process; it never changes.

    A type that two plugins register belongs to neither, unless one is preferred. A preference is a promise the other
    way round too: a type preferred from a plugin that doesn't register it is not taken from another.

    Args:
        registered: all that plugins registered.
        prefer: plugin names by component type, both in any case.
        absent: for plugins that aren't loaded, the reason by plugin name; see ``hint``.
    """

    def __init__(
        self,
        registered: Iterable[ComponentType],
        *,
        prefer: Mapping[str, str] = MappingProxyType({}),
        absent: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        owners: dict[str, list[ComponentType]] = {}
        for component_type in registered:
            owners.setdefault(component_type.name, []).append(component_type)
        preferred = {name.lower(): plugin for name, plugin in prefer.items()}
        self._types: dict[str, ComponentType] = {}
        self._clashes: dict[str, str] = {}
        self._absent = dict(absent)
        for name in sorted(owners.keys() | preferred.keys()):
            self._settle(name, owners.get(name, []), preferred.get(name))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all types that can be used, sorted."""
        return tuple(self._types)

    @property
    def clashes(self) -> Mapping[str, str]:
        """The types that are registered and can't be used, each with the reason and the fix."""
        return MappingProxyType(self._clashes)

    def find(self, type_name: str) -> ComponentType | None:
        """Return a type by its name in any case; None if it is unknown or not usable."""
        return self._types.get(type_name.lower())

    def clash(self, type_name: str) -> str:
        """Say why a registered type can't be used, and what to do; empty if that is not what is wrong with it."""
        return self._clashes.get(type_name.lower(), "")

    def hint(self, type_name: str) -> str:
        """Say why an unknown type may be missing: a plugin of that name is installed but isn't loaded; else empty."""
        plugin = type_name.lower().partition(".")[2]
        return next((text for name, text in self._absent.items() if _same(name, plugin)), "")

    def __iter__(self) -> Iterator[ComponentType]:
        return iter(self._types.values())

    def __len__(self) -> int:
        return len(self._types)

    def _settle(self, name: str, owners: list[ComponentType], preferred: str | None) -> None:
        if preferred is not None:
            chosen = [owner for owner in owners if _same(owner.plugin, preferred)]
            if chosen:
                self._types[name] = chosen[0]
                return
            why = next((text for plugin, text in self._absent.items() if _same(plugin, preferred)), "")
            others = ", ".join(owner.plugin for owner in owners) or "no plugin"
            self._clashes[name] = (
                f"--prefer takes {name} from plugin {preferred!r}, which does not register it; "
                f"{why or f'{others} does'}; correct or drop --prefer"
            )
        elif len(owners) == 1:
            self._types[name] = owners[0]
        else:
            names = " and ".join(owner.plugin for owner in owners)
            self._clashes[name] = (
                f"{name} is registered by the plugins {names}, so neither is used; "
                f"pick one with --prefer {name}={owners[0].plugin}"
            )


def _same(one: str, other: str) -> bool:
    return canonicalize_name(one) == canonicalize_name(other)
