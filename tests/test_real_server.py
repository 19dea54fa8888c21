"""Components in front of a server that nobody here wrote: llama.cpp's, with the embedded model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from llama_server import MODEL, running_llama_server
from running import RunningHost, component

from jackfield import (
    Build,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    GenerationSettings,
    Message,
    TextPart,
    Usage,
)
from jackfield.plugins.manager import load_plugins

KEY = "a-key-that-only-this-test-knows"
SYSTEM = {"ofSystem": {"content": [{"text": "You are a helpful assistant."}]}}
QUESTION = {"ofUser": {"content": [{"text": "What is the capital of France?"}]}}
TYPES = {
    "conversation.openai": "{}/v1",
    "conversation.anthropic": "{}/v1",
    "conversation.ollama": "{}/v1",
}


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[str]:
    """The address of a running server."""
    with running_llama_server(KEY) as address:
        yield address


@pytest.mark.parametrize("type_name", TYPES)
def test_a_sentence_comes_back(server: str, tmp_path: Path, type_name: str) -> None:
    """A component of each type gets the model's sentence, its finish reason and its usage."""
    settings = {"key": KEY, "endpoint": TYPES[type_name].format(server), "model": MODEL}
    (tmp_path / "llm.yaml").write_text(component("llm", type_name, **settings))
    with RunningHost(tmp_path) as host:
        body = {"inputs": [{"messages": [SYSTEM, QUESTION]}], "temperature": 0, "parameters": {"maxTokens": 20}}
        reply = host.request("POST", "/v1.0-alpha2/conversation/llm/converse", body)
    assert reply.status == 200, reply.body
    [output] = reply.json["outputs"]
    [choice] = output["choices"]
    assert choice["message"]["content"].strip() == "The capital of France is Paris."
    assert choice["finishReason"] == "stop"
    assert int(output["usage"]["completionTokens"]) > 5


@pytest.mark.parametrize("type_name", TYPES)
def test_the_sentence_comes_in_pieces(server: str, type_name: str) -> None:
    """Streamed, the same reply comes in several pieces, with its end and its usage."""
    kind = load_plugins().component_types().find(type_name)
    assert kind is not None
    settings = kind.settings.model_validate({"key": KEY, "endpoint": TYPES[type_name].format(server), "model": MODEL})
    messages = (
        Message(role="system", parts=(TextPart("You are a helpful assistant."),)),
        Message(role="user", parts=(TextPart("What is the capital of France?"),)),
    )
    generation = GenerationSettings(temperature=0.0, max_tokens=20)

    async def scenario() -> list[Event]:
        component = kind.factory(Build(name="llm", type_name=type_name, settings=settings))
        assert isinstance(component, Conversation)
        await component.start()
        try:
            request = ConversationRequest(component="llm", messages=messages, settings=generation, stream=True)
            async with aclosing(component.stream(request)) as events:
                return [event async for event in events]
        finally:
            await component.close()

    events = asyncio.run(scenario())
    texts = [event.part.text for event in events if isinstance(event, Delta) and isinstance(event.part, TextPart)]
    assert "".join(texts).strip() == "The capital of France is Paris."
    assert len(texts) > 3
    assert [type(event) for event in events[-2:]] == [Finish, Usage]


@pytest.mark.parametrize("type_name", TYPES)
def test_a_wrong_key_is_told(server: str, tmp_path: Path, type_name: str) -> None:
    """The server's refusal reaches the caller, without the key."""
    settings = {"key": "wrong-key-of-this-test", "endpoint": TYPES[type_name].format(server), "model": MODEL}
    (tmp_path / "llm.yaml").write_text(component("llm", type_name, **settings))
    with RunningHost(tmp_path) as host:
        reply = host.converse("llm")
    assert reply.status == 500
    assert "401" in reply.json["message"]
    assert b"wrong-key-of-this-test" not in reply.body
