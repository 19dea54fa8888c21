"""Request bodies, and that OpenAI's own package takes them for valid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield_openai import COMPATIBLE, OPENAI, Dialect, build_body, openai_dialect

Asked = Callable[..., ConversationRequest]
WEATHER = Tool(
    name="weather", description="Tells it", parameters={"type": "object", "properties": {"city": {"type": "string"}}}
)
CALL = ToolCall("call_1", "weather", '{"city": "Bremen"}')


def said(role: Any, *texts: str, **members: Any) -> Message:
    """A message of text parts."""
    return Message(role=role, parts=tuple(TextPart(text) for text in texts), **members)


def written(
    request: ConversationRequest, dialect: Dialect = OPENAI, *, model: str = "gpt-4.1", stream: bool = False
) -> dict[str, Any]:
    """The body as it leaves."""
    body = build_body(request, model=model, dialect=dialect, stream=stream)
    return msgspec.json.decode(msgspec.json.encode(body), type=dict[str, Any])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(said("user", "hi"), {"role": "user", "content": "hi"}, id="one text"),
        pytest.param(
            said("user", "a", "b"),
            {"role": "user", "content": [{"text": "a", "type": "text"}, {"text": "b", "type": "text"}]},
            id="several texts",
        ),
        pytest.param(said("user"), {"role": "user", "content": ""}, id="nothing"),
        pytest.param(said("system", "be kind"), {"role": "system", "content": "be kind"}, id="system"),
        pytest.param(said("user", "hi", name="Ann Lee"), {"role": "user", "content": "hi"}, id="names stay here"),
        pytest.param(
            said("assistant", "I look", tool_calls=(CALL,)),
            {
                "role": "assistant",
                "content": "I look",
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {"name": "weather", "arguments": '{"city": "Bremen"}'},
                        "type": "function",
                    }
                ],
            },
            id="text beside calls",
        ),
        pytest.param(
            said("assistant", tool_calls=(CALL,)),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "function": {"name": "weather", "arguments": '{"city": "Bremen"}'},
                        "type": "function",
                    }
                ],
            },
            id="calls alone",
        ),
        pytest.param(
            said("tool", "rain", tool_call_id="call_1", name="weather"),
            {"role": "tool", "content": "rain", "tool_call_id": "call_1"},
            id="tool result",
        ),
        pytest.param(
            Message(role="assistant", parts=(ReasoningPart("hm"), TextPart("yes"))),
            {"role": "assistant", "content": "yes"},
            id="reasoning stays here",
        ),
    ],
)
def test_message(asked: Asked, message: Message, expected: dict[str, Any]) -> None:
    """A message is written as OpenAI's reference describes it, and OpenAI's package agrees."""
    [sent] = written(asked(messages=(message,)))["messages"]
    assert sent == expected
    TypeAdapter(ChatCompletionMessageParam).validate_python(sent)


@pytest.mark.parametrize(
    ("model", "dialect", "role"),
    [
        ("gpt-5-nano", openai_dialect("gpt-5-nano"), "developer"),
        ("o3", openai_dialect("o3"), "developer"),
        ("gpt-4.1", openai_dialect("gpt-4.1"), "system"),
        ("gpt-5-nano", COMPATIBLE, "system"),
    ],
)
def test_developer_role(asked: Asked, model: str, dialect: Dialect, role: str) -> None:
    """Developer text keeps its role where the model knows it, and is system text elsewhere."""
    [sent] = written(asked(messages=(said("developer", "be kind"),)), dialect, model=model)["messages"]
    assert sent == {"role": role, "content": "be kind"}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(
            [said("system", "be kind"), said("user", "hi"), said("user", "there")],
            [{"role": "user", "content": "be kind\n\nhi"}, {"role": "user", "content": "there"}],
            id="before the first user text",
        ),
        pytest.param(
            [said("assistant", "yes?"), said("developer", "a", "b"), said("user", "hi")],
            [{"role": "assistant", "content": "yes?"}, {"role": "user", "content": "a\n\nb\n\nhi"}],
            id="wherever it stands",
        ),
        pytest.param([said("system", "be kind")], [{"role": "user", "content": "be kind"}], id="no user text"),
        pytest.param([said("user", "hi")], [{"role": "user", "content": "hi"}], id="no system text"),
    ],
)
def test_models_without_system_role(asked: Asked, messages: list[Message], expected: list[dict[str, Any]]) -> None:
    """o1-mini and o1-preview get system text at the front of the first user message."""
    assert written(asked(messages=tuple(messages)), openai_dialect("o1-mini"))["messages"] == expected


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("any", "required"),
        ("weather", {"type": "function", "function": {"name": "weather"}}),
    ],
)
def test_tool_choice(asked: Asked, choice: str, expected: Any) -> None:
    """A word is sent as it is, a tool's name as the object that OpenAI wants."""
    assert written(asked(tools=(WEATHER,), tool_choice=choice))["tool_choice"] == expected


