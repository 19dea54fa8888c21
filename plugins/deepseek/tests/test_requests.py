"""How thinking is switched, and what of it goes back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from jackfield import (
    Build,
    ConversationRequest,
    GenerationSettings,
    InvalidParameters,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield_deepseek import DeepSeekConversation, DeepSeekSettings

LOOK = Tool(name="look", parameters={"type": "object", "properties": {}})
USER = Message(role="user", parts=(TextPart("hello"),))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FORCED: dict[str, Any] = {"tools": (LOOK,), "tool_choice": "look"}
STRUCTURED: dict[str, Any] = {"response_format": ResponseFormat(schema=SCHEMA, name="place")}


def written(settings: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """The body as it leaves, which OpenAI's own types take too."""
    decoded = DeepSeekSettings.model_validate({"key": "sk-test-0123456789", **(settings or {})})
    llm = DeepSeekConversation(Build(name="llm", type_name="conversation.deepseek", settings=decoded, environment={}))
    members.setdefault("messages", (USER,))
    request = ConversationRequest(component="llm", **members)
    body: dict[str, Any] = msgspec.to_builtins(llm.body(request, request.model or llm.model, stream=False))
    TypeAdapter(CompletionCreateParamsNonStreaming).validate_python(body)
    return body


@pytest.mark.parametrize(
    ("settings", "members", "model", "thinking"),
    [
        pytest.param({}, {}, "deepseek-v4-flash", "disabled", id="Dapr's default did not think"),
        pytest.param({"model": "deepseek-chat"}, {}, "deepseek-v4-flash", "disabled", id="retired chat"),
        pytest.param({"model": "deepseek-reasoner"}, {}, "deepseek-v4-flash", "enabled", id="retired reasoner"),
        pytest.param({"model": "deepseek-v4-pro"}, {}, "deepseek-v4-pro", None, id="the model's own way"),
        pytest.param({}, {"model": "deepseek-v4-pro"}, "deepseek-v4-pro", None, id="a request's model"),
        pytest.param({"thinking": "enabled"}, {}, "deepseek-v4-flash", "enabled", id="the manifest's word"),
        pytest.param(
            {"thinking": "disabled", "model": "deepseek-reasoner"}, {}, "deepseek-v4-flash", "disabled", id="over all"
        ),
        pytest.param({"model": "deepseek-v4-pro"}, FORCED, "deepseek-v4-pro", "disabled", id="a forced call"),
        pytest.param({"model": "deepseek-v4-pro"}, STRUCTURED, "deepseek-v4-pro", "disabled", id="a structure"),
        pytest.param(
            {"model": "deepseek-v4-pro"}, {**FORCED, "tool_choice": "auto"}, "deepseek-v4-pro", None, id="a free choice"
        ),
    ],
)
def test_thinking(settings: dict[str, Any], members: dict[str, Any], model: str, thinking: str | None) -> None:
    """Model, manifest and request say together whether the model thinks."""
    body = written(settings, **members)
    assert body["model"] == model
    assert body.get("thinking") == (thinking and {"type": thinking})


@pytest.mark.parametrize("members", [FORCED, STRUCTURED], ids=["tool choice", "response format"])
def test_thinking_and_force_are_an_error(members: dict[str, Any]) -> None:
    """What DeepSeek can't do at once is told before it is asked, with the way out."""
    with pytest.raises(InvalidParameters, match="take thinking out of the manifest"):
        written({"thinking": "enabled"}, **members)


def test_misspelt_thinking() -> None:
    """A word that isn't one is an error of the manifest."""
    with pytest.raises(ValidationError, match="thinking"):
        DeepSeekSettings.model_validate({"key": "k", "thinking": "on"})


def test_a_structure_is_a_forced_tool() -> None:
    """A schema goes out as the one tool that the model must call."""
    body = written(**STRUCTURED)
    [tool] = body["tools"]
    assert tool["function"]["name"] == "place"
    assert tool["function"]["parameters"] == SCHEMA
    assert body["tool_choice"] == {"type": "function", "function": {"name": "place"}}
    assert "response_format" not in body


def thoughts(settings: dict[str, Any], *messages: Message) -> list[Any]:
    """The thoughts that go back with the assistant's messages."""
    sent = written(settings, messages=(USER, *messages), tools=(LOOK,))["messages"]
    return [message.get("reasoning_content") for message in sent if message["role"] == "assistant"]


CALLED = Message(role="assistant", parts=(ReasoningPart("hm"),), tool_calls=(ToolCall("a", "look", "{}"),))
FORGOTTEN = Message(role="assistant", tool_calls=(ToolCall("a", "look", "{}"),))
RESULT = Message(role="tool", parts=(TextPart("1"),), tool_call_id="a")
SAID = Message(role="assistant", parts=(ReasoningPart("so"), TextPart("one")))


@pytest.mark.parametrize(
    ("settings", "messages", "expected"),
    [
        pytest.param({"model": "deepseek-v4-pro"}, [CALLED, RESULT, SAID], ["hm", "so"], id="kept by the app"),
        pytest.param({"model": "deepseek-v4-pro"}, [FORGOTTEN, RESULT], [" "], id="not kept"),
        pytest.param({"model": "deepseek-v4-pro"}, [SAID], [None], id="no tools called"),
        pytest.param({}, [CALLED, RESULT, SAID], [None, None], id="no thinking"),
    ],
)
def test_thoughts_return(settings: dict[str, Any], messages: list[Message], expected: list[Any]) -> None:
    """Once tools were called, a thinking model gets its thoughts back, and otherwise none."""
    assert thoughts(settings, *messages) == expected


def test_max_tokens_and_what_is_ignored() -> None:
    """The limit is sent, which daprd never did; settings that DeepSeek lacks are left out."""
    decoded = DeepSeekSettings.model_validate({"key": "sk-test-0123456789"})
    llm = DeepSeekConversation(Build(name="llm", type_name="conversation.deepseek", settings=decoded, environment={}))
    request = ConversationRequest(
        component="llm", messages=(USER,), settings=GenerationSettings(max_tokens=9, seed=1, top_k=2)
    )
    sent = msgspec.to_builtins(llm.body(request, llm.model, stream=False))
    assert sent["max_tokens"] == 9
    assert set(request.record.ignored) == {"seed", "top_k"}
