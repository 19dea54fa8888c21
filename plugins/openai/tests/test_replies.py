"""What is made of a reply, whole or in pieces."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jackfield import (
    Choice,
    Delta,
    Event,
    Finish,
    Part,
    ProviderError,
    ReasoningPart,
    Result,
    TextPart,
    ToolCall,
    ToolCallPart,
    Usage,
)
from jackfield_openai import FINISH_REASONS
from jackfield_openai.replies import decode_chunk, decode_reply, result
from jackfield_openai.streams import StreamReader


def read(reply: Any) -> Result:
    """The result of a reply, given as JSON or as bytes."""
    data = reply if isinstance(reply, bytes) else msgspec.json.encode(reply)
    return result(decode_reply(data), model="asked", reasons=FINISH_REASONS)


def streamed(*chunks: Any) -> list[Event]:
    """The events of a stream's chunks."""
    reader = StreamReader(model="asked", reasons=FINISH_REASONS)
    events = [event for chunk in chunks for event in reader.read(decode_chunk(msgspec.json.encode(chunk)))]
    return [*events, *reader.finish()]


def piece(delta: Any, reason: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chunk with one choice."""
    return {"choices": [{"index": index, "delta": delta, "finish_reason": reason}]}


CALLS = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": "hi"}, (TextPart("hi"),)),
        ({"content": None}, ()),
        ({"content": ""}, ()),
        ({}, ()),
        ({"content": "hi", "reasoning_content": "hm"}, (ReasoningPart("hm"), TextPart("hi"))),
        ({"content": "hi", "reasoning": "hm", "reasoning_content": None}, (ReasoningPart("hm"), TextPart("hi"))),
        ({"content": "hi", "reasoning": {"effort": "low"}}, (TextPart("hi"),)),
        ({"content": None, "refusal": "I won't"}, (TextPart("I won't"),)),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "h"},
                    {"type": "image"},
                    {"type": "text", "text": "i"},
                ]
            },
            (ReasoningPart("hm"), TextPart("hi")),
        ),
    ],
)
def test_parts(message: dict[str, Any], parts: tuple[Part, ...]) -> None:
    """Text, refusals and thinking are told apart, in a whole reply as in a stream."""
    assert read({"choices": [{"message": message, "finish_reason": "stop"}]}).choices == (Choice(parts=parts),)
    deltas = [event.part for event in streamed(piece(message), piece({}, "stop")) if isinstance(event, Delta)]
    assert tuple(deltas) == parts


@pytest.mark.parametrize(
    ("reason", "calls", "expected"),
    [
        ("stop", None, "stop"),
        ("length", None, "length"),
        ("tool_calls", CALLS, "tool_calls"),
        ("content_filter", None, "content_filter"),
        ("function_call", CALLS, "tool_calls"),
        (None, None, "stop"),
        ("", None, "stop"),
        ("eos", None, "stop"),
        ("max_tokens", None, "length"),
        ("model_length", None, "length"),
        (None, CALLS, "tool_calls"),
        ("unknown", CALLS, "tool_calls"),
        ("length", CALLS, "length"),
        ("stop", CALLS, "tool_calls"),
    ],
)
def test_finish_reasons(reason: str | None, calls: Any, expected: str) -> None:
    """Whatever the server writes, a choice ends in one of four ways."""
    message = {"content": "x", "tool_calls": calls}
    assert read({"choices": [{"message": message, "finish_reason": reason}]}).choices[0].finish_reason == expected
    ends = [event for event in streamed(piece(message, reason)) if isinstance(event, Finish)]
    assert [end.reason for end in ends] == [expected]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (CALLS[0], ToolCall("c1", "f", "{}")),
        ({"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}, ToolCall("c1", "f", '{"a":1}')),
        ({"function": {"name": "f"}}, ToolCall("", "f", "")),
        ({"id": "c1", "function": {"name": "f", "arguments": "{half"}}, ToolCall("c1", "f", "{half")),
    ],
)
def test_tool_calls(call: dict[str, Any], expected: ToolCall) -> None:
    """A call's arguments stay the text that the model wrote; an object becomes its JSON text."""
    reply = {"choices": [{"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    assert read(reply).choices[0].tool_calls == (expected,)


def test_choices_are_in_order() -> None:
    """Choices come in the order of their index, whatever the order they were sent in."""
    choices = [{"index": index, "message": {"content": str(index)}} for index in (2, 0, 1)]
    assert [choice.text for choice in read({"choices": choices}).choices] == ["0", "1", "2"]


@pytest.mark.parametrize(("model", "expected"), [("gpt-x", "gpt-x"), (None, "asked"), ("", "asked")])
def test_model(model: str | None, expected: str) -> None:
    """The reply names the model that answered, or the one that was asked where the server doesn't say."""
    assert read({"model": model, "choices": [{"message": {"content": "x"}}]}).model == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, Usage(1, 2, 3)),
        ({"prompt_tokens": 1, "completion_tokens": None}, Usage(1, 0, 1)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "total_tokens": 17,
                "prompt_tokens_details": {"cached_tokens": 1, "audio_tokens": 2},
                "completion_tokens_details": {
                    "reasoning_tokens": 3,
                    "audio_tokens": 4,
                    "accepted_prediction_tokens": 5,
                    "rejected_prediction_tokens": 6,
                },
            },
            Usage(9, 8, 17, 1, 2, 3, 4, 5, 6),
        ),
        (
            {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "prompt_tokens_details": None},
            Usage(1, 1, 2),
        ),
        ({"prompt_tokens": 2.0, "completion_tokens": 3.0, "total_tokens": 5.0}, Usage(2, 3, 5)),
        ({"prompt_tokens": 2, "completion_tokens": -1, "total_tokens": -1}, Usage(2, 0, 2)),
        ({"prompt_tokens": "2", "completion_tokens": 2.5, "total_tokens": 10**30}, Usage(0, 0, 0)),
        ({"prompt_tokens": True, "prompt_tokens_details": {"cached_tokens": -1}}, Usage(0, 0, 0)),
        (None, None),
    ],
)
def test_usage(sent: Any, expected: Usage | None) -> None:
    """Counts are passed on with their details; what the server leaves out, or tells as no count, stays open."""
    choices = [{"message": {"content": "x"}}]
    assert read({"choices": choices, "usage": sent}).usage == expected
    events = streamed(piece({"content": "x"}, "stop"), {"choices": [], "usage": sent})
    assert [event for event in events if isinstance(event, Usage)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"choices": [{"mess', "is not the JSON of a chat completion"),
        (b"", "is not the JSON of a chat completion"),
        (b"<!doctype html><title>Login</title>", "is HTML where JSON was expected; check that endpoint"),
        (b'["hello"]', "is not a chat completion: Expected `object`, got `array`"),
        (b'{"choices": "no"}', "got `str` - at `$.choices`"),
        (b'{"choices": [{"message": {"content": 7}}]}', "Expected `str | array | null`, got `int`"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "invalid UTF-8"),
        (b'{"choices": []}', "empty response"),
        (b"{}", "empty response"),
        (b'{"error": {"message": "no credit", "code": 402}}', "the provider reports an error: no credit"),
        (b'{"error": "overloaded"}', "the provider reports an error: overloaded"),
        (b'{"error": {"x": 1}}', "the provider reports an error: without saying which"),
        (b'{"error": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_reply(data: bytes, message: str) -> None:
    """What is no reply is an error that says what was expected and quotes nothing of it."""
    with pytest.raises(ProviderError) as caught:
        read(data)
    assert message in caught.value.detail


def test_status_of_a_stated_error() -> None:
    """An error that a gateway sends with status 200 keeps the status it names."""
    with pytest.raises(ProviderError) as caught:
        read({"error": {"message": "slow down", "code": 429}})
    assert caught.value.status == 429


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}},
                {"index": 0, "function": {"arguments": "{"}},
                {"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}},
                {"index": 0, "function": {"arguments": "}"}},
            ],
            [
                ToolCallPart(0, "a", "f"),
                ToolCallPart(0, arguments="{"),
                ToolCallPart(1, "b", "g"),
                ToolCallPart(0, arguments="}"),
            ],
            id="as OpenAI writes them",
        ),
        pytest.param(
            [
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
                {"index": 0, "id": "a", "function": {"name": "f", "arguments": "}"}},
            ],
            [ToolCallPart(0, "a", "f", "{"), ToolCallPart(0, arguments="}")],
            id="id and name in every piece",
        ),
        pytest.param(
            [
                {"id": "a", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "function": {"name": "g", "arguments": {}}},
            ],
            [ToolCallPart(0, "a", "f", "{}"), ToolCallPart(1, "b", "g", "{}")],
            id="not numbered",
        ),
        pytest.param(
            [
                {"index": 0, "function": {"name": "f"}},
                {"index": 0, "id": "a", "function": {"arguments": "{}"}},
                {"index": 1, "function": {"name": "g"}},
                {"index": 1, "id": "b", "function": {"name": "g", "arguments": "{}"}},
            ],
            [ToolCallPart(0, "a", "f", "{}"), ToolCallPart(1, "b", "g", "{}")],
            id="an id after the name",
        ),
        pytest.param(
            [{"index": 0, "id": "a"}, {"index": 0, "function": {"name": "f"}}, {"index": 0, "id": "a"}],
            [ToolCallPart(0, "a", "f"), ToolCallPart(0)],
            id="a name after the id",
        ),
        pytest.param(
            [{"index": 0, "function": {"name": "f", "arguments": "{"}}, {"index": 0, "id": "a"}],
            [ToolCallPart(0, "", "f", "{"), ToolCallPart(0, "a")],
            id="an id after the arguments have begun",
        ),
        pytest.param(
            [
                {"function": {"name": "f"}},
                {"function": {"name": "f"}},
                {"index": 0, "id": "b", "function": {"name": "g"}},
            ],
            [ToolCallPart(0, "", "f"), ToolCallPart(1, "", "f"), ToolCallPart(2, "b", "g")],
            id="no ids and no arguments",
        ),
        pytest.param(
            [{"index": 0, "function": {"name": "f"}}], [ToolCallPart(0, "", "f")], id="a name and nothing more"
        ),
    ],
)
def test_streamed_tool_calls(pieces: list[dict[str, Any]], expected: list[ToolCallPart]) -> None:
    """Each piece of a call is given to the call it belongs to; id and name come once."""
    events = streamed(*(piece({"tool_calls": [call]}) for call in pieces), piece({}, "tool_calls"))
    assert [event.part for event in events if isinstance(event, Delta)] == expected


