"""From metadata to a component that serves, along the host's own way: manifest, decoding, build, chain."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Final

from jackfield.builtin.modules import BUILTINS
from jackfield.catalog.builder import Builder
from jackfield.catalog.chains import Chains
from jackfield.catalog.instance import ConversationInstance, close_quietly
from jackfield.catalog.standing import Standing
from jackfield.errors import ManifestError, Problem
from jackfield.manifests.documents import split
from jackfield.manifests.reading import parse_document
from jackfield.plugins.discovery import GROUP
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType
from jackfield.resilience.registry import Resilience

__all__ = ["Parts", "built", "item_line", "manifest_text"]

_FILE: Final = "component.yaml"
_FIRST_ITEM: Final = 10


def manifest_text(type_name: str, metadata: Mapping[str, Any], *, name: str = "llm") -> str:
    """Write a component manifest; ``item_line`` tells where an item of it stands.

    Args:
        type_name: the component type.
        metadata: the items of ``spec.metadata``; values are written as JSON, which YAML reads.
        name: the component's name.
    """
    items = "".join(f"  - name: {key}\n    value: {json.dumps(value)}\n" for key, value in metadata.items())
    listing = f"  metadata:\n{items}" if items else "  metadata: []\n"
    return (
        f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n"
        f"spec:\n  type: {type_name}\n  version: v1\n  initTimeout: 30s\n{listing}"
    )


def item_line(names: Sequence[str], name: str) -> int:
    """Return the line of an item in a manifest of ``manifest_text`` with items of these names."""
    return _FIRST_ITEM + 2 * names.index(name)


@dataclass(frozen=True)
class Parts:
    """What a component is built from.

    Attributes:
        type_name: the component type.
        plugin: the plugin's module; None finds the type among the installed plugins.
        environment: what the component sees of the process's environment.
    """

    type_name: str
    plugin: ModuleType | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def module(self) -> str:
        """The module that the host imports to find the type."""
        if self.plugin is not None:
            return self.plugin.__name__
        point = self.entry_point
        return "" if point is None else point.module

    @property
    def entry_point(self) -> EntryPoint | None:
        """Where the host found the plugin; None for one that is not installed."""
        name = self.kind.plugin
        return next((point for point in entry_points(group=GROUP) if point.name == name), None)

    @property
    def kind(self) -> ComponentType:
        """The component type, as its plugin registered it; raises as ``builder`` does."""
        found = self.builder().types.find(self.type_name)
        assert found is not None  # noqa: S101  ``builder`` has looked
        return found

    def builder(self) -> Builder:
        """Make what builds it, with all stages of the host and of the plugin.

        Raises:
            LookupError: no plugin that is loaded has the type.
        """
        own = () if self.plugin is None else (self.plugin,)
        plugins = load_plugins(builtins=(*BUILTINS, *own), allow=() if own else None)
        types = plugins.component_types()
        if types.find(self.type_name) is None:
            states = "; ".join(f"{record.name}: {record.state} {record.reason}".strip() for record in plugins.records)
            raise LookupError(
                f"no plugin registers {self.type_name!r} ({states}); install the plugin, or set `plugin` to its module"
            )
        standing = Standing(types, self.environment)
        return Builder(types, Chains(plugins, standing, Resilience()), self.environment)


@asynccontextmanager
async def built(
    parts: Parts, metadata: Mapping[str, Any]
) -> AsyncGenerator[tuple[ConversationInstance, tuple[Problem, ...]], None]:
    """Build and start a component from a manifest, and close it at the end.

    Yields:
        The instance, and the warnings there are.

    Raises:
        ManifestError: the metadata is wrong.
        StartFailed: the component could not be made or started.
    """
    (document,) = split(manifest_text(parts.type_name, metadata))
    parsed = parse_document(document, file=_FILE)
    if parsed.manifest is None:
        raise ManifestError(list(parsed.problems))
    instance, problems = await parts.builder().build(parsed.manifest, lambda _: None)
    if not isinstance(instance, ConversationInstance):
        raise TypeError(f"{parts.type_name} is no conversation component")
    try:
        yield instance, problems
    finally:
        await close_quietly(instance.component)
