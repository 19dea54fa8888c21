"""Strict JSON: what protojson refuses is refused, in words that name place and cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield.errors import MalformedRequest
from jackfield.http.strict_json import DEEPEST, parse, parse_precisely

REFUSED = {
    b"{": "invalid JSON at line 1 column 2",
    b" ": "invalid JSON at line 1 column 2",
    b"hello": "invalid JSON at line 1 column 1",
    b"{'a':1}": "invalid JSON at line 1 column 2",
    b'{"a":1,}': "invalid JSON at line 1 column",
    b'{"a":1} // note': "invalid JSON at line 1 column 9: Extra data",
    b'{"a":1}{"a":1}': "invalid JSON at line 1 column 8: Extra data",
    b'\xef\xbb\xbf{"a":1}': "invalid JSON at line 1 column 1",
    b'{"a":"\n"}': "invalid JSON at line 1 column 7",
    b'{"a":"\xff"}': "invalid UTF-8 at byte 6",
    b'{"unknown":{"deep":["\xc3("]}}': "invalid UTF-8 at byte 21",
    b'{"a":"\xed\xa0\x80"}': "invalid UTF-8 at byte 6",
    b'{"\xc0\xaf":1}': "invalid UTF-8 at byte 2",
    rb'{"a":"\ud83d"}': "a string holds half of a surrogate pair",
    rb'{"a":"\uDE00 x"}': "a string holds half of a surrogate pair",
    rb'{"\ud83dA":1}': "a string holds half of a surrogate pair",
    b'{"a":1,"a":1}': "the key 'a' is given twice in one object",
    b'{"a":1,"\\u0061":2}': "the key 'a' is given twice in one object",
    b'{"x":[{"y":{"b":null,"b":null}}]}': "the key 'b' is given twice in one object",
    b'{"a":NaN}': "NaN is not JSON",
    b'{"a":Infinity}': "Infinity is not JSON",
    b'{"a":[-Infinity]}': "-Infinity is not JSON",
    b'{"a":1e999}': "a number is too large for a double",
    b'{"a":' + b"9" * 5000 + b"}": "a number has too many digits",
    b'{"a":01}': "invalid JSON at line 1",
    b"[" * 10_000: f"more than {DEEPEST} arrays and objects inside each other",
    b"[" * 10_000 + b"]" * 10_000: f"more than {DEEPEST} arrays and objects inside each other",
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000: f"more than {DEEPEST} arrays and objects inside each other",
    b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1): f"more than {DEEPEST} arrays and objects inside each other",
}


@pytest.mark.parametrize(("body", "cause"), REFUSED.items(), ids=[str(number) for number in range(len(REFUSED))])
def test_doubtful_json_is_refused_with_its_cause(body: bytes, cause: str) -> None:
    """Every text that a strict reader doubts is a malformed request that says why."""
    with pytest.raises(MalformedRequest) as caught:
        parse(body)
    assert caught.value.message.startswith("failed deserializing HTTP body: ")
    assert cause in caught.value.detail


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        None,
        "text",
        {"a": {"a": [{"a": 1}, {"a": 2}]}, "b": [1.5, -3, True, False, None]},
        {"emoji": "\U0001f600", "escaped": 'a"\\ud800 is no escape here'},
        {"": {"": ""}},
        [[]] * 500,
        {"brackets": "[" * 500},
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_sound_json_is_read_as_it_is(value: object, ascii_only: bool) -> None:
    """Equal keys in different objects, surrogate pairs and many shallow arrays are in order."""
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_the_deepest_json_allowed_is_read() -> None:
    """The limit itself is still accepted, in arrays and objects alike."""
    assert parse(b'[{"a":' * (DEEPEST // 2) + b"1" + b"}]" * (DEEPEST // 2))


def test_an_empty_body_is_an_empty_message() -> None:
    """A body of zero bytes counts as an object without members."""
    assert parse(b"") == {}


def test_a_doubled_key_is_shown_shortened() -> None:
    """Of the body, an error repeats no more than 40 characters of a key."""
    key = b'"' + b"k" * 1000 + b'"'
    with pytest.raises(MalformedRequest) as caught:
        parse(b"{" + key + b":1," + key + b":2}")
    assert len(caught.value.detail) < 100


CHARACTERS = st.sampled_from(
    [
        "a",
        "b",
        "\\u0061",
        '\\"',
        "\\u0022",
        "\\\\",
        "\\\\u0022",
        "\\/",
        "\\n",
        "\u00e9",
        "\\u00e9",
        "\U0001f600",
        "\\ud83d",
        "\\ude00",
    ]
)
STRINGS = st.lists(CHARACTERS, max_size=3).map(lambda characters: f'"{"".join(characters)}"')
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["-0", "-0.0", "0e5", "1E5", "1e999", "-1e999", "1e-999", "01", "1.", "NaN", "-Infinity"]),
)
TEXTS = st.recursive(
    st.one_of(STRINGS, NUMBERS, st.sampled_from(["true", "false", "null", " 1 ", "{}"])),
    lambda values: st.one_of(
        st.lists(values, max_size=4).map(lambda items: f"[{','.join(items)}]"),
        st.lists(st.tuples(STRINGS, values), max_size=4).map(
            lambda members: "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"
        ),
    ),
    max_leaves=12,
)


def outcome(read: Callable[[bytes], Any], body: bytes) -> str:
    """Tell what a reader makes of a body, down to the types and the signs of zeros."""
    try:
        return repr(read(body))
    except MalformedRequest as error:
        return error.message


@example('{"a":1,"a":"\\u0022\\u0022"}')
@example('{"a":"b","\\u0061":"\\u0022\\u0022\\u0022\\u0022"}')
@example('{"a\\"b":{"a":[{"b":1,"b":2}]}}')
@example('{"":[],"":[]}')
@given(TEXTS)
def test_the_fast_reader_reads_as_the_precise_one_does(text: str) -> None:
    """Whatever a text holds, doubled keys in any disguise included, speed changes neither value nor error."""
    assert outcome(parse, text.encode()) == outcome(parse_precisely, text.encode())


@given(st.one_of(st.binary(min_size=1), TEXTS.flatmap(lambda text: st.binary(max_size=2).map(text.encode().__add__))))
def test_the_fast_reader_refuses_as_the_precise_one_does(body: bytes) -> None:
    """Bytes that are no JSON get the same words from both."""
    assert outcome(parse, body) == outcome(parse_precisely, body)
