"""Plugins: finding them, loading them in a way that survives bad ones, and asking them through a typed facade."""

from __future__ import annotations

from jackfield.plugins.manager import Plugins, load_plugins
from jackfield.plugins.options import allow_list, parse_names, parse_prefer
from jackfield.plugins.records import PluginRecord, PluginState
from jackfield.plugins.types import ComponentType, ComponentTypes

__all__ = [
    "ComponentType",
    "ComponentTypes",
    "PluginRecord",
    "PluginState",
    "Plugins",
    "allow_list",
    "load_plugins",
    "parse_names",
    "parse_prefer",
]
