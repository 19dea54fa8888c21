"""What replies look like, whole and streamed: OpenAI's own types read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from jackfield import (
    Choice,
    Delta,
    Event,
    Finish,
    ProviderError,
    ReasoningPart,
    Record,
    Result,
    TextPart,
    ToolCall,
    ToolCallPart,
    Usage,
)
from jackfield_openai_api.replies import encode_reply
from jackfield_openai_api.streams import ChunkEncoder

USAGE = Usage(3, 4, 7, cached_tokens=1, reasoning_tokens=2)


def whole(result: Result) -> dict[str, Any]:
    """Write a reply, and have OpenAI's types look at it."""
    body: dict[str, Any] = json.loads(encode_reply(result, completion_id="chatcmpl-1", created=5, model="llm"))
    ChatCompletion.model_validate(body, strict=True)
    return body


def encoder(*, include_usage: bool = False) -> ChunkEncoder:
    """A stream's beginning."""
    return ChunkEncoder(completion_id="chatcmpl-1", created=5, model="llm", include_usage=include_usage)


def data(written: bytes) -> list[Any]:
    """The JSON of the events, and ``[DONE]`` as text."""
    texts = [text.removeprefix("data: ") for text in written.decode().split("\n\n") if text]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


def streamed(*events: Event, include_usage: bool = False) -> list[dict[str, Any]]:
    """Write a stream and take off its end; OpenAI's types look at the chunks."""
    chunks = encoder(include_usage=include_usage)
    *found, done = data(b"".join([*map(chunks.event, events), chunks.end(Record())]))
    assert done == "[DONE]"
    for chunk in found:
        ChatCompletionChunk.model_validate(chunk, strict=True)
        assert (chunk["id"], chunk["object"], chunk["created"]) == ("chatcmpl-1", "chat.completion.chunk", 5)
    return found


def test_text() -> None:
    """The whole object, as the API's reference has it."""
    assert whole(Result.of_text("hello", model="gpt", usage=Usage(1, 2, 3))) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 5,
        "model": "gpt",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


def test_what_a_provider_does_not_tell() -> None:
    """The model is what was asked for, and the usage is left out; a total is added up."""
    body = whole(Result.of_text(""))
    assert body["model"] == "llm"
    assert "usage" not in body
    assert body["choices"][0]["message"]["content"] == ""
    assert whole(Result.of_text("", usage=Usage(1, 2)))["usage"]["total_tokens"] == 3


def test_details_of_usage() -> None:
    """Those that are known, and no others."""
    usage = whole(Result.of_text("", usage=USAGE))["usage"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": 1}
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 2}


def test_calls_thinking_and_several_choices() -> None:
    """Parallel calls keep their order, thinking stays apart, and each choice has its place."""
    calls = (ToolCall("c1", "look", "{}"), ToolCall("c2", "smell", '{"a": 1}', "sig"))
    called = Choice((ReasoningPart("hm"), ReasoningPart("so")), calls, "tool_calls")
    first, second = whole(Result((called, Choice((TextPart("b"),), (), "length"))))["choices"]

    assert first["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "reasoning_content": "hmso",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            {"id": "c2~opaque~sig", "type": "function", "function": {"name": "smell", "arguments": '{"a": 1}'}},
        ],
    }
    assert (first["finish_reason"], second["finish_reason"], second["index"]) == ("tool_calls", "length", 1)


def test_calls_without_ids_get_one_each() -> None:
    """Clients tell calls apart by them."""
    choice = Choice((), (ToolCall("", "look", ""), ToolCall("", "look", "")), "tool_calls")
    ids = {call["id"] for call in whole(Result((choice,)))["choices"][0]["message"]["tool_calls"]}
    assert len(ids) == 2
    assert all(text.startswith("call_") for text in ids)


def test_a_stream_of_text() -> None:
    """The first chunk says who speaks, the last why it ended; the model changes to what answered."""
    chunks = streamed(Delta(TextPart("he")), Delta(TextPart("")), Delta(TextPart("llo")), Finish("stop", model="gpt"))

    assert [chunk["choices"][0] for chunk in chunks] == [
        {"index": 0, "delta": {"role": "assistant", "content": "he"}, "logprobs": None, "finish_reason": None},
        {"index": 0, "delta": {"content": "llo"}, "logprobs": None, "finish_reason": None},
        {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"},
    ]
    assert [chunk["model"] for chunk in chunks] == ["llm", "llm", "gpt"]
    assert all("usage" not in chunk for chunk in chunks)


@pytest.mark.parametrize("include", [True, False])
def test_usage_of_a_stream(include: bool) -> None:
    """It comes in a chunk of its own without a choice, and only if it was asked for; until then it is null."""
    chunks = streamed(Delta(TextPart("a")), Finish("stop"), USAGE, include_usage=include)

    assert len(chunks) == (3 if include else 2)
    if include:
        assert [chunk["usage"] for chunk in chunks[:2]] == [None, None]
        assert chunks[2]["choices"] == []
        assert chunks[2]["usage"]["total_tokens"] == 7


def test_a_stream_of_calls() -> None:
    """Id, type and name stand in a call's first piece only; pieces of several calls and choices may mix."""
    chunks = streamed(
        Delta(ReasoningPart("hm")),
        Delta(ToolCallPart(0, "c1", "look", "")),
        Delta(ToolCallPart(0, arguments='{"a"')),
        Delta(ToolCallPart(1, "c2", "smell", "{}", "sig")),
        Delta(ToolCallPart(0, arguments=": 1}")),
        Delta(ToolCallPart(0, "d1", "look", "{}"), 1),
        Finish("tool_calls"),
        Finish("tool_calls", 1),
    )

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "reasoning_content": "hm"}
    assert [delta.get("tool_calls") for delta in deltas[1:6]] == [
        [{"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": ""}}],
        [{"index": 0, "function": {"arguments": '{"a"'}}],
        [{"index": 1, "id": "c2~opaque~sig", "type": "function", "function": {"name": "smell", "arguments": "{}"}}],
        [{"index": 0, "function": {"arguments": ": 1}"}}],
        [{"index": 0, "id": "d1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    ]
    assert deltas[5]["role"] == "assistant"
    assert deltas[5]["content"] is None


def test_opaque_data_that_comes_late() -> None:
    """The call's id has left and stays what it was."""
    chunks = streamed(
        Delta(ToolCallPart(0, "c1", "look", "{")),
        Delta(ToolCallPart(0, opaque="sig")),
        Delta(ToolCallPart(0, arguments="}", opaque="sig")),
        Finish("tool_calls"),
    )
    assert [chunk["choices"][0]["delta"].get("tool_calls") for chunk in chunks[1:]] == [
        [{"index": 0, "function": {"arguments": "}"}}],
        None,
    ]


def test_a_choice_without_a_word() -> None:
    """It still says who speaks."""
    (chunk,) = streamed(Finish("content_filter"))
    assert chunk["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_a_stream_that_breaks_off() -> None:
    """The last event is the error, and no ``[DONE]`` comes."""
    (told,) = data(encoder().error(ProviderError("it broke", status=503).named("llm")))
    assert told["error"]["message"] == "failed conversing with component llm: it broke"
    assert told["error"]["type"] == "server_error"
