"""Which plugins a command loads, as the operator says with options or variables."""

from __future__ import annotations

import os

from jackfield.builtin.modules import BUILTINS
from jackfield.plugins.manager import Plugins, load_plugins
from jackfield.plugins.options import allow_list, parse_names

__all__ = ["load_chosen"]


def load_chosen(allow: str | None = None, deny: str | None = None) -> Plugins:
    """Load the plugins that a command's ``--plugins`` and ``--deny-plugins`` leave.

    Args:
        allow: the option's text; None if it isn't given, and then ``JACKFIELD_PLUGINS`` counts.
        deny: likewise, with ``JACKFIELD_DENY_PLUGINS``.
    """
    denied = os.environ.get("JACKFIELD_DENY_PLUGINS") if deny is None else deny
    return load_plugins(builtins=BUILTINS, allow=allow_list(allow, os.environ), deny=parse_names(denied) or ())
