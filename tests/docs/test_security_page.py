"""The page on security: each promise is a test's, and each of the security tests is a promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from markdown import ROOT, page

SECURITY = page("docs/security.md")
ROWS = [row for row in SECURITY.table("Promises") if len(row) == 2]
_LINK = re.compile(r"\[`(?P<name>test_\w+)`\]\((?P<file>[^)]+\.py)\)")


def promises(path: Path) -> dict[str, str]:
    """Return the docstrings of a module's tests by their names."""
    functions = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_docstring(node) or "" for node in functions if node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[1].partition("`")[2].partition("`")[0]))
def test_a_promise_is_a_test_s(row: list[str]) -> None:
    """A row's promise is the docstring of the test that it links to, word for word."""
    link = _LINK.fullmatch(row[1])
    assert link is not None, row
    path = (SECURITY.path.parent / link["file"]).resolve()
    assert path.is_relative_to(ROOT)
    assert promises(path).get(link["name"]) == row[0]


def test_every_security_test_is_a_promise() -> None:
    """Each test of tests/security stands in a table of the page, once; so does each other that the page links to."""
    linked = [(link["file"], link["name"]) for row in ROWS if (link := _LINK.fullmatch(row[1]))]
    assert len(linked) == len(set(linked))
    paths = sorted((ROOT / "tests/security").glob("test_*.py"))
    there = {(f"../{path.relative_to(ROOT).as_posix()}", name) for path in paths for name in promises(path)}
    assert there - set(linked) == set()
    assert there
