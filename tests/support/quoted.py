"""Figures that the docs quote: written into a page by the command that measured them, with its date and machine."""

from __future__ import annotations

import argparse
import os
import platform
import re
import time
from pathlib import Path

__all__ = ["DOCS", "blocks", "heading", "unusual", "write_block"]

DOCS = Path(__file__).parents[2] / "docs"

_BLOCK = re.compile(r"<!-- (?P<name>[^:>]+): begin -->\n```text\n(?P<text>.*?)```\n<!-- (?P=name): end -->", re.DOTALL)


def heading(command: str) -> str:
    """Say what was run, when and on what: the first lines of every block of figures."""
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"$ {command}\n{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {machine}\n"


def unusual(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> list[str]:
    """Say with which options a run can be repeated: time and seed, where they aren't the usual ones."""
    options = {name: getattr(arguments, name) for name in ("seconds", "seed")}
    return [f"--{name}={value}" for name, value in options.items() if value != parser.get_default(name)]


def blocks(page: Path) -> dict[str, str]:
    """Find the blocks of figures of a page, by name."""
    return {match["name"]: match["text"] for match in _BLOCK.finditer(page.read_text())}


def write_block(page: Path, name: str, text: str) -> None:
    """Put figures where a page has its block of this name.

    Raises:
        LookupError: the page has no such block.
    """
    if name not in blocks(page):
        raise LookupError(f"{page.name} has no block `<!-- {name}: begin -->` for these figures")
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = page.read_text().partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n```text\n{text}```\n{end}{tail}")
