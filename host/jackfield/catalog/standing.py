"""Components that no manifest names: the default store and the default scrubber of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from jackfield.catalog.instance import close_quietly
from jackfield.chain.supply import Supply
from jackfield.components import Build, Component
from jackfield.errors import PluginError
from jackfield.plugins.types import ComponentType, ComponentTypes

__all__ = ["Standing"]

ComponentT = TypeVar("ComponentT", bound=Component[Any])


@dataclass(frozen=True)
class Standing:
    """Makes at most one component of each kind, when it is first asked for, with the default settings of its type.

    It is started when it is first used, and closed with the host.

    Attributes:
        types: the component types that plugins registered.
        environment: the process's environment.
    """

    types: ComponentTypes
    environment: Mapping[str, str] = field(repr=False)
    _made: dict[type[Component[Any]], Supply[Component[Any]]] = field(default_factory=dict, repr=False)

    def supply(self, kind: type[ComponentT]) -> Supply[ComponentT] | None:
        """Return the default component of a kind; None if no plugin brings one.

        Raises:
            PluginError: several plugins bring one, or it can't be made.
        """
        if kind not in self._made:
            found = self.types.default(kind)
            if found is None:
                return None
            component = self._make(found)
            self._made[kind] = Supply(component, component.start)
        return cast("Supply[ComponentT]", self._made[kind])

    def begin(self, kind: type[ComponentT]) -> None:
        """Have the default component of a kind started in the background, if any stage has asked for it."""
        if kind in self._made:
            self._made[kind].begin()

    async def close(self) -> None:
        """Close what was made; a start that is still under way is ended first."""
        made = list(self._made.values())
        self._made.clear()
        await asyncio.gather(*map(_close, made))

    def _make(self, found: ComponentType) -> Component[Any]:
        try:
            settings = found.settings()
        except ValidationError:
            cause = f"{found.name} of plugin {found.plugin} is a default, and yet has settings that must be given"
            raise PluginError(f"{cause}; name a component of it in the manifest") from None
        return found.factory(Build(found.name, found.name, settings, self.environment, plugin=found.plugin))


async def _close(supply: Supply[Component[Any]]) -> None:
    await supply.stop()
    await close_quietly(supply.component)
