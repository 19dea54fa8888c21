"""Bodies for Ollama, and what it can't be asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import ollama
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from jackfield import (
    Build,
    ConversationRequest,
    GenerationSettings,
    InvalidParameters,
    Message,
    ResponseFormat,
    TextPart,
    Tool,
)
from jackfield_ollama import OllamaConversation, OllamaSettings

LOOK = Tool(name="look", description="Looks", parameters={"type": "object", "properties": {"at": {"type": "string"}}})
USER = Message(role="user", parts=(TextPart("hello"),))


def component(**settings: Any) -> OllamaConversation:
    """Build a component."""
    decoded = OllamaSettings.model_validate(settings)
    return OllamaConversation(Build(name="llm", type_name="conversation.ollama", settings=decoded, environment={}))


def written(manifest: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """The body as it leaves, which OpenAI's own types take too."""
    members.setdefault("messages", (USER,))
    request = ConversationRequest(component="llm", **members)
    body: dict[str, Any] = msgspec.to_builtins(
        component(**manifest or {}).body(request, "llama3.2:latest", stream=False)
    )
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    return body


@pytest.mark.parametrize("choice", ["required", "any", "look"])
def test_a_forced_choice_is_refused(choice: str) -> None:
    """Ollama would answer as if nothing had been said; the caller is told instead."""
    with pytest.raises(InvalidParameters, match=f"tool choice '{choice}' can't be kept to"):
        written(tools=(LOOK,), tool_choice=choice)


def test_no_tools_are_sent_where_none_may_be_called() -> None:
    """``none`` is kept to, by not telling of the tools."""
    assert written(tools=(LOOK,), tool_choice="none").keys() == {"model", "messages"}


def test_tools_are_ollamas() -> None:
    """Ollama's own package takes our description of a tool."""
    [tool] = written(tools=(LOOK,))["tools"]
    read = ollama.Tool.model_validate(tool)
    assert read.function is not None
    assert read.function.name == "look"
    assert read.function.parameters is not None
    assert read.function.parameters.properties is not None
    assert list(read.function.parameters.properties) == ["at"]


def test_several_choices_are_refused() -> None:
    """More than one choice is an error, not one choice in silence."""
    with pytest.raises(InvalidParameters, match="n is 3"):
        written(settings=GenerationSettings(n=3))


def test_a_schema_is_sent() -> None:
    """Structured output is Ollama's own."""
    sent = written(response_format=ResponseFormat(schema=LOOK.parameters))["response_format"]
    assert sent["json_schema"]["schema"] == LOOK.parameters


def test_developer_text_is_system_text() -> None:
    """Ollama's templates know the role system only."""
    [message] = written(messages=(Message(role="developer", parts=(TextPart("be kind"),)),))["messages"]
    assert message == {"role": "system", "content": "be kind"}


@pytest.mark.parametrize(("settings", "expected"), [({}, "Bearer ollama"), ({"key": "mine"}, "Bearer mine")])
def test_key(settings: dict[str, str], expected: str) -> None:
    """A key is sent if the manifest has one, and otherwise the word that Dapr sends."""
    assert component(**settings).headers() == {"Authorization": expected}


def test_reasoning_effort() -> None:
    """The manifest says how much the model thinks."""
    assert written({"reasoningEffort": "none"})["reasoning_effort"] == "none"