def test_tool_choice_is_left_out() -> None:
    """Without a choice, or without tools to choose from, none is sent, as OpenAI refuses one."""
    message = said("user", "hi")
    bodies = [
        written(ConversationRequest(component="llm", messages=(message,), tools=(WEATHER,))),
        written(ConversationRequest(component="llm", messages=(message,), tool_choice="auto")),
    ]
    assert ["tool_choice" in body for body in bodies] == [False, False]


def test_a_tool_called_any_can_be_chosen(asked: Asked) -> None:
    """The word any means required only if no tool has that name."""
    sent = written(asked(tools=(Tool(name="any"),), tool_choice="any"))
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "any"}}


@pytest.mark.parametrize(
    ("tool", "function"),
    [
        (WEATHER, {"name": "weather", "description": "Tells it", "parameters": WEATHER.parameters}),
        (Tool(name="now"), {"name": "now", "parameters": {"type": "object", "properties": {}}}),
    ],
)
def test_tool(asked: Asked, tool: Tool, function: dict[str, Any]) -> None:
    """A tool is a function with a schema; one without parameters takes an empty object."""
    [sent] = written(asked(tools=(tool,)))["tools"]
    assert sent == {"type": "function", "function": function}
    TypeAdapter(ChatCompletionToolParam).validate_python(sent)


NESTED = {
    "type": "object",
    "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "$defs": {"node": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}}}},
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (
            ResponseFormat(schema=NESTED, name="node", strict=True, description="A node"),
            {
                "type": "json_schema",
                "json_schema": {"name": "node", "strict": True, "schema": NESTED, "description": "A node"},
            },
        ),
        (
            ResponseFormat(schema={"type": "object"}),
            {"type": "json_schema", "json_schema": {"name": "response", "strict": False, "schema": {"type": "object"}}},
        ),
        (ResponseFormat(schema=None), {"type": "json_object"}),
    ],
)
def test_response_format(asked: Asked, wanted: ResponseFormat, expected: dict[str, Any]) -> None:
    """A schema is sent whole, with every nested keyword; no schema asks for any JSON object."""
    assert written(asked(response_format=wanted))["response_format"] == expected


EVERYTHING = GenerationSettings(
    temperature=0.0,
    max_tokens=9,
    top_p=0.5,
    top_k=4,
    stop=("END", "\n"),
    seed=0,
    presence_penalty=0.0,
    frequency_penalty=-1.5,
    n=2,
)


def test_settings_for_openai(asked: Asked) -> None:
    """Every setting that is given is sent, an explicit 0 too; top_k, which OpenAI has not, is named as ignored."""
    request = asked(settings=EVERYTHING)
    sent = {name: value for name, value in written(request).items() if name not in {"model", "messages"}}
    assert sent == {
        "temperature": 0.0,
        "max_completion_tokens": 9,
        "top_p": 0.5,
        "stop": ["END", "\n"],
        "seed": 0,
        "presence_penalty": 0.0,
        "frequency_penalty": -1.5,
        "n": 2,
    }
    assert request.record.ignored == ("top_k",)


