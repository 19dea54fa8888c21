"""Attributes by the conventions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jackfield import (
    BreakerOpen,
    Build,
    ChainBuild,
    Conversation,
    ConversationRequest,
    GenerationSettings,
    Message,
    PolicySettings,
    ProviderError,
    ReasoningPart,
    ResponseFormat,
    Settings,
    TextPart,
    ToolCall,
)
from jackfield_otel.attributes import error_type, message_json, provider_of, reply_json, request_attributes

CALL = ToolCall(id="1", name="weather", arguments='{"city": "Rome"}')


@pytest.mark.parametrize(
    ("type_name", "spec", "provider"),
    [
        ("conversation.openai", {}, "openai"),
        ("conversation.openai", {"apiType": "azure"}, "azure.ai.openai"),
        ("conversation.anthropic", {}, "anthropic"),
        ("conversation.aws.bedrock", {}, "aws.bedrock"),
        ("conversation.googleai", {}, "gcp.gemini"),
        ("conversation.mistral", {}, "mistral_ai"),
        ("conversation.somebody.else", {}, "somebody.else"),
    ],
)
def test_providers_have_the_conventions_names(type_name: str, spec: dict[str, Any], provider: str) -> None:
    """Where the convention names a provider its name is used; otherwise it is that of the component type."""

    def no_other(*_: Any, **__: Any) -> Any:
        raise LookupError

    build = ChainBuild(
        name="llm",
        type_name=type_name,
        component=Conversation(Build(name="llm", type_name=type_name, settings=Settings())),
        policies=PolicySettings(),
        digest="",
        spec=spec,
        references=no_other,
        targets=no_other,
        supplies=no_other,
    )
    assert provider_of(build) == provider


def test_what_a_request_asks_for_is_told_and_what_it_says_is_not() -> None:
    """Settings that are set are attributes, an explicit 0 too; text, tools and metadata are none."""
    request = ConversationRequest(
        component="llm",
        messages=(Message(role="user", parts=(TextPart("private words"),)),),
        settings=GenerationSettings(temperature=0.0, max_tokens=5),
        metadata={"user": "private name"},
        response_format=ResponseFormat(schema=None),
        context_id="c-1",
        stream=True,
    )
    assert request_attributes(request) == {
        "jackfield.component": "llm",
        "gen_ai.conversation.id": "c-1",
        "gen_ai.request.max_tokens": 5,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.stream": True,
        "gen_ai.output.type": "json",
    }


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderError("private words", status=429), "429"),
        (ProviderError("private words"), "ProviderError"),
        (BreakerOpen("private words"), "BreakerOpen"),
        (asyncio.CancelledError(), "cancelled"),
        (GeneratorExit(), "cancelled"),
        (ValueError("private words"), "ValueError"),
    ],
)
def test_an_error_s_type_is_one_word(error: BaseException, kind: str) -> None:
    """It is the provider's status or the kind of error: few values, and never a text."""
    assert error_type(error) == kind


def test_messages_are_written_as_the_conventions_have_them() -> None:
    """Text, reasoning, calls and their results are parts of messages with roles."""
    messages = (
        Message(role="user", parts=(TextPart("how warm?"),)),
        Message(role="assistant", parts=(ReasoningPart("hm"),), tool_calls=(CALL,)),
        Message(role="tool", parts=(TextPart("20"),), tool_call_id="1", name="weather"),
    )
    call = {"type": "tool_call", "id": "1", "name": "weather", "arguments": '{"city": "Rome"}'}
    assert json.loads(message_json(messages)) == [
        {"role": "user", "parts": [{"type": "text", "content": "how warm?"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}, call]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "20"}]},
    ]
    assert json.loads(reply_json([((TextPart("x"),), (CALL,), "tool_calls")])) == [
        {"role": "assistant", "parts": [{"type": "text", "content": "x"}, call], "finish_reason": "tool_calls"}
    ]
