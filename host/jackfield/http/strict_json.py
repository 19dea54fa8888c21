"""JSON read as protojson reads it: what is doubtful is refused, never guessed (contract sheet, section 1.2).

A lenient reader keeps the last of two equal keys, so ``{"scrubPii": true, "scrubPii": false}`` would switch off what
the caller asked for. msgspec is such a reader, and by far the fastest; whether it dropped anything shows in the number
of quotation marks. What it refuses, or may have dropped, the standard library's reader looks at key by key, which costs
three times as much and says precisely what is wrong.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder, JSONEncoder
from math import isfinite
from typing import Any

import msgspec

from jackfield.errors import MalformedRequest

__all__ = ["DEEPEST", "parse", "parse_precisely"]

DEEPEST = 200
"""How many arrays and objects may stand inside each other. A JSON Schema takes two levels per nested object, three with
an array between, so 60 of them fit; and what is accepted here can be walked and written again by plain recursion,
within Python's limit of 1,000 frames. protojson's own limit is 10,000."""

_LONGEST_NAME = 40


class _RefusedError(ValueError):
    """Valid JSON that protojson doesn't take."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RefusedError(f"the key {name[:_LONGEST_NAME]!r} is given twice in one object")
            seen.add(name)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _RefusedError("a number is too large for a double")
    return number


def _no_constant(text: str) -> float:
    raise _RefusedError(f"{text} is not JSON; only a number field takes it, as a string")


_PRECISE = JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
_WRITER = JSONEncoder(ensure_ascii=False, check_circular=False)
_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
_DOUBTS = (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError)
"""What msgspec raises for a text that it refuses, or that it reads and can't write."""


def parse(body: bytes) -> Any:
    """Read one JSON text.

    Returns:
        Dicts, lists, strings, ints, finite floats, booleans and None. An empty body is an empty object.

    Raises:
        MalformedRequest: invalid UTF-8, a lone surrogate, a key given twice in one object, a number no double can hold,
            ``NaN`` or ``Infinity`` without quotes, more than ``DEEPEST`` levels, text after the end, or no JSON at all.
            The text names place and cause and repeats nothing of the body but a doubled key's first 40 characters.
    """
    if not body:
        return {}
    try:
        tree = _DECODER.decode(body)
        # Every mark of the body is one of the tree's, written again. Only a dropped member takes marks away, at least
        # the two of its key; and only an escape that holds one without showing it could make up for them.
        sound = _ENCODER.encode(tree).count(b'"') == body.count(b'"') and not (b"\\" in body and b"\\u0022" in body)
    except _DOUBTS:
        sound = False
    if not sound:
        tree = parse_precisely(body)
    # Every level takes two bytes at least, and one of these.
    if len(body) > 2 * DEEPEST and body.count(b"[") + body.count(b"{") > DEEPEST:
        _check_depth(tree)
    return tree


def parse_precisely(body: bytes) -> Any:
    """Read one JSON text with the standard library; returns and raises what ``parse`` does, but for the depth."""
    try:
        tree = _PRECISE.decode(body.decode())
        if b"\\ud" in body or b"\\uD" in body:
            # Escaped surrogates are rare; a lone one is found by writing the text again.
            _WRITER.encode(tree).encode()
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"invalid UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError:
        raise MalformedRequest("a string holds half of a surrogate pair") from None
    except JSONDecodeError as error:
        raise MalformedRequest(f"invalid JSON at line {error.lineno} column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _too_deep() from None
    except _RefusedError as error:
        raise MalformedRequest(str(error)) from None
    except ValueError:
        # Python refuses integers of thousands of digits, as reading them takes quadratic time.
        raise MalformedRequest("a number has too many digits") from None
    return tree


def _check_depth(tree: Any) -> None:
    # Level by level rather than by recursion: only this bounds the tree, as newer Pythons parse thousands of levels.
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise _too_deep()
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]


def _too_deep() -> MalformedRequest:
    return MalformedRequest(f"more than {DEEPEST} arrays and objects inside each other")
