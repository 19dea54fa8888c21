"""Plugins that are built and installed for one test, into a folder of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["install_built", "write_project"]

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "jackfield-{name}"
version = "1.0"
dependencies = ["jackfield"]

[project.entry-points.jackfield]
{entries}
[tool.hatch.build.targets.wheel]
only-include = {packages}
"""


def install_built(folder: Path, name: str, files: Mapping[str, str], entries: Mapping[str, str]) -> Path:
    """Build a distribution and install it with ``pip install --target``; return the folder for a process's path.

    Args:
        folder: an empty folder to work in.
        name: the distribution's name after ``jackfield-``.
        files: the sources by their path.
        entries: the modules of its plugins by the plugins' names.
    """
    source, target = folder / "source", folder / "installed"
    write_project(source, name, files, entries)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    return target


def write_project(source: Path, name: str, files: Mapping[str, str], entries: Mapping[str, str]) -> None:
    """Write a distribution's sources and its pyproject.toml into a folder; the arguments are ``install_built``'s."""
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    lines = "".join(f'{plugin} = "{module}"\n' for plugin, module in entries.items())
    packages = sorted({path.partition("/")[0] for path in files})
    (source / "pyproject.toml").write_text(_PROJECT.format(name=name, entries=lines, packages=packages))
