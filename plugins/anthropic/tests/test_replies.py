"""Replies, whole and streamed, of every kind of content."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import msgspec
import pytest
from anthropic.types import Message as OfficialMessage
from anthropic.types import RawMessageStreamEvent
from pydantic import TypeAdapter

from jackfield import Choice, Event, ProviderError, ReasoningPart, Result, TextPart, ToolCall, Usage, collect
from jackfield_anthropic.opaque import seal
from jackfield_anthropic.replies import decode_event, decode_reply, result
from jackfield_anthropic.streams import StreamReader
from jackfield_anthropic.wire import RedactedContent, ThinkingContent

COUNTS = {"input_tokens": 10, "output_tokens": 7, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 2}
SIGNED = seal([ThinkingContent("", "c2lnbmVk")])
HIDDEN = seal([RedactedContent("aGlkZGVu")])
BOTH = seal([ThinkingContent("", "c2lnbmVk"), RedactedContent("aGlkZGVu")])

Blocks = list[dict[str, Any]]


def text(words: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words}


def use(number: int, name: str = "weather", **given: Any) -> dict[str, Any]:
    """A tool call's block."""
    return {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": given}


THINKING = {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"}
REDACTED = {"type": "redacted_thinking", "data": "aGlkZGVu"}

CASES: dict[str, tuple[Blocks, str, Choice]] = {
    "text": ([text("Hello.")], "end_turn", Choice((TextPart("Hello."),))),
    "nothing": ([], "end_turn", Choice()),
    "two texts": ([text("Hel"), text("lo.")], "end_turn", Choice((TextPart("Hello."),))),
    "stopped by a text": ([text("a")], "stop_sequence", Choice((TextPart("a"),))),
    "cut short": ([text("a")], "max_tokens", Choice((TextPart("a"),), (), "length")),
    "context is full": ([text("a")], "model_context_window_exceeded", Choice((TextPart("a"),), (), "length")),
    "paused": ([text("a")], "pause_turn", Choice((TextPart("a"),), (), "length")),
    "refused": ([text("a")], "refusal", Choice((TextPart("a"),), (), "content_filter")),
    "a new word": ([text("a")], "solar_flare", Choice((TextPart("a"),))),
    "calls beside text": (
        [text("I look."), use(1, city="Bremen"), use(2)],
        "tool_use",
        Choice(
            (TextPart("I look."),),
            (ToolCall("toolu_1", "weather", '{"city":"Bremen"}'), ToolCall("toolu_2", "weather", "{}")),
            "tool_calls",
        ),
    ),
    "calls cut short": (
        [use(1, city="Bremen")],
        "max_tokens",
        Choice((), (ToolCall("toolu_1", "weather", '{"city":"Bremen"}'),), "length"),
    ),
    "thinking": (
        [THINKING, text("12.")],
        "end_turn",
        Choice((ReasoningPart("Let me see.", SIGNED), TextPart("12."))),
    ),
    "thinking without its text": (
        [{**THINKING, "thinking": ""}, text("12.")],
        "end_turn",
        Choice((ReasoningPart("", SIGNED), TextPart("12."))),
    ),
    "thinking that nobody signed": (
        [{**THINKING, "signature": ""}, text("12.")],
        "end_turn",
        Choice((ReasoningPart("Let me see."), TextPart("12."))),
    ),
    "thinking before calls": (
        [THINKING, REDACTED, use(1), THINKING, use(2), use(3)],
        "tool_use",
        Choice(
            (ReasoningPart("Let me see.", SIGNED), ReasoningPart("", HIDDEN), ReasoningPart("Let me see.", SIGNED)),
            (
                ToolCall("toolu_1", "weather", "{}", BOTH),
                ToolCall("toolu_2", "weather", "{}", SIGNED),
                ToolCall("toolu_3", "weather", "{}"),
            ),
            "tool_calls",
        ),
    ),
    "the answer": (
        [THINKING, use(1, "answer", city="Bremen")],
        "tool_use",
        Choice((ReasoningPart("Let me see.", SIGNED), TextPart('{"city":"Bremen"}'))),
    ),
    "an empty answer": ([use(1, "answer")], "tool_use", Choice((TextPart("{}"),))),
    "text before the answer": ([text("Here:"), use(1, "answer")], "tool_use", Choice((TextPart("{}"),))),
    "two answers": ([use(1, "answer", a=1), use(2, "answer", a=2)], "tool_use", Choice((TextPart('{"a":1}'),))),
    "a call beside the answer": (
        [use(1), use(2, "answer")],
        "tool_use",
        Choice((TextPart("{}"),), (ToolCall("toolu_1", "weather", "{}"),), "tool_calls"),
    ),
    "a call instead of the answer": (
        [use(1)],
        "tool_use",
        Choice((), (ToolCall("toolu_1", "weather", "{}"),), "tool_calls"),
    ),
    "what nobody knows": ([{"type": "hologram", "colour": 3}, text("a")], "end_turn", Choice((TextPart("a"),))),
}


def message(content: Blocks, reason: str | None, **members: Any) -> dict[str, Any]:
    """A whole reply."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5-1", "content": content}
    return {**head, "stop_reason": reason, "stop_sequence": None, "usage": COUNTS, **members}


def events(content: Blocks, reason: str, **delta: Any) -> list[dict[str, Any]]:
    """The same reply as the API streams it."""
    found: list[dict[str, Any]] = [
        {"type": "message_start", "message": message([], None, usage={**COUNTS, "output_tokens": 1})},
        {"type": "ping"},
    ]
    for index, block in enumerate(content):
        empty, deltas = _pieces(block)
        found.append({"type": "content_block_start", "index": index, "content_block": empty})
        found += [{"type": "content_block_delta", "index": index, "delta": piece} for piece in deltas]
        found.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": reason, "stop_sequence": None, **delta}
    return [*found, {"type": "message_delta", "delta": ending, "usage": {"output_tokens": 7}}, {"type": "message_stop"}]


def _pieces(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": letter} for letter in block["text"]]
    if block["type"] == "thinking":
        thinking = [{"type": "thinking_delta", "thinking": letter} for letter in block["thinking"]]
        signed = [{"type": "signature_delta", "signature": block["signature"]}] if block["signature"] else []
        return {**block, "thinking": "", "signature": ""}, [*thinking, *signed]
    if block["type"] == "tool_use":
        written = msgspec.json.encode(block["input"]).decode() if block["input"] else ""
        pieces = ["", *written]
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def whole(body: Any, answer: str = "") -> Result:
    """Read a whole reply."""
    return result(decode_reply(msgspec.json.encode(body)), model="asked", answer=answer)


def streamed(stream: Iterable[Any], answer: str = "") -> Result:
    """Read a streamed reply."""
    reader = StreamReader(model="asked", answer=answer)

    async def read() -> AsyncGenerator[Event, None]:
        for event in stream:
            for found in reader.read(decode_event(msgspec.json.encode(event))):
                yield found
        for found in reader.finish():
            yield found

    return asyncio.run(collect(read()))


@pytest.mark.parametrize("case", CASES)
def test_whole(case: str) -> None:
    """A reply's blocks become parts and calls, and its reason to stop one of ours."""
    content, reason, choice = CASES[case]
    assert whole(message(content, reason), "answer" if "answer" in case else "").choices == (choice,)


@pytest.mark.parametrize("case", CASES)
def test_streamed(case: str) -> None:
    """A stream gathers to what the whole reply says."""
    content, reason, choice = CASES[case]
    answer = "answer" if "answer" in case else ""
    assert streamed(events(content, reason), answer).choices == (choice,)


@pytest.mark.parametrize(
    ("said", "reason", "finish"),
    [
        ('{"city": "Bremen"}', "end_turn", "stop"),
        ('{"ci', "max_tokens", "length"),
        ("No.", "refusal", "content_filter"),
    ],
)
def test_text_instead_of_the_answer(said: str, reason: str, finish: Any) -> None:
    """A model that must answer by a tool is heard all the same if it writes JSON, is cut short, or refuses."""
    expected = Choice((TextPart(said),), (), finish)
    assert whole(message([text(said)], reason), "answer").choices == (expected,)
    assert streamed(events([text(said)], reason), "answer").choices == (expected,)


@pytest.mark.parametrize("said", ["Paris.", "[1]", ""])
def test_no_answer(said: str) -> None:
    """A server that forces no tool never passes for one with structured output."""
    content = [text(said)] if said else []
    with pytest.raises(ProviderError, match="the model gave no structured output"):
        whole(message(content, "end_turn"), "answer")
    with pytest.raises(ProviderError, match="the model gave no structured output"):
        streamed(events(content, "end_turn"), "answer")


@pytest.mark.parametrize("case", [name for name in CASES if name not in {"a new word", "what nobody knows"}])
def test_cases_are_official(case: str) -> None:
    """What these tests take for replies is valid by the official package's types."""
    content, reason, _ = CASES[case]
    TypeAdapter(OfficialMessage).validate_python(message(content, reason), extra="allow")
    for event in events(content, reason):
        if event["type"] != "ping":
            TypeAdapter(RawMessageStreamEvent).validate_python(event)


def test_model_and_usage() -> None:
    """The model is the one that answered; the prompt is all that was read, from the cache or anew."""
    expected = Usage(15, 7, 22, cached_tokens=2)
    for read in (whole(message([text("a")], "end_turn")), streamed(events([text("a")], "end_turn"))):
        assert (read.model, read.usage) == ("claude-sonnet-5-1", expected)


def test_usage_of_thinking() -> None:
    """Tokens of thinking are part of those written."""
    usage = {**COUNTS, "output_tokens_details": {"thinking_tokens": 5}}
    read = whole(message([text("a")], "end_turn", usage=usage)).usage
    assert read is not None
    assert (read.completion_tokens, read.reasoning_tokens) == (7, 5)


def test_odd_counts_cost_no_reply() -> None:
    """Counts are what is a count; in a stream, what an event tells as none stays as it was."""
    odd = {"input_tokens": 10.0, "output_tokens": -1, "cache_read_input_tokens": "2"}
    assert whole(message([text("a")], "end_turn", usage=odd)).usage == Usage(10, 0, 10)
    written = events([text("a")], "end_turn")
    written[-2]["usage"] = {"output_tokens": -1, "input_tokens": None}
    assert streamed(written).usage == Usage(15, 1, 16, cached_tokens=2)


def test_refusal_says_why() -> None:
    """A refusal that comes without a word is told in the API's words."""
    details = {"type": "refusal", "category": None, "explanation": "That can't be answered."}
    expected = Choice((TextPart("That can't be answered."),), (), "content_filter")
    assert whole(message([], "refusal", stop_details=details)).choices == (expected,)
    assert streamed(events([], "refusal", stop_details=details)).choices == (expected,)


def test_server_that_says_little() -> None:
    """A compatible server may leave out model and usage, and send a call's input at once."""
    assert whole({"content": [text("a")]}) == Result((Choice((TextPart("a"),)),), "asked")
    blocks = [{**THINKING, "signature": None}, text("I look."), use(1, city="Bremen"), {**use(2), "input": None}]
    starts = [
        {"type": "content_block_start", "index": index, "content_block": block} for index, block in enumerate(blocks)
    ]
    ending = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}
    calls = (ToolCall("toolu_1", "weather", '{"city":"Bremen"}'), ToolCall("toolu_2", "weather", "{}"))
    choice = Choice((ReasoningPart("Let me see."), TextPart("I look.")), calls, "tool_calls")
    assert streamed([*starts, ending], answer="") == Result((choice,), "asked")
    assert whole({"content": blocks, "stop_reason": "tool_use"}) == Result((choice,), "asked")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("rate_limit_error", 429),
        ("overloaded_error", 529),
        ("new_error", None),
    ],
)
def test_error_event(kind: str, status: int | None) -> None:
    """An error within a stream has the status that its type stands for, so that policies see it."""
    body = msgspec.json.encode({"type": "error", "error": {"type": kind, "message": "Not\nnow"}})
    for decode in (decode_event, decode_reply):
        with pytest.raises(ProviderError, match="the provider reports an error: Not now") as caught:
            decode(body)
        assert caught.value.status == status


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<html>", "HTML where JSON was expected; check that endpoint"),
        (b"", "is not the JSON of a message of Anthropic's API"),
        (b'{"model": "\xff"}', "invalid UTF-8"),
        (b"[]", "is not a message of Anthropic's API: Expected `object`"),
        (b'{"content": 3}', "is not a message of Anthropic's API: Expected `array | null`"),
        (b'{"x": ' + b"[" * 200_000, "nested too deeply"),
    ],
    ids=["a page", "nothing", "no UTF-8", "a list", "another type", "deep"],
)
def test_nonsense(data: bytes, text: str) -> None:
    """What is no reply is an error that says what came instead."""
    with pytest.raises(ProviderError, match=text.replace("|", r"\|")):
        decode_reply(data)


def test_empty_reply() -> None:
    """An object that is no reply isn't taken for an empty one."""
    with pytest.raises(ProviderError, match="empty response"):
        whole({"unexpected": 1})