def test_ends_come_last_and_once() -> None:
    """One end per choice and one usage close a stream, also if the server repeats them or writes on afterwards."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    events = streamed(
        piece({"content": "a"}, "stop", 1),
        {**piece({"content": "b"}, "stop", 0), "usage": {**usage, "total_tokens": 1}},
        {**piece({"content": "c"}, "length", 1), "model": "gpt-x", "usage": usage},
    )
    assert events[-3:] == [Finish("stop", 0, "gpt-x"), Finish("length", 1, "gpt-x"), Usage(1, 1, 2)]
    assert [type(event) for event in events[:-3]] == [Delta, Delta, Delta]


def test_a_streamed_choice_without_a_number_is_the_first() -> None:
    """Some servers write null for what they have one of."""
    unnumbered = {"index": None, "delta": {"content": "hi"}}
    events = streamed({"choices": [unnumbered]}, piece({}, "stop"))
    assert events == [Delta(TextPart("hi")), Finish("stop", 0, "asked")]


def test_stream_without_choices() -> None:
    """A stream that brings no choice is an empty response."""
    with pytest.raises(ProviderError, match="empty response"):
        streamed({"choices": [], "usage": {"prompt_tokens": 1}})


def test_error_within_a_stream() -> None:
    """An error object within a stream is the reply's error."""
    with pytest.raises(ProviderError, match="the provider reports an error: out of memory"):
        streamed(piece({"content": "a"}), {"error": {"message": "out of memory"}})


def test_whole_reply_as_events() -> None:
    """A whole reply can be given as the stream that it would have been."""
    choice = Choice((ReasoningPart("hm"), TextPart("hi")), (ToolCall("c", "f", "{}"),), "tool_calls")
    assert Result((choice,), "gpt-x", Usage(1, 1, 2)).events() == [
        Delta(ReasoningPart("hm")),
        Delta(TextPart("hi")),
        Delta(ToolCallPart(0, "c", "f", "{}")),
        Finish("tool_calls", 0, "gpt-x"),
        Usage(1, 1, 2),
    ]
