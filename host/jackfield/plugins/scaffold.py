"""A new plugin: a distribution of its own that runs at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from string import Template

from packaging.utils import canonicalize_name
from packaging.version import Version

from jackfield.errors import ConfigurationError
from jackfield.version import __version__

__all__ = ["check_name", "write_plugin"]


_FILES = {
    "$module.py": "module.py.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "tests/conftest.py": "conftest.py.txt",
    "tests/test_$word.py": "test.py.txt",
    ".github/workflows/publish.yml": "publish.yml.txt",
    ".gitignore": "gitignore.txt",
}
"""The files of a new plugin, in the order in which to read them, and their templates."""

_OURS = frozenset(
    {
        "anthropic",
        "bedrock",
        "deepseek",
        "echo",
        "googleai",
        "grpc",
        "huggingface",
        "llamacpp",
        "metrics",
        "mistral",
        "ollama",
        "openai",
        "openai-api",
        "openrouter",
        "otel",
        "presidio",
        "redis",
    }
)
"""Plugins of the host's own project: two distributions of one name could never be installed together."""


def check_name(name: str, taken: Collection[str]) -> str:
    """Return a new plugin's name in lower case and without the prefix ``jackfield-``.

    Args:
        name: what was asked for.
        taken: names of plugins that are installed.

    Raises:
        ConfigurationError: it is no name, or another plugin's.
    """
    plain = name.lower().removeprefix("jackfield-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", plain):
        raise ConfigurationError(
            f"{name!r} can't be a plugin's name; write letters, digits and single dashes, a letter first, as my-model"
        )
    if plain in _OURS:
        raise ConfigurationError(
            f"jackfield-{plain} is a plugin of Jackfield's own project (jackfield install {plain}); take another name"
        )
    if plain in {canonicalize_name(other) for other in taken}:
        raise ConfigurationError(f"a plugin called {plain!r} is installed already; take another name")
    return plain


def write_plugin(name: str, folder: Path, *, version: str = __version__) -> list[Path]:
    """Write a plugin's distribution into the new folder ``jackfield-NAME``.

    Args:
        name: the plugin's name, as ``check_name`` returns it.
        folder: where to make its folder; made too if it doesn't exist.
        version: the host's version that the plugin asks for.

    Returns:
        The files, in the order in which to read them.

    Raises:
        ConfigurationError: the folder exists already, or can't be written.
    """
    target = folder / f"jackfield-{name}"
    host = Version(version)
    least = f"{host.major}.{host.minor}" if not host.is_prerelease else host.public
    facts = {
        "name": name,
        "module": f"jackfield_{name.replace('-', '_')}",
        "word": name.replace("-", "_"),
        "cls": "".join(word.capitalize() for word in name.split("-")),
        "range": f">={least},<{host.major}.{host.minor + 1}",
    }
    templates = files("jackfield.plugins") / "templates"
    try:
        target.mkdir(parents=True)
        written = []
        for path, template in _FILES.items():
            file = target / Template(path).substitute(facts)
            file.parent.mkdir(parents=True, exist_ok=True)
            text = (templates / template).read_text("utf-8")
            file.write_text(Template(text).substitute(facts), "utf-8")
            written.append(file)
    except FileExistsError:
        raise ConfigurationError(f"{target} exists already; take another name, or another folder with --to") from None
    except OSError as error:
        raise ConfigurationError(f"{target} can't be written: {error.strerror}; choose a folder with --to") from None
    return written
