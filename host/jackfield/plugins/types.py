"""Component types: what a manifest's ``spec.type`` can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from packaging.utils import canonicalize_name

from jackfield.components import Component
from jackfield.errors import PluginError
from jackfield.scrubbing import Scrubber
from jackfield.settings import Settings
from jackfield.stores import CacheStore

__all__ = ["DEFAULTS", "ComponentType", "ComponentTypes"]

DEFAULTS: Mapping[str, type[Component[Any]]] = MappingProxyType({"cache": CacheStore, "scrubber": Scrubber})
"""The kinds that may have a default type, by the word for them in ``--prefer WORD=PLUGIN``."""


@dataclass(frozen=True)
class ComponentType:
    """One component type.

    Attributes:
        name: such as ``conversation.echo``, in lower case.
        kind: ``Conversation``, ``SecretStore``, ``CacheStore`` or ``Scrubber``.
        cls: the plugin's class, of that kind.
        factory: makes an instance from a ``Build``; the class itself unless the plugin gave another.
        settings: the model of the manifest's metadata.
        plugin: the name of the plugin that registered it.
        default: used where no manifest names a component of its kind.
    """

    name: str
    kind: type[Component[Any]]
    cls: type[Component[Any]]
    factory: Callable[..., Component[Any]]
    settings: type[Settings]
    plugin: str
    default: bool = False


class ComponentTypes:
    """The component types of a process; it never changes.

    A type that two plugins register belongs to neither, unless one is preferred. A preference is a promise the other
    way round too: a type preferred from a plugin that doesn't register it is not taken from another.

    Args:
        registered: all that plugins registered.
        prefer: plugin names by component type, both in any case; also by ``cache`` and ``scrubber``, for the default.
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
        self._preferred_defaults = {kind: preferred.pop(word) for word, kind in DEFAULTS.items() if word in preferred}
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

    def default(self, kind: type[Component[Any]]) -> ComponentType | None:
        """Return the type to use where no manifest names a component of a kind; None if no plugin brings one.

        An installed plugin's beats the host's own.

        Raises:
            PluginError: several plugins bring one, or ``--prefer`` takes it from one that brings none.
        """
        found = [one for one in self._types.values() if one.kind is kind and one.default]
        word = next(word for word, known in DEFAULTS.items() if known is kind)
        preferred = self._preferred_defaults.get(kind)
        if preferred is not None:
            chosen = [one for one in found if _same(one.plugin, preferred)]
            if not chosen:
                raise PluginError(f"--prefer takes the default {word} from plugin {preferred!r}, which brings none")
            return chosen[0]
        installed = [one for one in found if not one.plugin.startswith("builtin.")] or found
        if len(installed) > 1:
            plugins = " and ".join(one.plugin for one in installed)
            fix = f"pick one with --prefer {word}={installed[0].plugin}, or name a component in the manifest"
            raise PluginError(f"the plugins {plugins} each bring a default {word}; {fix}")
        return installed[0] if installed else None

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
