"""From what a plugin raised to the state and the one-line reason in its record."""

from __future__ import annotations

import os
import re
import traceback
from pathlib import Path

from pluggy import PluginValidationError

from jackfield.errors import PluginError
from jackfield.faults import text_of
from jackfield.plugins.records import PluginState

__all__ = ["one_line", "verdict"]

_HERE = str(Path(__file__).parent)
_SECRET_NAME = re.compile(r"key|token|secret|passw|credential", re.IGNORECASE)
_LONGEST = 300


def verdict(error: BaseException, *, module: str = "") -> tuple[PluginState, str]:
    """Say what an exception makes of the plugin that raised it.

    Args:
        error: what came out of importing, registering or asking the plugin.
        module: the plugin's own module; that one missing is the plugin's fault.

    Returns:
        The state and the reason: the exception's kind, text and place, without a traceback.
    """
    if isinstance(error, ImportError) and error.name:
        top = error.name.partition(".")[0]
        if top == "jackfield":
            text = f"imports something this jackfield does not have: {one_line(text_of(error))}{_place(error)}"
            return "incompatible", text
        if isinstance(error, ModuleNotFoundError) and top != module.partition(".")[0]:
            return "skipped", f"needs the module {error.name}; install the package that has it"
    if isinstance(error, PluginValidationError):
        return "incompatible", one_line(text_of(error))
    if isinstance(error, PluginError):
        return "failed", f"{one_line(text_of(error))}{_place(error)}"
    text = ": ".join(part for part in (type(error).__name__, one_line(text_of(error))) if part)
    return "failed", f"{text}{_place(error)}"


def one_line(text: str) -> str:
    """Make a text fit for a listing: one line of at most 300 characters, secrets from the environment masked."""
    secrets = {value for name, value in os.environ.items() if len(value) >= 8 and _SECRET_NAME.search(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _place(error: BaseException) -> str:
    """Where it was raised, as ``folder/file.py:12``: the innermost line that is neither Python's import nor ours."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_short(error.filename)}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((_HERE, "<frozen importlib"))]
    theirs = [frame for frame in theirs if os.sep + "importlib" + os.sep not in frame.filename]
    return f" ({_short(theirs[-1].filename)}:{theirs[-1].lineno})" if theirs else ""


def _short(path: str) -> str:
    return "/".join(path.replace(os.sep, "/").split("/")[-2:])
