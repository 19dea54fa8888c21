"""Builders for tests of what happens around a build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from jackfield.catalog.builder import Builder
from jackfield.catalog.chains import Chains
from jackfield.catalog.standing import Standing
from jackfield.plugins import ComponentType, ComponentTypes, load_plugins
from jackfield.resilience.registry import Resilience

__all__ = ["builder_of"]


def builder_of(types: Iterable[ComponentType], environment: Mapping[str, str] = MappingProxyType({})) -> Builder:
    """Make a builder that knows these types, and no plugin that provides stages."""
    known = ComponentTypes(types)
    return Builder(known, Chains(load_plugins(allow=()), Standing(known, environment), Resilience()), environment)
