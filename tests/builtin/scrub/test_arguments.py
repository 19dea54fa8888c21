"""What is masked in the arguments of a tool call."""

from __future__ import annotations

import json
import re

import pytest

from jackfield.builtin.scrub.arguments import masked_arguments


def mask(text: str) -> str:
    """Mask words that begin with ``secret``."""
    return re.sub(r"secret\w*", '<"S">', text)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ('{"a": 1.50, "b" : 1e400, "c":[null,true]}', '{"a": 1.50, "b" : 1e400, "c":[null,true]}'),
        ('{"secret1" : "x secret2", "n": 1.0}', '{"secret1" : "x <\\"S\\">", "n": 1.0}'),
        ('["secret", {"k": ["secret"]}]', '["<\\"S\\">", {"k": ["<\\"S\\">"]}]'),
        ('"secret"', '"<\\"S\\">"'),
        (r'{"a": "\u0073ecret \"q\" \u00e9"}', '{"a": "<\\"S\\"> \\"q\\" é"}'),
        (r'{"a": "secret \ud800"}', r'{"a": "<\"S\"> \ud800"}'),
        (r'{"a": "k\u00e9pt \/"}', r'{"a": "k\u00e9pt \/"}'),
        ('{"a": "secret', '{"a": "<"S">'),
        ("secret words", '<"S"> words'),
        ("[" * 100_000 + "secret", "[" * 100_000 + '<"S">'),
    ],
)
def test_string_values_are_masked(arguments: str, shown: str) -> None:
    """String values are masked, all else keeps its spelling; what is no JSON is masked as plain text."""
    assert masked_arguments(arguments, mask) == shown


def test_masked_arguments_stay_json() -> None:
    """A label may hold any character without breaking the JSON."""
    masked = masked_arguments('{"a":"secret","9007199254740993":9007199254740993}', mask)
    assert json.loads(masked) == {"a": '<"S">', "9007199254740993": 9007199254740993}
