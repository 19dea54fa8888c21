"""Replies of the Converse API, whole and streamed, in the host's terms."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from jackfield import (
    Choice,
    ConversationRequest,
    Delta,
    Finish,
    ProviderError,
    ProviderUnreachable,
    ReasoningPart,
    ResponseFormat,
    Result,
    TextPart,
    Tool,
    ToolCall,
    ToolCallPart,
    Usage,
    collect,
)
from jackfield.testing import Exchange, FakeUpstream, Reply, Script, say
from jackfield_bedrock import BedrockConversation
from jackfield_bedrock.opaque import unpack
from jackfield_bedrock.testing import Converse, event_frame, frames

Opened = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked = Callable[..., ConversationRequest]

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"
TOOLS = (Tool(name="weather"), Tool(name="clock"))
WANTED = ResponseFormat(schema={"type": "object", "properties": {"city": {"type": "string"}}}, name="place")
STREAM = "application/vnd.amazon.eventstream"

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def answer(opened: Opened, request: ConversationRequest, *replies: Reply) -> Result:
    """Put one question to a component whose upstream gives these replies."""

    async def run() -> Result:
        script = Script(Converse(), replies=deque(replies))
        async with FakeUpstream(script) as server, opened(endpoint=server.address, model=MODEL) as component:
            if request.stream:
                return await collect(component.stream(request))
            return await component.converse(request)

    return asyncio.run(run())


def streamed(opened: Opened, request: ConversationRequest, *pieces: bytes, whole: bool = True) -> list[Any]:
    """Put one question to a component whose upstream streams these bytes."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send_events(pieces, whole=whole, content_type=STREAM)
        if not whole:
            exchange.writer.close()

    async def run() -> list[Any]:
        async with FakeUpstream(behave) as server, opened(endpoint=server.address, model=MODEL) as component:
            return [event async for event in component.stream(request)]

    return asyncio.run(run())


@both
def test_text_beside_calls(opened: Opened, asked: Asked, stream: bool) -> None:
    """Text and several calls arrive in their order, and the reply ends with the calls."""
    calls = (ToolCall("a", "weather", '{"city":"Bremen","days":2}'), ToolCall("b", "clock", "{}"))
    got = answer(opened, asked(tools=TOOLS, stream=stream), say("I'll look.", *calls))
    assert got.choices == (Choice((TextPart("I'll look."),), calls, "tool_calls"),)


@both
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("content_filtered", "content_filter"),
        ("guardrail_intervened", "content_filter"),
        ("tool_use", "stop"),
        ("something_new", "stop"),
    ],
)
def test_finish_reasons(opened: Opened, asked: Asked, stream: bool, word: str, reason: str) -> None:
    """Each stop reason is told in the host's words; without calls none is a call."""
    assert answer(opened, asked(stream=stream), say("hi", finish=word)).choices[0].finish_reason == reason


@both
@pytest.mark.parametrize("word", ["malformed_model_output", "malformed_tool_use"])
def test_malformed(opened: Opened, asked: Asked, stream: bool, word: str) -> None:
    """A reply that Bedrock itself could not read is an error, not an answer."""
    with pytest.raises(ProviderError, match=word):
        answer(opened, asked(stream=stream), say("hi", finish=word))


@both
def test_calls_cut_short(opened: Opened, asked: Asked, stream: bool) -> None:
    """A reply whose calls were cut short says so."""
    reply = say("", ToolCall("a", "weather", "{}"), finish="max_tokens")
    assert answer(opened, asked(tools=TOOLS, stream=stream), reply).choices[0].finish_reason == "length"


@both
def test_cached_tokens(opened: Opened, asked: Asked, stream: bool) -> None:
    """What the model read from its cache counts as read, and is told apart."""
    got = answer(opened, asked(stream=stream), say("hi", usage=Usage(100, 5, 105, cached_tokens=80)))
    assert got.usage == Usage(100, 5, 105, cached_tokens=80)


@both
def test_structure(opened: Opened, asked: Asked, stream: bool) -> None:
    """The structure's JSON is the reply's text, and the reply is no call."""
    reply = say("Here you are:", ToolCall("a", "place", '{"city":"Bremen"}'))
    got = answer(opened, asked(response_format=WANTED, stream=stream), reply)
    assert got.choices == (Choice((TextPart('{"city":"Bremen"}'),), (), "stop"),)


