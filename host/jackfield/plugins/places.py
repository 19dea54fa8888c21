"""Where a plugin's code lies, known without running any of it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["code_path"]


def code_path(module: str) -> Path | None:
    """Return the folder of a module's package, or its file if it is a single module.

    Nothing of it is imported: a name with dots is looked up by its first part, unless that is imported already.

    Returns:
        None if it isn't there, or has no place in the file system.
    """
    top = module.partition(".")[0]
    if not top:
        return None
    try:
        spec = find_spec(module if top in sys.modules and top == "jackfield" else top)
    except (ImportError, ValueError, AttributeError):  # a module without a spec, or a finder that is broken
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin and spec.has_location else None
