"""Headers, bodies, encrypted reasoning and errors of OpenRouter."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from jackfield import (
    Build,
    ConversationRequest,
    Message,
    ProviderError,
    ReasoningPart,
    ResponseFormat,
    Result,
    TextPart,
    Tool,
    ToolCall,
    collect,
)
from jackfield.testing import Exchange, FakeUpstream, event_stream
from jackfield_openrouter import OpenRouterConversation, OpenRouterSettings

LOOK = Tool(name="look", parameters={"type": "object", "properties": {}})
USER = Message(role="user", parts=(TextPart("hello"),))
HIDDEN = {"type": "reasoning.encrypted", "data": "c2VjcmV0", "id": "look_1", "format": "google-gemini-v1", "index": 0}
SHOWN = {"type": "reasoning.summary", "summary": "I look.", "format": "openai-responses-v1", "index": 0}
CALL = {"id": "look_1", "index": 0, "type": "function", "function": {"name": "look", "arguments": "{}"}}


def component(**settings: Any) -> OpenRouterConversation:
    """Build a component."""
    decoded = OpenRouterSettings.model_validate({"key": "sk-or-test-0123456789", **settings})
    return OpenRouterConversation(
        Build(name="llm", type_name="conversation.openrouter", settings=decoded, environment={})
    )


def written(*messages: Message, settings: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """The body as it leaves, which OpenAI's own types take too."""
    request = ConversationRequest(component="llm", messages=messages or (USER,), **members)
    body: dict[str, Any] = msgspec.to_builtins(
        component(**settings or {}).body(request, "openai/gpt-4o-mini", stream=False)
    )
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    return body


async def answered(body: Any, *, stream: bool = False) -> Result:
    """Let a server answer with a body, or with chunks as a stream, and return what becomes of it."""

    async def answer(exchange: Exchange) -> None:
        if stream:
            comment = b": OPENROUTER PROCESSING\n\n"
            await exchange.send_events([comment, *event_stream(body)])
        else:
            await exchange.send(200, body)

    async with FakeUpstream(answer) as upstream:
        llm = component(endpoint=upstream.endpoint)
        await llm.start()
        try:
            request = ConversationRequest(component="llm", messages=(USER,), tools=(LOOK,), stream=stream)
            return await (collect(llm.stream(request)) if stream else llm.converse(request))
        finally:
            await llm.close()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        (
            {"siteURL": "https://shop.example", "siteTitle": "Shop"},
            {"HTTP-Referer": "https://shop.example", "X-Title": "Shop"},
        ),
    ],
)
def test_headers(settings: dict[str, str], expected: dict[str, str]) -> None:
    """OpenRouter is told of the app where the manifest names it."""
    headers = component(**settings).headers()
    assert headers.pop("Authorization") == "Bearer sk-or-test-0123456789"
    assert headers == expected


def test_a_line_break_is_no_title() -> None:
    """What can't stand in a header is an error of the manifest."""
    with pytest.raises(ValidationError, match="siteTitle"):
        OpenRouterSettings.model_validate({"key": "k", "siteTitle": "a\r\nX-Other: b"})


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, None),
        ({"tools": (LOOK,)}, None),
        ({"tools": (LOOK,), "tool_choice": "auto"}, None),
        ({"tools": (LOOK,), "tool_choice": "none"}, {"require_parameters": True}),
        ({"tools": (LOOK,), "tool_choice": "look"}, {"require_parameters": True}),
        ({"response_format": ResponseFormat(schema={"type": "object"})}, {"require_parameters": True}),
        ({"response_format": ResponseFormat(schema=None)}, {"require_parameters": True}),
    ],
)
def test_providers_that_keep_to_it(members: dict[str, Any], expected: Any) -> None:
    """A structure or a choice goes only to providers that don't pass over it."""
    assert written(**members).get("provider") == expected


def test_reasoning_effort() -> None:
    """The manifest says how much the model thinks."""
    assert written(settings={"reasoningEffort": "low"})["reasoning"] == {"effort": "low"}


def streamed(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """The chunks of one choice."""
    ends: list[tuple[dict[str, Any], str | None]] = [*((delta, None) for delta in deltas), ({}, "tool_calls")]
    return [{"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in ends]


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(
            lambda: answered({"choices": [{"message": {"tool_calls": [CALL], "reasoning_details": [SHOWN, HIDDEN]}}]}),
            id="unary",
        ),
        pytest.param(
            lambda: answered(
                streamed({"reasoning_details": [SHOWN]}, {"tool_calls": [CALL]}, {"reasoning_details": [HIDDEN]}),
                stream=True,
            ),
            id="streamed",
        ),
    ],
)
def test_encrypted_reasoning_returns(result: Any) -> None:
    """What a model's maker has encrypted leaves with the call, unreadable text alone, and goes back as it came."""
    [call] = asyncio.run(result()).choices[0].tool_calls
    assert call.opaque.startswith("openrouter:")
    assert call.opaque.removeprefix("openrouter:").replace("-", "").replace("_", "").replace("=", "").isalnum()
    turn = Message(role="assistant", parts=(ReasoningPart("I look."),), tool_calls=(call,))
    sent = written(USER, turn, tools=(LOOK,))["messages"][1]
    assert sent["reasoning_details"] == [HIDDEN]
    assert sent["reasoning"] == "I look."


@pytest.mark.parametrize("opaque", ["", "googleai:c2ln", "openrouter:%%%", "openrouter:W10=", "openrouter:ez"])
def test_foreign_and_broken_data_stays_here(opaque: str) -> None:
    """Another provider's data, and what an app has spoilt, is not sent."""
    turn = Message(role="assistant", tool_calls=(ToolCall("a", "look", "{}", opaque),))
    assert "reasoning_details" not in written(USER, turn)["messages"][1]


PROVIDER_FAILED = {"code": 502, "message": "Provider returned error", "metadata": {"provider_name": "Some"}}


@pytest.mark.parametrize(
    ("body", "stream"),
    [
        pytest.param({"error": PROVIDER_FAILED}, False, id="whole"),
        pytest.param({"choices": [{"error": PROVIDER_FAILED, "message": {"content": "On"}}]}, False, id="choice"),
        pytest.param([{"choices": [{"delta": {"content": "On"}}]}, {"error": PROVIDER_FAILED}], True, id="stream"),
        pytest.param([{"choices": [{"delta": {}, "error": PROVIDER_FAILED}]}], True, id="streamed choice"),
    ],
)
def test_errors_with_a_status_of_success(body: Any, stream: bool) -> None:
    """A provider that fails behind OpenRouter is an error with its status, wherever it is told."""
    with pytest.raises(ProviderError, match="Provider returned error") as caught:
        asyncio.run(answered(body, stream=stream))
    assert caught.value.status == 502
