"""Reading calls and replies out of the JSON that the model is bound to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import TextPart, ToolCallPart
from jackfield_llamacpp.calls import CallReader


def _read(pieces: list[str], stops: tuple[str, ...] = ()) -> tuple[str, str, str, bool]:
    reader = CallReader(stops)
    parts = [part for piece in pieces for part in reader.feed(piece)]
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    return (
        "".join(part.text for part in parts if isinstance(part, TextPart)),
        "".join(call.name for call in calls),
        "".join(call.arguments for call in calls),
        reader.called,
    )


CASES: list[Any] = [
    pytest.param('{"name": "add", "arguments": {"a": [1, 2]}}', ("", "add", '{"a": [1, 2]}', True), id="call"),
    pytest.param('{\n "name" :"add" ,\n"arguments":\n{ }\n}', ("", "add", "{ }", True), id="blanks"),
    pytest.param(
        '{"name":"f","arguments":{"s":"}\\"]{\\\\"}}', ("", "f", '{"s":"}\\"]{\\\\"}', True), id="braces in text"
    ),
    pytest.param('{"name":"na\\u00efve","arguments":{}}', ("", "naïve", "{}", True), id="name with escape"),
    pytest.param('{"name":"f","arguments":{"s":"cut', ("", "f", '{"s":"cut', False), id="call cut short"),
    pytest.param('{"name":"f', ("", "", "", False), id="head cut short"),
    pytest.param('{"reply": "Hi \\"you\\"\\n\\\\ \\/"}', ('Hi "you"\n\\ /', "", "", False), id="text"),
    pytest.param('{"reply": ""}', ("", "", "", False), id="empty text"),
    pytest.param('{"reply":"\\ud83d\\ude00\\u00e9 \\\\ud83d"}', ("😀é \\ud83d", "", "", False), id="pairs"),
    pytest.param('{"reply":"a\\ud83dz"}', ("a\ufffdz", "", "", False), id="half a pair"),
    pytest.param('{"reply":"cut \\u00', ("cut ", "", "", False), id="text cut short"),
    pytest.param('{"reply": {"a": "}", "b": []} }', ('{"a": "}", "b": []}', "", "", False), id="reply with a schema"),
]


@pytest.mark.parametrize(("written", "expected"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_any_split_reads_the_same(size: int, written: str, expected: tuple[str, str, str, bool]) -> None:
    """However the engine cuts what it writes, the same call or text comes out."""
    assert _read([written[at : at + size] for at in range(0, len(written), size)]) == expected


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one two three", (" tw",), "one"),
        ("one two three", ("three", "two"), "one "),
        ("one two", ("twos",), "one two"),
        ("aab", ("ab",), "a"),
        ("one", ("",), "one"),
        ('say "}', ('"',), "say "),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_stop_texts_end_the_text_only(size: int, text: str, stops: tuple[str, ...], expected: str) -> None:
    """A stop text cuts the reply's own text, wherever the pieces end, and not the JSON around it."""
    written = json.dumps({"reply": text})
    assert _read([written[at : at + size] for at in range(0, len(written), size)], stops)[0] == expected


def test_pieces_come_as_they_are_written() -> None:
    """Arguments and text don't wait for the end of the reply."""
    reader = CallReader()
    first = list(reader.feed('{"name":"f","arguments":{"a"'))
    assert [(part.name, part.arguments) for part in first if isinstance(part, ToolCallPart)] == [
        ("f", ""),
        ("", '{"a"'),
    ]
    assert list(CallReader().feed('{"reply":"Hel')) == [TextPart("Hel")]
