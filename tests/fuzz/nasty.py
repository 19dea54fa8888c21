"""Values that programs get wrong: pieces from which the targets draw."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["NUMBERS", "TEXTS", "edited", "json_values", "mutated_json", "texts"]

TEXTS = (
    "",
    " ",
    "\x00",
    "\ufeff",
    "\u2028",
    "\u202e",
    "é́",
    "\ud800",
    "\U0001f468‍\U0001f469‍\U0001f467",
    "null",
    "~",
    "true",
    "yes",
    "0",
    "-1",
    "1e400",
    "0x1f",
    "NaN",
    "Infinity",
    "9223372036854775808",
    "1:30",
    "2024-10-21",
    "0.1s",
    "-5m",
    "1h1h1h",
    "64Mi",
    "1e99",
    "none",
    "{}",
    "[",
    '{"a":',
    "<script>",
    "../../etc/passwd",
    "a/b",
    "%2F",
    "%zz",
    "${HOME}",
    "{uuid}",
    "{podName}",
    "http://",
    "https://[::1",
    "http://user:pass@127.0.0.1:99999/",
    "file:///etc/passwd",
    "a\r\nb: c",
    "~opaque~",
    "key\nkey",
    "A" * 300,
    "(" * 100,
)
NUMBERS = (0, -0.0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 1e308, 5e-324, 0.1, True, False)


def texts(size: int = 40) -> st.SearchStrategy[str]:
    """Draw a text: a nasty one, or any that UTF-8 can hold."""
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=size)
    return st.sampled_from(TEXTS).filter(_encodable) | plain


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def json_values(leaves: int = 12) -> st.SearchStrategy[Any]:
    """Draw a JSON value."""
    leaf = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.integers() | st.floats(allow_nan=False) | texts()
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(10), inner, max_size=4),
        max_leaves=leaves,
    )


@st.composite
def mutated_json(draw: st.DrawFn, sources: tuple[Any, ...], *, names: tuple[str, ...] = ()) -> Any:
    """Draw a value that resembles one of some sources: a few of its nodes are replaced, dropped, doubled or nested.

    Args:
        draw: Hypothesis's.
        sources: what to begin with; JSON values.
        names: names that a member may get beside its own.
    """
    value = json.loads(json.dumps(draw(st.sampled_from(sources))))
    for _ in range(draw(st.integers(1, 4))):
        value = _mutate(draw, value, names)
    return value


def _mutate(draw: st.DrawFn, value: Any, names: tuple[str, ...]) -> Any:
    """Go down to some node, by chance, and change it."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        return _mutate_object(draw, value, names)
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        return _mutate_list(draw, value, names)
    match draw(st.sampled_from(["other", "wrap", "nest", "text", "as text", "deep"])):
        case "wrap":
            return [value]
        case "nest":
            return {draw(texts(10)): value}
        case "text":
            return draw(texts(200))
        case "as text":
            return json.dumps(value)
        case "deep":
            for _ in range(draw(st.sampled_from([10, 70, 300]))):
                value = [value]
            return value
    return draw(json_values())


def _mutate_object(draw: st.DrawFn, value: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(value)))
    other = st.sampled_from(names) | texts(10) if names else texts(10)
    match draw(st.sampled_from(["down", "down", "down", "down", "drop", "rename", "add"])):
        case "down":
            return {**value, name: _mutate(draw, value[name], names)}
        case "drop":
            return {key: one for key, one in value.items() if key != name}
        case "rename":
            new = draw(other)
            return {new if key == name else key: one for key, one in value.items()}
    return {**value, draw(other): draw(json_values())}


def _mutate_list(draw: st.DrawFn, value: list[Any], names: tuple[str, ...]) -> list[Any]:
    place = draw(st.integers(0, len(value) - 1))
    match draw(st.sampled_from(["down", "down", "down", "drop", "double", "turn"])):
        case "down":
            return [*value[:place], _mutate(draw, value[place], names), *value[place + 1 :]]
        case "drop":
            return [*value[:place], *value[place + 1 :]]
        case "double":
            return [*value, *value]
    return value[::-1]


@st.composite
def edited(draw: st.DrawFn, sources: tuple[bytes, ...], tokens: tuple[bytes, ...] = ()) -> bytes:
    """Draw bytes that resemble a source: pieces of it are cut out, doubled, overwritten, or tokens put between."""
    data = draw(st.sampled_from(sources))
    put = st.binary(max_size=8) | (st.sampled_from(tokens) if tokens else st.nothing())
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 0, 1, 2, 8, 40, 200])))
        match draw(st.sampled_from(["cut", "put", "put", "double", "end"])):
            case "cut":
                data = data[:start] + data[end:]
            case "put":
                data = data[:start] + draw(put) + data[end:]
            case "double":
                data = data[:end] + data[start:end] * draw(st.sampled_from([1, 2, 50])) + data[end:]
            case "end":
                data = data[:start]
    return data[:100_000]
