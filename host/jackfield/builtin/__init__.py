"""The host's own plugins. They use the same hooks as everybody's, and no door besides."""

from __future__ import annotations

from jackfield.builtin import local_env, local_file

__all__ = ["BUILTINS"]

BUILTINS = (local_env, local_file)
"""The modules that every host registers before it looks for installed plugins."""
