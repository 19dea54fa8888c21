"""Addresses and bodies for Hugging Face."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from jackfield import Build, ConversationRequest, GenerationSettings, InvalidParameters, Message, TextPart
from jackfield.testing import FakeUpstream, chat
from jackfield_huggingface import HuggingFaceConversation
from jackfield_openai import KeyedSettings

USER = Message(role="user", parts=(TextPart("hello"),))
DAPRS = "https://router.huggingface.co/hf-inference/models/{{model}}/v1"


def component(environment: dict[str, str] | None = None, **settings: Any) -> HuggingFaceConversation:
    """Build a component."""
    decoded = KeyedSettings.model_validate({"key": "hf_test0123456789", **settings})
    return HuggingFaceConversation(
        Build(name="llm", type_name="conversation.huggingface", settings=decoded, environment=environment or {})
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "https://router.huggingface.co/v1/chat/completions"),
        (
            {"endpoint": DAPRS, "model": "Qwen/Qwen3-8B"},
            "https://router.huggingface.co/hf-inference/models/Qwen/Qwen3-8B/v1/chat/completions",
        ),
        (
            {"endpoint": DAPRS, "model": "a b/c?d:groq"},
            "https://router.huggingface.co/hf-inference/models/a%20b/c%3Fd/v1/chat/completions",
        ),
        (
            {"endpoint": "https://x.endpoints.huggingface.cloud/v1/"},
            "https://x.endpoints.huggingface.cloud/v1/chat/completions",
        ),
    ],
)
def test_address(settings: dict[str, Any], expected: str) -> None:
    """The model stands in the address where the endpoint has a place for it, Dapr's among them."""
    llm = component(**settings)
    assert llm.url(llm.model) == expected


def test_address_of_a_request() -> None:
    """A request's own model is asked at its own address."""

    async def run() -> list[str]:
        async with FakeUpstream(chat) as upstream:
            llm = component(endpoint=f"{upstream.address}/{{{{model}}}}/v1", model="org/one")
            await llm.start()
            try:
                await llm.converse(ConversationRequest(component="llm", messages=(USER,)))
                await llm.converse(ConversationRequest(component="llm", messages=(USER,), model="org/two"))
            finally:
                await llm.close()
            return [exchange.target for exchange in upstream.requests]

    assert asyncio.run(run()) == ["/org/one/v1/chat/completions", "/org/two/v1/chat/completions"]


def test_model_of_the_environment() -> None:
    """The environment names the model unless the manifest does."""
    assert component({"HUGGINGFACE_MODEL": "org/other"}).model == "org/other"
    assert component({"HUGGINGFACE_MODEL": "org/other"}, model="org/mine").model == "org/mine"


def test_body() -> None:
    """What the router doesn't know is left out and named."""
    request = ConversationRequest(
        component="llm", messages=(USER,), settings=GenerationSettings(top_k=4, seed=3), metadata={"a": "b"}
    )
    body = msgspec.to_builtins(component().body(request, "openai/gpt-oss-120b", stream=False))
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    assert body.keys() == {"model", "messages", "seed"}
    assert request.record.ignored == ("top_k", "metadata")


def test_several_choices_are_refused() -> None:
    """More than one choice is an error, not one choice in silence."""
    request = ConversationRequest(component="llm", messages=(USER,), settings=GenerationSettings(n=2))
    with pytest.raises(InvalidParameters, match="n is 2"):
        component().body(request, "m", stream=False)
