"""Say in plain words what libyaml could not read, and what to do about it."""

from __future__ import annotations

import yaml

__all__ = ["explain"]

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


def explain(error: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    """Explain a syntax error.

    Args:
        error: what PyYAML raised.
        text: the document.

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
        return mark.line, *_stray(_character(text, mark))
    if problem in _OPENED:
        mark = error.context_mark or mark
    last = text.rstrip().count("\n")
    return min(mark.line, last), *_words(problem)


def _words(problem: str) -> tuple[str, str]:
    return _WORDS.get(problem) or (f"the document is not YAML ({problem})", _INDENT)


def _character(text: str, mark: yaml.Mark) -> str:
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    return line[mark.column : mark.column + 1]


def _stray(character: str) -> tuple[str, str]:
    if character == "\t":
        return _TAB
    return f"a value begins with {character or 'a reserved character'}", "put it in quotes"
