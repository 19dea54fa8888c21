"""The environment that components see: the process's own, over what an ``--env-file`` holds."""

from __future__ import annotations

import os
import re
from pathlib import Path

from jackfield.errors import ConfigurationError

__all__ = ["read_environment"]

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)", re.DOTALL)


def read_environment(env_file: Path | None = None) -> dict[str, str]:
    """Read variables from a file of ``NAME=value`` lines, and lay the process's own over them.

    Blank lines and lines that begin with ``#`` are left out; a value may stand in single or double quotes. The file's
    variables are set in the process too, so that libraries see them.

    Raises:
        ConfigurationError: the file is not text, or a line has another form; its number is named, its text is not, as
            it may be a secret.
    """
    if env_file is not None:
        for number, line in enumerate(_text(env_file).splitlines(), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            match = _LINE.fullmatch(text)
            if match is None:
                raise ConfigurationError(f"{env_file}:{number}: this is not NAME=value; mend it or put a # before it")
            os.environ.setdefault(match[1], _value(match[2]))
    return dict(os.environ)


def _text(env_file: Path) -> str:
    try:
        text = env_file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ConfigurationError(f"--env-file: {env_file} is not text in UTF-8; save it as UTF-8")
    return text


def _value(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text.partition(" #")[0].rstrip()