def test_settings_for_compatible_servers(asked: Asked) -> None:
    """Other servers get max_tokens, the name they know, and top_k."""
    request = asked(settings=EVERYTHING)
    sent = written(request, COMPATIBLE)
    assert (sent["max_tokens"], sent["top_k"], "max_completion_tokens" in sent) == (9, 4, False)
    assert request.record.ignored == ()


def test_settings_for_reasoning_models(asked: Asked) -> None:
    """A model that refuses sampling settings is not sent any, and the caller learns once which had no effect."""
    request = asked(settings=EVERYTHING)
    written(request, openai_dialect("gpt-5-nano"), model="gpt-5-nano")
    sent = written(request, openai_dialect("gpt-5-nano"), model="gpt-5-nano")
    assert {"temperature", "top_p", "presence_penalty", "frequency_penalty", "top_k"}.isdisjoint(sent)
    assert sorted(request.record.ignored) == [
        "frequency_penalty",
        "presence_penalty",
        "temperature",
        "top_k",
        "top_p",
    ]
    assert (sent["seed"], sent["n"], sent["max_completion_tokens"]) == (0, 2, 9)


def test_nothing_is_sent_that_is_not_set(asked: Asked) -> None:
    """The smallest request is a model and its messages."""
    assert set(written(asked())) == {"model", "messages"}


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"team": "search", "openai:x": "1", "thinking_config": "{}"}, {"team": "search"}),
        ({"openai:x": "1"}, None),
        ({}, None),
    ],
)
def test_metadata(asked: Asked, metadata: dict[str, str], expected: dict[str, str] | None) -> None:
    """The caller's metadata becomes OpenAI's, without the keys that daprd's client keeps for itself."""
    assert written(asked(metadata=metadata)).get("metadata") == expected


@pytest.mark.parametrize(
    ("seconds", "model", "expected"),
    [
        (86400.0, "gpt-5.1", "24h"),
        (600.0, "gpt-5.1", "in_memory"),
        (3600.0, "gpt-5.1", "in_memory"),
        (3601.0, "gpt-5.1", "24h"),
        (1e6, "gpt-4.1", "24h"),
        (0.0, "gpt-5.1", None),
        (-1.0, "gpt-5.1", None),
        (600.0, "gpt-5.5", None),
        (86400.0, "gpt-5.5-pro", "24h"),
    ],
)
def test_prompt_cache_retention(asked: Asked, seconds: float, model: str, expected: str | None) -> None:
    """Seconds become the retention of OpenAI's that covers them, as a parameter of its own and not as metadata."""
    sent = written(asked(prompt_cache_retention=seconds), openai_dialect(model), model=model)
    assert sent.get("prompt_cache_retention") == expected
    assert "metadata" not in sent


@pytest.mark.parametrize(
    ("dialect", "options"), [(OPENAI, {"include_usage": True}), (Dialect(stream_usage=False), None)]
)
def test_stream(asked: Asked, dialect: Dialect, options: dict[str, bool] | None) -> None:
    """A stream is asked for together with its usage, where the server knows how."""
    sent = written(asked(), dialect, stream=True)
    assert (sent["stream"], sent.get("stream_options")) == (True, options)


@pytest.mark.parametrize("stream", [False, True])
def test_whole_body_is_valid_for_openai(asked: Asked, stream: bool) -> None:
    """OpenAI's own package finds every member of a full body known and of the right type."""
    sent = written(
        asked(
            messages=(said("system", "be kind"), said("user", "a", "b"), said("assistant", tool_calls=(CALL,))),
            tools=(WEATHER,),
            tool_choice="weather",
            response_format=ResponseFormat(schema=NESTED),
            settings=EVERYTHING,
            metadata={"team": "search"},
            prompt_cache_retention=86400.0,
        ),
        stream=stream,
    )
    params: Any = CompletionCreateParamsStreaming if stream else CompletionCreateParamsNonStreaming
    assert set(sent) <= set(params.__required_keys__ | params.__optional_keys__)
    TypeAdapter(params).validate_python(sent)
