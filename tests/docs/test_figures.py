"""Figures on the pages come from commands: each block says which, and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from quoted import DOCS, blocks
from suites import SUITES

PERFORMANCE, RELIABILITY = DOCS / "performance.md", DOCS / "reliability.md"
HEADING = re.compile(r"\$ nox -s [a-z]+( -- .+)?\n\d{4}-\d\d-\d\d, Python 3\.\d+\.\S+, .+, \d+ cores\n")
FIGURES = [(page, name) for page in (PERFORMANCE, RELIABILITY) for name in blocks(page)]


@pytest.mark.parametrize(("page", "name"), FIGURES, ids=[f"{page.stem}-{name}" for page, name in FIGURES])
def test_figures_begin_with_the_command_that_printed_them(page: Path, name: str) -> None:
    """Whoever reads a figure can measure it again: its command, the date and the machine stand above it."""
    text = blocks(page)[name]
    found = HEADING.match(text)
    assert found, text[:200]
    assert text[found.end() :].strip(), "no figures"


def test_each_suite_has_its_block() -> None:
    """What `--write` puts into the page on reliability has a place there, and no place is left without a suite."""
    assert set(blocks(RELIABILITY)) == {*(f"torture {name}" for name in SUITES), "fuzz"}


def test_charts_are_there_and_say_what_they_show() -> None:
    """Each picture of the page is a PNG that the benchmark has drawn, with a text for those who don't see it."""
    pictures = re.findall(r"!\[(.*)\]\((\S+)\)", PERFORMANCE.read_text())
    assert pictures
    for text, target in pictures:
        assert text
        assert (DOCS / target).read_bytes().startswith(b"\x89PNG\r\n"), target
