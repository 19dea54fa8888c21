"""Plugins that are installed in place for one test, with their metadata in a folder of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from built_plugin import write_project

__all__ = ["install_editable", "install_in_place", "on_path"]


def install_editable(folder: Path, name: str, files: Mapping[str, str], entries: Mapping[str, str]) -> Path:
    """Write a distribution and install it editable; return the site folder, whose ``.pth`` files have to be read.

    Args:
        folder: where to work: the sources come into ``source``, the metadata into ``installed``.
        name: the distribution's name after ``jackfield-``.
        files: the sources by their path.
        entries: the modules of its plugins by the plugins' names.
    """
    source, target = folder / "source", folder / "installed"
    write_project(source, name, files, entries)
    install_in_place(source, target)
    return target


def install_in_place(source: Path, target: Path) -> None:
    """Install a project editable, its metadata and ``.pth`` file into a folder of their own."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(target), "--editable", str(source)], check=True)


def on_path(site: Path, folder: Path) -> str:
    """Make processes that have a folder on their ``PYTHONPATH`` read a site folder's ``.pth`` files; return it."""
    (folder / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(site)!r})\n")
    return str(folder)
