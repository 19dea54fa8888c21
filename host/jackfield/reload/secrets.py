"""Asking secret stores whether their secrets have changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from jackfield.catalog.catalog import Catalog
from jackfield.catalog.instance import Instance
from jackfield.components import SecretStore
from jackfield.faults import is_fault
from jackfield.logs import frames

__all__ = ["SecretChanges"]

_log = logging.getLogger("jackfield.reload")
_LIMIT = 5.0
"""Seconds that a store may take to say whether it has changed: all reloading waits for it."""


class SecretChanges:
    """Asks the stores of a catalog; one that can't say counts as unchanged, and is named once."""

    def __init__(self) -> None:
        self._silent: set[str] = set()
        self._generation: int | None = None
        self._stores: dict[str, SecretStore[Any]] = {}

    async def stores(self, catalog: Catalog) -> set[str]:
        """Return the names of the stores whose secrets may have changed since they were asked last."""
        if catalog.generation != self._generation:  # many components, seldom a store, and asked every second
            self._generation, self._stores = catalog.generation, dict(_stores(catalog))
        return {name for name, store in self._stores.items() if await self._changed(name, store)}

    async def _changed(self, name: str, store: SecretStore[Any]) -> bool:
        try:
            async with asyncio.timeout(_LIMIT):
                changed = await store.changed()
        except BaseException as error:
            if not is_fault(error):
                raise
            if name not in self._silent:
                self._silent.add(name)
                about = {"component": name, "error": type(error).__name__, "at": frames(error)}
                _log.warning("a secret store can't say whether its secrets have changed", extra=about)
            return False
        self._silent.discard(name)
        return changed


def _stores(catalog: Catalog) -> Iterator[tuple[str, SecretStore[Any]]]:
    for name, entry in catalog.entries.items():
        instance = entry.instance
        if instance is None or type(instance) is not Instance:
            continue  # a conversation
        if isinstance(instance.component, SecretStore):
            yield name, instance.component
