"""Tools and structured output as they are sent to Converse, checked against botocore's model of the service."""

# botocore comes without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from jackfield import (
    ConversationRequest,
    InvalidParameters,
    Message,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield_bedrock.requests import build_call

Asked = Callable[..., ConversationRequest]

CLAUDE = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "global.amazon.nova-2-lite-v1:0"
WEATHER = Tool(name="weather", description="Tells the weather.", parameters={"type": "object", "properties": {}})
CLOCK = Tool(name="clock")
HISTORY = (
    Message(role="user", parts=(TextPart("weather?"),)),
    Message(role="assistant", tool_calls=(ToolCall("a", "weather", '{"city":"Bremen"}'),)),
    Message(role="tool", parts=(TextPart("rain"),), tool_call_id="a"),
)


def user(text: str) -> Message:
    return Message(role="user", parts=(TextPart(text),))


def sent(request: ConversationRequest, model: str = CLAUDE, additional: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build a call's parameters, and have botocore's model of the service check them."""
    parameters = build_call(request, model=model, additional=additional or {}).parameters
    shape = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2")).operation_model("Converse")
    report = ParamValidator().validate(parameters, shape.input_shape)
    assert not report.has_errors(), report.generate_report()
    return parameters


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("", None),
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ("any", {"any": {}}),
        ("weather", {"tool": {"name": "weather"}}),
    ],
)
def test_tool_choice(asked: Asked, choice: str, written: dict[str, Any] | None) -> None:
    """Each choice is written as Converse has it."""
    config = sent(asked(tools=(WEATHER, CLOCK), tool_choice=choice))["toolConfig"]
    assert config.get("toolChoice") == written
    assert config["tools"] == [
        {
            "toolSpec": {
                "name": "weather",
                "description": "Tells the weather.",
                "inputSchema": {"json": {"type": "object", "properties": {}}},
            }
        },
        {"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
    ]


def test_tool_choice_none(asked: Asked) -> None:
    """The choice of no tool leaves the tools out, as Converse has no word for it."""
    request = asked(tools=(WEATHER,), tool_choice="none")
    assert "toolConfig" not in sent(request)
    assert request.record.ignored == ()


def test_tool_choice_none_after_calls(asked: Asked) -> None:
    """After calls Converse must be told of their tools, so the choice of none is named as left out."""
    request = asked(messages=HISTORY, tools=(WEATHER, CLOCK), tool_choice="none")
    config = sent(request)["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["weather"]
    assert "toolChoice" not in config
    assert request.record.ignored == ("tool_choice",)


def test_calls_without_tools(asked: Asked) -> None:
    """A conversation in which tools were called can go on without them."""
    config = sent(asked(messages=HISTORY))["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == ["weather"]


def test_unknown_tool_chosen(asked: Asked) -> None:
    """A choice that names no tool is refused."""
    with pytest.raises(InvalidParameters, match="tool_choice names 'radio'"):
        sent(asked(tools=(WEATHER,), tool_choice="radio"))


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    ("tools", "choice", "names", "written"),
    [
        ((), "", ["city_name"], {"tool": {"name": "city_name"}}),
        ((WEATHER,), "", ["weather", "city_name"], {"any": {}}),
        ((WEATHER,), "auto", ["weather", "city_name"], {"any": {}}),
        ((WEATHER,), "none", ["city_name"], {"tool": {"name": "city_name"}}),
        ((WEATHER,), "required", ["weather"], {"any": {}}),
        ((WEATHER,), "weather", ["weather"], {"tool": {"name": "weather"}}),
        ((Tool(name="city_name"),), "none", ["city_name_"], {"tool": {"name": "city_name_"}}),
    ],
)
def test_structure(
    asked: Asked, tools: tuple[Tool, ...], choice: str, names: list[str], written: dict[str, Any]
) -> None:
    """A structured reply is asked for as a tool that must be called, beside tools that may be called first."""
    wanted = ResponseFormat(schema=SCHEMA, name="city name")
    config = sent(asked(response_format=wanted, tools=tools, tool_choice=choice))["toolConfig"]
    assert [tool["toolSpec"]["name"] for tool in config["tools"]] == names
    assert config["toolChoice"] == written


def test_structure_of_any_object(asked: Asked) -> None:
    """JSON without a schema is any object."""
    config = sent(asked(response_format=ResponseFormat(schema=None)))["toolConfig"]
    assert config["tools"][0]["toolSpec"]["inputSchema"] == {"json": {"type": "object"}}


def test_structure_of_no_object(asked: Asked) -> None:
    """A schema that no tool can have is refused, by its field."""
    with pytest.raises(InvalidParameters, match="response_format: the schema's type must be object"):
        sent(asked(response_format=ResponseFormat(schema={"type": "array", "items": {"type": "string"}})))
