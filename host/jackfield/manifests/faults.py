"""Say in plain words why pydantic refused a value, without showing a secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic_core import ErrorDetails

from jackfield.manifests.scalars import JSON
from jackfield.manifests.yaml import MappingNode, Node, SequenceNode

__all__ = ["explain", "hide", "locate", "telling"]

_NUMBERS = "write a number"
_WORDS = {
    "bool_parsing": ("must be true or false", "write true or false"),
    "bool_type": ("must be true or false", "write true or false"),
    "dict_type": ("must be an object", ""),
    "extra_forbidden": ("is not known", "take it out"),
    "finite_number": ("must be a finite number", ""),
    "float_parsing": ("must be a number", _NUMBERS),
    "float_type": ("must be a number", _NUMBERS),
    "int_from_float": ("must be a whole number", _NUMBERS),
    "int_parsing": ("must be a whole number", _NUMBERS),
    "int_type": ("must be a whole number", _NUMBERS),
    "list_type": ("must be a list", ""),
    "missing": ("is missing", "add it"),
    "model_type": ("must be an object", ""),
    "string_type": ("must be text", "put it in quotes"),
}
_LIMITS = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
}
_WRONG_KIND = {"dict_type", "list_type", "model_type", "string_type"}
_WITHOUT_VALUE = {"extra_forbidden", "missing"}
_OWN_WORDS = {"value_error", "assertion_error"}
_LONGEST = 60


def explain(error: ErrorDetails, *, hidden: bool) -> tuple[str, str]:
    """Explain one error.

    Args:
        error: one of ``ValidationError.errors()``.
        hidden: true if nothing of the value may be shown. The text of a ``PydanticCustomError`` still is: unlike a
            ``ValueError``, which any call may have raised, it was written to be shown.

    Returns:
        The cause and the fix.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in _OWN_WORDS:
        return ("has a value that it can't have" if hidden else str(context.get("error", ""))), ""
    cause, fix = _WORDS.get(kind, ("", ""))
    if kind in _LIMITS:
        cause = _LIMITS[kind].format(**context)
    cause = cause or error["msg"].replace("Input should", "must").replace("Value should", "must")
    value = error["input"]
    if not hidden and isinstance(value, (str, int, float)) and kind not in _WITHOUT_VALUE:
        cause += f", not {_shown(value)}"
    return cause, fix


def hide(text: str, secrets: Iterable[str]) -> str:
    """Take every secret out of a text, also where it stands as ``repr`` writes it."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in (secret, repr(secret)[1:-1]):
            text = text.replace(form, "***") if form else text
    return text


def telling(details: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out the errors of a union's members that are of the wrong kind altogether, if another says more."""
    more = {detail["loc"][:1] for detail in details if detail["type"] not in _WRONG_KIND}
    return [detail for detail in details if detail["type"] not in _WRONG_KIND or detail["loc"][:1] not in more]


def locate(path: Sequence[int | str], value: JSON, node: Node | None) -> tuple[str, int]:
    """Find the place of an error inside a list or object.

    Args:
        path: pydantic's path below the item, in which names of union members may stand.
        value: the item's value.
        node: the value as parsed, if the manifest has it.

    Returns:
        The path as ``[0].weight``, and the line of the innermost value that is there; 0 if it isn't known.
    """
    text, line = "", node.line if node else 0
    for index, part in enumerate(path):
        if isinstance(part, int) and isinstance(value, list) and part < len(value):
            value, text = value[part], f"{text}[{part}]"
            node = node.items[part] if isinstance(node, SequenceNode) else None
        elif isinstance(part, str) and isinstance(value, dict) and part in value:
            value, text = value[part], f"{text}.{part}"
            entries = node.entries if isinstance(node, MappingNode) else ()
            node = next((child for key, child in entries if key.text == part), None)
        elif index == len(path) - 1 and isinstance(value, dict):
            text = f"{text}.{part}"
        line = node.line if node else line
    return text, line


def _shown(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "":
        return "empty"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
