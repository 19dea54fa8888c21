"""Which plugins a command loads, as the operator says with options or variables."""

from __future__ import annotations

import os

from jackfield.builtin.modules import BUILTINS
from jackfield.plugins.manager import Plugins, load_plugins
from jackfield.plugins.options import parse_names

__all__ = ["load_from_environment"]


def load_from_environment() -> Plugins:
    """Load the plugins that ``JACKFIELD_PLUGINS`` and ``JACKFIELD_DENY_PLUGINS`` leave."""
    return load_plugins(
        builtins=BUILTINS,
        allow=parse_names(os.environ.get("JACKFIELD_PLUGINS")),
        deny=parse_names(os.environ.get("JACKFIELD_DENY_PLUGINS")) or (),
    )