def test_structure_is_streamed(opened: Opened, asked: Asked) -> None:
    """The structure's JSON arrives piece by piece."""
    pieces = Converse().pieces(say("", ToolCall("a", "place", '{"city":"Bremen"}')), None)  # type: ignore[arg-type]
    events = streamed(opened, asked(response_format=WANTED, stream=True), *pieces)
    texts = [event.part.text for event in events if isinstance(event, Delta) and isinstance(event.part, TextPart)]
    assert len(texts) > 1
    assert "".join(texts) == '{"city":"Bremen"}'


@both
def test_structure_missing(opened: Opened, asked: Asked, stream: bool) -> None:
    """Text where a structure was asked for is an error, never an answer."""
    with pytest.raises(ProviderError, match="without the structure of response_format"):
        answer(opened, asked(response_format=WANTED, stream=stream), say("Bremen"))


@both
def test_structure_stopped_by_a_guardrail(opened: Opened, asked: Asked, stream: bool) -> None:
    """A guardrail's words come through in the structure's place, with their reason."""
    got = answer(opened, asked(response_format=WANTED, stream=stream), say("Not this.", finish="guardrail_intervened"))
    assert got.choices == (Choice((TextPart("Not this."),), (), "content_filter"),)


@both
def test_tool_before_structure(opened: Opened, asked: Asked, stream: bool) -> None:
    """Where there are tools too, the model may call one before it gives the structure."""
    call = ToolCall("a", "weather", "{}")
    got = answer(opened, asked(response_format=WANTED, tools=TOOLS, stream=stream), say("I'll look.", call))
    assert got.choices == (Choice((TextPart("I'll look."),), (call,), "tool_calls"),)


@both
def test_thinking(opened: Opened, asked: Asked, stream: bool) -> None:
    """Thinking comes first with its signature, and the first call carries what is needed in the next turn."""
    calls = (ToolCall("a", "weather", "{}"), ToolCall("b", "clock", "{}"))
    reply = say("", *calls, reasoning="Seven and five", signature="sig")
    choice = answer(opened, asked(tools=TOOLS, stream=stream), reply).choices[0]
    assert choice.parts == (ReasoningPart("Seven and five", "sig"),)
    assert [unpack(call.opaque) for call in choice.tool_calls] == [[ReasoningPart("", "sig")], []]


@both
def test_encrypted_thinking(opened: Opened, asked: Asked, stream: bool) -> None:
    """Thinking that is hidden returns in the next turn as it came."""
    reply = say("", ToolCall("a", "weather", "{}"), signature="redacted:hidden")
    choice = answer(opened, asked(tools=TOOLS, stream=stream), reply).choices[0]
    assert choice.parts == (ReasoningPart("", "redacted:aGlkZGVu"),)
    assert unpack(choice.tool_calls[0].opaque) == list(choice.parts)


@both
def test_no_call_though_required(opened: Opened, asked: Asked, stream: bool) -> None:
    """A model that must call a tool and does nothing is an error, so that retries apply."""
    request = asked(tools=TOOLS, tool_choice="required", stream=stream)
    with pytest.raises(ProviderError, match="no tool calls despite 2 tools being available"):
        answer(opened, request, say(""))


def test_unknown_events_and_blocks(opened: Opened, asked: Asked) -> None:
    """Events of later versions of the API are passed over."""
    new = frames(
        [("somethingNew", {"a": 1}), ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"citation": {}}})]
    )
    pieces = Converse().pieces(say("hi"), None)  # type: ignore[arg-type]
    events = streamed(opened, asked(stream=True), *new, *pieces)
    assert events == [Delta(TextPart("hi")), Finish("stop", 0, MODEL), Usage(11, 7, 18)]


