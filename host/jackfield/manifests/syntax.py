"""Say in plain words what libyaml could not read, and what to do about it."""

from __future__ import annotations

import bisect
import re
from typing import Protocol

import yaml

__all__ = ["Lines", "explain"]

_OTHER_ENDS = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_INDENT = "check the indentation, and put a value that has ': ' or ' #' in it in quotes"
_TAB = ("a tab is used to indent", "use spaces")
_WORDS = {
    "mapping values are not allowed in this context": ("a ':' stands where none can be", _INDENT),
    "could not find expected ':'": ("a line has no ':'", "write `name: value`"),
    "did not find expected key": ("the line fits neither the object nor the list around it", _INDENT),
    "did not find expected '-' indicator": ("the line fits neither the object nor the list around it", _INDENT),
    "found a tab character that violates indentation": _TAB,
    "found a tab character where an indentation space is expected": _TAB,
    "block sequence entries are not allowed in this context": ("a '-' stands where no list can begin", _INDENT),
    "did not find expected ',' or ']'": ("a list in [ ] is not closed", "add the ']' or a ','"),
    "did not find expected ',' or '}'": (
        "an object in { } is not closed",
        "add the '}' or a ',', or put a value that begins with { in quotes",
    ),
    "did not find expected node content": ("a value is missing in a list or an object in brackets", "complete it"),
    "found unexpected end of stream": ("quotes are opened and not closed", "add the closing quote"),
    "found unexpected document indicator": ("quotes are opened and not closed", "add the closing quote"),
    "found unknown escape character": ("a backslash in double quotes escapes nothing", "use single quotes"),
    "did not find expected <document start>": ("text follows the end of the document", "begin the next one with ---"),
    "control characters are not allowed": ("a control character stands in the text", "take it out"),
}
_OPENED = {
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}'",
    "found unexpected end of stream",
    "found unexpected document indicator",
}
"""Errors whose cause is where something was opened, not where the text ended."""


class Mark(Protocol):
    """A place in a text, of PyYAML's or of libyaml's making."""

    line: int
    index: int


class Lines:
    """Finds the line of a mark, counted from 0.

    libyaml also ends lines at U+0085, U+2028, U+2029 and a lone carriage return, and editors don't.
    """

    def __init__(self, text: str) -> None:
        self._ends = [end.start() for end in re.finditer("\n", text)] if _OTHER_ENDS.search(text) else None

    def of(self, mark: Mark) -> int:
        """Return a mark's line as editors count it."""
        return mark.line if self._ends is None else bisect.bisect_left(self._ends, mark.index)


def explain(error: yaml.YAMLError, text: str, lines: Lines) -> tuple[int, str, str]:
    """Explain a syntax error.

    Args:
        error: what PyYAML raised.
        text: the document.
        lines: its lines.

    Returns:
        The line, counted from 0 at the document's first; the cause; the fix.
    """
    if isinstance(error, yaml.reader.ReaderError):
        line = text.encode()[: error.position].count(b"\n")
        return line, *_words(str(error.reason))
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return 0, "the document is not YAML", _INDENT
    mark = error.problem_mark
    problem = error.problem or ""
    if problem == "found character that cannot start any token":
        return lines.of(mark), *_stray(text[mark.index : mark.index + 1])
    if problem in _OPENED:
        mark = error.context_mark or mark
    last = text.rstrip().count("\n")
    return min(lines.of(mark), last), *_words(problem)


def _words(problem: str) -> tuple[str, str]:
    return _WORDS.get(problem) or (f"the document is not YAML ({problem})", _INDENT)


def _stray(character: str) -> tuple[str, str]:
    if character == "\t":
        return _TAB
    return f"a value begins with {character or 'a reserved character'}", "put it in quotes"
