"""Bodies as Mistral wants them, and that Mistral's own package takes them for valid."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from mistralai.client.models import ChatCompletionRequest
from msgspec.structs import replace

from jackfield import (
    Build,
    ConversationRequest,
    GenerationSettings,
    Message,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield_mistral import MistralConversation, mistral_id
from jackfield_openai import KeyedSettings

LOOK = Tool(name="look", parameters={"type": "object", "properties": {}})
CALL = ToolCall("call_0fypS1hVX", "look", "{}")


def said(role: Any, text: str = "", **members: Any) -> Message:
    """A message of one text."""
    return Message(role=role, parts=(TextPart(text),) if text else (), **members)


def written(*messages: Message, **members: Any) -> dict[str, Any]:
    """The body as it leaves, which Mistral's own types take."""
    settings = KeyedSettings.model_validate({"key": "mistral-test-0123456789"})
    build = Build(name="llm", type_name="conversation.mistral", settings=settings, environment={})
    request = ConversationRequest(component="llm", messages=messages or (said("user", "hello"),), **members)
    body = MistralConversation(build).body(request, "ministral-8b-latest", stream=False)
    data = msgspec.json.encode(body)
    ChatCompletionRequest.model_validate_json(data)
    return msgspec.json.decode(data, type=dict[str, Any])


def roles(*messages: Message) -> list[str]:
    """The roles as they leave."""
    return [message["role"] for message in written(*messages)["messages"]]


def test_settings_by_mistrals_names() -> None:
    """The seed has Mistral's name, and everything else is sent."""
    settings = GenerationSettings(seed=0, max_tokens=5, top_k=2, n=2, stop=("a",), presence_penalty=0.5)
    body = written(settings=settings, metadata={"team": "search"})
    del body["messages"]
    assert body == {
        "model": "ministral-8b-latest",
        "random_seed": 0,
        "max_tokens": 5,
        "top_k": 2,
        "n": 2,
        "stop": ["a"],
        "presence_penalty": 0.5,
        "metadata": {"team": "search"},
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "any"),
        ("any", "any"),
        ("look", {"type": "function", "function": {"name": "look"}}),
    ],
)
def test_tool_choice(choice: str, expected: Any) -> None:
    """A choice is sent in Mistral's words."""
    assert written(tools=(LOOK,), tool_choice=choice)["tool_choice"] == expected


def test_structured_output() -> None:
    """A schema is kept to by the API itself."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert written(response_format=ResponseFormat(schema=schema, name="a", strict=True))["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "a", "strict": True, "schema": schema},
    }


@pytest.mark.parametrize("text", ["call_0fypS1hVX", "", "toolu_01A09q90qw90lq917835lq9", "chatcmpl-tool-1", "ünïcödé"])
def test_ids_from_elsewhere(text: str) -> None:
    """Any id becomes nine letters and digits, and always the same ones."""
    made = mistral_id(text)
    assert len(made) == 9
    assert made.isascii()
    assert made.isalnum()
    assert made == mistral_id(text)


def test_own_ids_stay() -> None:
    """An id of Mistral's form goes back as it came."""
    assert mistral_id("D681PevKs") == "D681PevKs"


def test_ids_differ() -> None:
    """Ids that differ in one character stay apart."""
    assert len({mistral_id(f"call_{number}") for number in range(1000)}) == 1000


def test_call_and_result_share_their_id() -> None:
    """A result still names its call, and its function, when both ids were changed."""
    result = said("tool", "1", tool_call_id=CALL.id, name="look")
    _, call, answer = written(said("user", "hi"), said("assistant", tool_calls=(CALL,)), result)["messages"]
    assert call["tool_calls"][0]["id"] == answer["tool_call_id"] == mistral_id(CALL.id)
    assert answer["name"] == "look"


def test_calls_without_ids_get_some_of_their_own() -> None:
    """Each call has another id, and its result, in the same order, the same one; calls with ids are left alone."""
    nameless, results = replace(CALL, id=""), [said("tool", text, name="look") for text in ("1", "2", "3")]
    own = said("tool", "0", tool_call_id=CALL.id, name="look")
    turns = [said("assistant", tool_calls=(nameless, CALL, nameless)), results[0], own, results[1]]
    turns += [said("assistant", tool_calls=(nameless,)), results[2]]
    sent = written(said("user", "a"), *turns)["messages"]
    first, second, third, fourth = (call["id"] for message in sent for call in message.get("tool_calls", ()))
    answers = [message["tool_call_id"] for message in sent if message["role"] == "tool"]
    assert answers == [first, second, third, fourth]
    assert len({*answers}) == 4
    assert second == mistral_id(CALL.id)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(
            [said("user", "a"), said("assistant", tool_calls=(CALL,)), said("tool", "1", tool_call_id=CALL.id)],
            ["user", "assistant", "tool"],
            id="in order",
        ),
        pytest.param(
            [said("assistant", tool_calls=(CALL,)), said("tool", "1", tool_call_id=CALL.id), said("user", "b")],
            ["assistant", "tool", "assistant", "user"],
            id="user after tool",
        ),
        pytest.param(
            [said("system", "s"), said("user", "a"), said("assistant", "b"), said("developer", "t"), said("user", "c")],
            ["system", "system", "user", "assistant", "user"],
            id="late system",
        ),
        pytest.param(
            [said("user", "a"), said("assistant"), said("user", "b")], ["user", "user"], id="assistant said nothing"
        ),
        pytest.param([said("user", "a"), said("system", "s")], ["user", "system"], id="system after user"),
        pytest.param([said("system", "s")], ["system"], id="system alone"),
    ],
)
def test_order(messages: list[Message], expected: list[str]) -> None:
    """Messages are brought into an order that the API accepts."""
    assert roles(*messages) == expected


def test_last_word_of_the_assistant() -> None:
    """An assistant message at the end is marked as what the reply begins with."""
    user, begun = written(said("user", "a"), said("assistant", "Once"))["messages"]
    assert begun["prefix"] is True
    assert "prefix" not in user