def test_any_cut(opened: Opened, asked: Asked) -> None:
    """A stream may arrive cut at any byte."""
    call = ToolCall("a", "weather", '{"city":"Bremen"}')
    data = b"".join(Converse().pieces(say("hi", call), None))  # type: ignore[arg-type]
    events = streamed(opened, asked(tools=TOOLS, stream=True), *(data[i : i + 7] for i in range(0, len(data), 7)))
    calls = [event.part for event in events if isinstance(event, Delta) and isinstance(event.part, ToolCallPart)]
    assert calls[0] == ToolCallPart(0, "a", "weather", "")
    assert "".join(piece.arguments for piece in calls) == '{"city":"Bremen"}'
    assert events[-2:] == [Finish("tool_calls", 0, MODEL), Usage(11, 7, 18)]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("throttlingException", 429),
        ("validationException", 400),
        ("internalServerException", 500),
        ("serviceUnavailableException", 503),
        ("modelStreamErrorException", 424),
    ],
)
def test_error_within_a_stream(opened: Opened, asked: Asked, kind: str, status: int) -> None:
    """An error that comes in a stream has the status that it would have had before."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    pieces = Converse().pieces(say("hi"), None)[:2]  # type: ignore[arg-type]
    with pytest.raises(ProviderError, match="slow down") as told:
        streamed(opened, asked(stream=True), *pieces, event_frame(headers, b'{"message":"slow down"}'))
    assert told.value.status == status


def broken(frame: bytes) -> bytes:
    """Change one byte of a frame's payload."""
    return frame[:-6] + bytes([frame[-6] ^ 1]) + frame[-5:]


@pytest.mark.parametrize(
    ("change", "whole", "cause"),
    [
        (lambda pieces: [*pieces[:1], broken(pieces[1]), *pieces[2:]], True, "is none of Bedrock's"),
        (lambda pieces: pieces[:-2], True, "broke before the reply was whole"),
        (lambda pieces: pieces[:-2], False, "broke before the reply was whole"),
        (lambda pieces: [], True, "broke before the reply was whole"),
        (lambda pieces: [b"<html>gateway</html>"], True, "is none of Bedrock's"),
    ],
    ids=["checksum", "end", "connection", "empty", "html"],
)
def test_broken_streams(
    opened: Opened, asked: Asked, change: Callable[[list[bytes]], list[bytes]], whole: bool, cause: str
) -> None:
    """A stream that is damaged or cut off is an error that says so."""
    pieces = list(Converse().pieces(say("hi there"), None))  # type: ignore[arg-type]
    with pytest.raises((ProviderError, ProviderUnreachable), match=cause):
        streamed(opened, asked(stream=True), *change(pieces), whole=whole)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("messageStart", [{"role": "assistant"}]),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": 5}}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": "text"}),
        ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"name": 1}}}),
        ("messageStop", {"stopReason": ["end_turn"]}),
    ],
)
def test_values_of_another_type(opened: Opened, asked: Asked, name: str, payload: Any) -> None:
    """An event whose JSON isn't Converse's is the provider's error, and its values go nowhere."""
    pieces = list(Converse().pieces(say("hi there"), None))  # type: ignore[arg-type]
    with pytest.raises(ProviderError, match="is none of Bedrock's"):
        streamed(opened, asked(stream=True), *frames([(name, payload)]), *pieces)


def whole_reply(content: Any, **members: Any) -> dict[str, Any]:
    """Write a reply with this content."""
    return {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn", **members}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"output": {}},
        {"output": {"message": {"content": []}}},
        [whole_reply([{"text": "hi"}])],
        whole_reply(["hi"]),
        whole_reply([{"text": 5}]),
        whole_reply([{"toolUse": {"name": ["f"], "toolUseId": "1", "input": {}}}]),
        whole_reply([{"reasoningContent": {"reasoningText": {"text": 5}}}]),
        whole_reply([{"text": "hi"}], stopReason=["end_turn"]),
    ],
)
def test_no_reply(opened: Opened, asked: Asked, body: Any) -> None:
    """JSON that is no reply is an error that names the endpoint."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(200, body)

    async def run() -> None:
        async with FakeUpstream(behave) as server, opened(endpoint=server.address) as component:
            with pytest.raises(ProviderError, match="check endpoint"):
                await component.converse(asked())

    asyncio.run(run())


def test_a_reply_is_worth_more_than_its_counts(opened: Opened, asked: Asked) -> None:
    """Counts that are none are left out; the reply is given all the same."""
    usage = {"inputTokens": 2.0, "outputTokens": -1, "cacheReadInputTokens": 1 << 60, "cacheWriteInputTokens": None}

    async def behave(exchange: Exchange) -> None:
        await exchange.send(200, whole_reply([{"text": "hi"}], usage=usage))

    async def run() -> Result:
        async with FakeUpstream(behave) as server, opened(endpoint=server.address) as component:
            return await component.converse(asked())

    result = asyncio.run(run())
    assert (result.choices[0].text, result.usage) == ("hi", Usage(2, 0, 2))
