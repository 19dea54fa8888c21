"""The public interface: typed, documented, and used in the file that the type checkers read."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import runpy
from importlib.resources import files
from pathlib import Path

import pytest
from markdown import ROOT

import jackfield

HERE = Path(__file__).parent
NAMES = [name for name in jackfield.__all__ if name != "__version__"]
PAGES = "\n".join(path.read_text("utf-8") for path in sorted(ROOT.glob("docs/plugins/*.md")))


def defined_in(name: str) -> str:
    """Return the module that ``jackfield/__init__.py`` takes a name from."""
    for node in ast.parse(inspect.getsource(jackfield)).body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {alias.name for alias in node.names}:
            return node.module
    raise AssertionError(f"jackfield doesn't import {name}")


def documentation(name: str) -> str:
    """Return the docstring of a class or function, or the text that stands under an assignment."""
    module = importlib.import_module(defined_in(name))
    body = ast.parse(inspect.getsource(module)).body
    for index, node in enumerate(body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            following = body[index + 1] if index + 1 < len(body) else None
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return str(following.value.value)
    return ""


@pytest.mark.parametrize("name", NAMES)
def test_every_exported_name_is_documented(name: str) -> None:
    """Each has a docstring, or a text under its assignment, and stands as code on a page for plugin authors."""
    assert documentation(name), f"{name} in {defined_in(name)} has no docstring"
    code = re.findall(r"```.*?```|`[^`]+`", PAGES, re.DOTALL)
    assert any(re.search(rf"\b{name}\b", text) for text in code), f"no page in docs/plugins says what {name} is"


def test_every_exported_name_is_used_where_the_type_checkers_look() -> None:
    """The file of usages leaves none out, so that none changes its type unnoticed."""
    tree = ast.parse((HERE / "usages.py").read_text("utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert sorted(set(jackfield.__all__) - used) == []


def test_the_usages_can_be_run() -> None:
    """What the type checkers accept can be imported too: classes are made, hooks are marked."""
    defined = runpy.run_path(str(HERE / "usages.py"))
    assert defined["register_components"].jackfield_impl


def test_the_type_marker_ships() -> None:
    """Type checkers read the annotations of an installed host (PEP 561)."""
    assert files("jackfield").joinpath("py.typed").is_file()
