"""Structured answers that come as a tool's arguments, and other things that servers write in their own way."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from jackfield import (
    Build,
    Choice,
    ConversationRequest,
    Message,
    ProviderError,
    ReasoningPart,
    ResponseFormat,
    Result,
    TextPart,
    ToolCall,
    collect,
)
from jackfield.testing import FakeUpstream, chat
from jackfield_openai import FINISH_REASONS, Dialect, OpenAIConversation, OpenAISettings
from jackfield_openai.replies import decode_chunk, decode_reply, result
from jackfield_openai.streams import StreamReader

PLACE = '{"city":"Bremen"}'


def call(name: str, arguments: str = "{}", number: int = 0) -> dict[str, Any]:
    """A tool call."""
    return {"id": f"c{number}", "index": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def opaque_of(found: Any, details: Any) -> str:
    """Finds what a server wants back, in the call or beside it."""
    return str(found.extra_content or "") or "".join(detail["data"] for detail in details)


def whole(message: Any, reason: str = "tool_calls", answer: str = "place") -> Choice:
    """The choice of a reply in one piece."""
    reply = {"choices": [{"message": message, "finish_reason": reason}]}
    read = decode_reply(msgspec.json.encode(reply))
    return result(read, model="m", reasons=FINISH_REASONS, answer=answer, opaque=opaque_of).choices[0]


def streamed(message: Any, reason: str = "tool_calls", answer: str = "place") -> Choice:
    """The choice of the same reply in pieces: texts in halves, calls with their arguments in halves."""
    deltas: list[Any] = []
    for name in ("reasoning_content", "content"):
        text = message.get(name) or ""
        deltas += [{name: text[: len(text) // 2]}, {name: text[len(text) // 2 :]}]
    for given in message.get("tool_calls", ()):
        text = given["function"]["arguments"]
        deltas.append({"tool_calls": [{**given, "function": {**given["function"], "arguments": text[:4]}}]})
        deltas.append({"tool_calls": [{"index": given["index"], "function": {"arguments": text[4:]}}]})
    deltas.append({"reasoning_details": message.get("reasoning_details")})
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    reader = StreamReader(model="m", reasons=FINISH_REASONS, answer=answer, opaque=opaque_of)

    async def events() -> Any:
        for chunk in chunks:
            for event in reader.read(decode_chunk(msgspec.json.encode(chunk))):
                yield event
        for event in reader.finish():
            yield event

    return asyncio.run(collect(events())).choices[0]


forms = pytest.mark.parametrize("read", [whole, streamed])


@forms
@pytest.mark.parametrize(
    ("message", "reason", "expected"),
    [
        pytest.param(
            {"tool_calls": [call("place", PLACE)]}, "tool_calls", Choice((TextPart(PLACE),), (), "stop"), id="answer"
        ),
        pytest.param(
            {"tool_calls": [call("place", PLACE)]}, "stop", Choice((TextPart(PLACE),), (), "stop"), id="another reason"
        ),
        pytest.param(
            {"content": "Here you are:", "tool_calls": [call("place", PLACE)]},
            "tool_calls",
            Choice((TextPart(PLACE),), (), "stop"),
            id="announced",
        ),
        pytest.param(
            {"reasoning_content": "hm", "tool_calls": [call("place", PLACE)]},
            "tool_calls",
            Choice((ReasoningPart("hm"), TextPart(PLACE)), (), "stop"),
            id="thinking",
        ),
        pytest.param(
            {"tool_calls": [call("place", '{"city":"Br')]},
            "length",
            Choice((TextPart('{"city":"Br'),), (), "length"),
            id="cut short",
        ),
        pytest.param({"content": "Once"}, "length", Choice((TextPart("Once"),), (), "length"), id="cut before it"),
        pytest.param(
            {"content": "Let me look.", "tool_calls": [call("look")]},
            "tool_calls",
            Choice((TextPart("Let me look."),), (ToolCall("c0", "look", "{}"),), "tool_calls"),
            id="another tool first",
        ),
        pytest.param(
            {"tool_calls": [call("place", PLACE), call("look", number=1)]},
            "tool_calls",
            Choice((TextPart(PLACE),), (ToolCall("c1", "look", "{}"),), "tool_calls"),
            id="both",
        ),
        pytest.param(
            {"tool_calls": [call("place", PLACE), call("place", '{"city":"Ulm"}', 1)]},
            "tool_calls",
            Choice((TextPart(PLACE),), (), "stop"),
            id="two answers",
        ),
    ],
)
def test_answer(read: Any, message: Any, reason: str, expected: Choice) -> None:
    """The answering tool's arguments are the text, whole and streamed; other calls stay calls."""
    choice = read(message, reason)
    assert choice.text == expected.text
    assert [part for part in choice.parts if isinstance(part, ReasoningPart)] == [
        part for part in expected.parts if isinstance(part, ReasoningPart)
    ]
    assert choice.tool_calls == expected.tool_calls
    assert choice.finish_reason == expected.finish_reason


