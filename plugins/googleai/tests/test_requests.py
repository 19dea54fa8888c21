"""What goes to Google and what comes back, in the member where Google wants it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from jackfield import Build, ConversationRequest, GenerationSettings, Message, TextPart, Tool, ToolCall
from jackfield.testing import Exchange, FakeUpstream, event_stream
from jackfield_googleai import GoogleAIConversation, GoogleAISettings

LOOK = Tool(name="look", parameters={"type": "object", "properties": {}})
USER = Message(role="user", parts=(TextPart("hello"),))


def component(**settings: Any) -> GoogleAIConversation:
    """Build a component."""
    decoded = GoogleAISettings.model_validate({"key": "AIza-test-0123456789", **settings})
    return GoogleAIConversation(Build(name="llm", type_name="conversation.googleai", settings=decoded, environment={}))


def written(request: ConversationRequest, model: str = "gemini-3.8-flash", **settings: Any) -> dict[str, Any]:
    """The body as it leaves, which OpenAI's own types take too."""
    body: dict[str, Any] = msgspec.to_builtins(component(**settings).body(request, model, stream=False))
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    return body


def after(*calls: ToolCall) -> ConversationRequest:
    """A request with the calls of an earlier turn and their results."""
    results = [Message(role="tool", parts=(TextPart("1"),), tool_call_id=call.id) for call in calls]
    messages = (USER, Message(role="assistant", tool_calls=calls), *results)
    return ConversationRequest(component="llm", messages=messages, tools=(LOOK,))


@pytest.mark.parametrize(
    ("model", "opaque", "expected"),
    [
        ("gemini-3.8-flash", "googleai:c2ln", "c2ln"),
        ("gemini-2.5-flash-lite", "googleai:c2ln", "c2ln"),
        ("gemini-3.8-flash", "openrouter:abc", "skip_thought_signature_validator"),
        ("gemini-3.8-flash", "", "skip_thought_signature_validator"),
        ("gemini-2.5-flash-lite", "", None),
        ("models/gemini-2.5-flash", "anthropic:abc", None),
    ],
)
def test_signature_returns(model: str, opaque: str, expected: str | None) -> None:
    """Google's own signature goes back; another's is replaced by Google's word where one is demanded."""
    [call] = written(after(ToolCall("a", "look", "{}", opaque)), model)["messages"][1]["tool_calls"]
    assert call.get("extra_content") == (expected and {"google": {"thought_signature": expected}})


def test_only_the_first_of_parallel_calls_is_signed() -> None:
    """Google signs the first of several calls and expects no more."""
    first, second = written(after(ToolCall("a", "look", "{}"), ToolCall("b", "look", "{}")))["messages"][1][
        "tool_calls"
    ]
    assert "extra_content" in first
    assert "extra_content" not in second


def test_what_google_refuses_stays_here() -> None:
    """Members that Google doesn't know are left out and named."""
    settings = GenerationSettings(top_k=1, seed=2, presence_penalty=0.1, frequency_penalty=0.2, temperature=0.0)
    request = ConversationRequest(
        component="llm", messages=(USER,), settings=settings, metadata={"a": "b"}, prompt_cache_retention=60.0
    )
    assert written(request).keys() == {"model", "messages", "temperature"}
    ignored = {"top_k", "seed", "presence_penalty", "frequency_penalty", "metadata", "prompt_cache_retention"}
    assert set(request.record.ignored) == ignored


def test_reasoning_effort() -> None:
    """The manifest says how much the model thinks; a misspelt word is an error."""
    assert (
        written(ConversationRequest(component="llm", messages=(USER,)), reasoningEffort="low")["reasoning_effort"]
        == "low"
    )
    with pytest.raises(ValidationError, match="reasoningEffort"):
        GoogleAISettings.model_validate({"key": "k", "reasoningEffort": "lots"})


def test_streamed_calls_without_number_and_id() -> None:
    """Calls that come whole, with neither index nor id, stay apart, each with its signature."""
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    calls = [
        {"type": "function", "function": {"name": "look", "arguments": '{"n":1}'}, **signed},
        {"type": "function", "function": {"name": "look", "arguments": '{"n":2}'}},
    ]

    async def answer(exchange: Exchange) -> None:
        chunks: list[Any] = [
            {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]} for call in calls
        ]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await exchange.send_events(event_stream(chunks))

    async def run() -> list[Any]:
        async with FakeUpstream(answer) as upstream:
            llm = component(endpoint=upstream.endpoint)
            await llm.start()
            try:
                request = ConversationRequest(component="llm", messages=(USER,), tools=(LOOK,), stream=True)
                return [event async for event in llm.stream(request)]
            finally:
                await llm.close()

    one, two, end = asyncio.run(run())
    assert (one.part.position, one.part.arguments, one.part.opaque) == (0, '{"n":1}', "googleai:c2ln")
    assert (two.part.position, two.part.arguments, two.part.opaque) == (1, '{"n":2}', "")
    assert end.reason == "tool_calls"
