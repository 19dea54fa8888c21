"""The Pythons that are supported: one list, wherever it stands."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
SUPPORTED = ["3.11", "3.12", "3.13"]
_PREFIX = "Programming Language :: Python :: 3."


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_every_distribution_supports_the_same_pythons(path: Path) -> None:
    """Classifiers, which an index shows, name each supported Python, and installers refuse older ones."""
    project = tomllib.loads(path.read_text())["project"]
    named = [
        each.removeprefix("Programming Language :: Python :: ") for each in project["classifiers"] if _PREFIX in each
    ]
    assert named == SUPPORTED
    assert project["requires-python"] == f">={SUPPORTED[0]}"


def test_nox_tests_each_of_them() -> None:
    """``nox -s pythons`` has them all, and may have later ones that nobody promises yet."""
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    [pythons] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PYTHONS"
    ]
    assert pythons[: len(SUPPORTED)] == SUPPORTED