@forms
def test_no_answer(read: Any) -> None:
    """Text in place of the structure is an error, and none of it gets out as the answer."""
    with pytest.raises(ProviderError, match="in place of the structured answer"):
        read({"content": "Bremen, I think."}, "stop")


def test_calls_of_that_name_are_calls_elsewhere() -> None:
    """Without a structure to be kept to, a tool is a tool."""
    message = {"tool_calls": [call("place", PLACE)]}
    for read in (whole, streamed):
        assert read(message, answer="").tool_calls == (ToolCall("c0", "place", PLACE),)


@forms
@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "function_call_filter: MALFORMED"])
def test_broken_off(read: Any, reason: str) -> None:
    """A reply that the server broke off is an error; half of it must not look whole."""
    with pytest.raises(ProviderError, match=f"broke its reply off, with the finish reason {reason}"):
        read({"content": "Once"}, reason, "")


@forms
def test_cause_behind_a_reason(read: Any) -> None:
    """What stands behind a colon is a detail."""
    assert read({"content": "Once"}, "content_filter: SAFETY", "").finish_reason == "content_filter"


@forms
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"tool_calls": [{**call("a"), "extra_content": "x"}, {**call("b", number=1), "extra_content": "y"}]}, "xy"),
        ({"tool_calls": [call("a"), call("b", number=1)], "reasoning_details": [{"data": "p"}, {"data": "q"}]}, "pq"),
        ({"tool_calls": [call("a")], "reasoning_details": "nonsense"}, ""),
        ({"tool_calls": [call("a")]}, ""),
    ],
)
def test_opaque_data(read: Any, message: Any, expected: str) -> None:
    """What the server wants back is found in a call, or beside the calls and then at the first, in both forms."""
    calls = read(message, answer="").tool_calls
    assert "".join(found.opaque for found in calls) == expected
    assert all(not found.opaque for found in calls[1:]) or "x" in expected


class ByTool(OpenAIConversation):
    """A component whose server has no structured output of its own."""

    def dialect(self, model: str) -> Dialect:
        """Keep to a schema through a tool."""
        return Dialect(structured="tool")


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])
def test_from_request_to_answer(stream: bool) -> None:
    """A component asks for a structure through a tool and gives its arguments as text."""

    async def run() -> tuple[Result, dict[str, Any]]:
        async with FakeUpstream(chat) as upstream:
            settings = OpenAISettings.model_validate({"key": "sk-test-0123456789", "endpoint": upstream.endpoint})
            llm = ByTool(Build(name="llm", type_name="conversation.openai", settings=settings, environment={}))
            await llm.start()
            try:
                request = ConversationRequest(
                    component="llm",
                    messages=(Message(role="user", parts=(TextPart("where?"),)),),
                    response_format=ResponseFormat(schema={"type": "object"}, name="place"),
                    stream=stream,
                )
                answer = await (collect(llm.stream(request)) if stream else llm.converse(request))
            finally:
                await llm.close()
            return answer, upstream.requests[0].body

    answer, body = asyncio.run(run())
    assert body["tool_choice"] == {"type": "function", "function": {"name": "place"}}
    assert msgspec.json.decode(answer.choices[0].text) == {"city": "Bremen"}
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].tool_calls == ()
