"""Plugins live on the host's public names alone, and those names are there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PUBLIC = ("jackfield", "jackfield.frontends", "jackfield.testing", "jackfield.upstream")
SOURCES = [file for file in sorted(ROOT.glob("plugins/*/*/**/*.py")) if ".nox" not in file.parts]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: "/".join(source.parts[-3:]))
def test_a_plugin_imports_public_names_only(source: Path) -> None:
    """No module or test of a plugin reaches into the host."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names if name.name.partition(".")[0] == "jackfield"]
            assert set(modules) <= set(PUBLIC)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "jackfield":
            assert node.module in PUBLIC
            assert {name.name for name in node.names} <= set(importlib.import_module(node.module).__all__)


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_exist(module: str) -> None:
    """Every name that a public module promises is there."""
    loaded = importlib.import_module(module)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []
