"""Which of the host's own plugins every host has."""

from __future__ import annotations

from jackfield.builtin import cache, local_env, local_file, route, scrub

__all__ = ["BUILTINS"]

BUILTINS = (cache, local_env, local_file, route, scrub)
"""The modules that are registered before installed plugins are looked for."""
