"""Structured output, told to the model or asked of it as a tool's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jackfield import ConversationRequest, ResponseFormat, Tool

Asked = Callable[..., ConversationRequest]
Written = Callable[..., dict[str, Any]]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WANTED = ResponseFormat(schema=SCHEMA, name="a place", description="Where it is.")
WEATHER = Tool(name="weather")


def test_told(asked: Asked, written: Written) -> None:
    """A model that knows schemas is told it, and its tools and tool choice stay as they are."""
    body = written(asked(response_format=WANTED, tools=(WEATHER,), tool_choice="auto"), "claude-sonnet-5-5")
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**SCHEMA, "additionalProperties": False}}
    }
    assert ([tool["name"] for tool in body["tools"]], body["tool_choice"]) == (["weather"], {"type": "auto"})


def test_told_beside_effort(asked: Asked, written: Written) -> None:
    """Effort and format are both parts of the output's configuration."""
    assert set(written(asked(response_format=WANTED), "claude-opus-5-5", "low")["output_config"]) == {
        "effort",
        "format",
    }


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (
            {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}},
            {
                "type": "object",
                "properties": {"a": {"type": "object", "properties": {}, "additionalProperties": False}},
                "additionalProperties": False,
            },
        ),
        (
            {"type": "array", "items": {"anyOf": [{"type": "object"}, {"type": "string"}]}},
            {
                "type": "array",
                "items": {"anyOf": [{"type": "object", "additionalProperties": False}, {"type": "string"}]},
            },
        ),
        ({"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": True}),
        (
            {"type": ["object", "null"], "properties": {"default": {"type": "object"}}},
            {
                "type": ["object", "null"],
                "properties": {"default": {"type": "object", "additionalProperties": False}},
                "additionalProperties": False,
            },
        ),
        (
            {"type": "object", "properties": {"type": {"enum": [{"type": "object"}]}}},
            {
                "type": "object",
                "properties": {"type": {"enum": [{"type": "object"}]}},
                "additionalProperties": False,
            },
        ),
    ],
    ids=["nested", "in lists", "open", "or null", "values"],
)
def test_objects_are_closed(asked: Asked, written: Written, schema: dict[str, Any], sent: dict[str, Any]) -> None:
    """The API wants each object closed: one that says nothing is, and values that look like schemas are left alone."""
    body = written(asked(response_format=ResponseFormat(schema=schema)), "claude-sonnet-5")
    assert body["output_config"]["format"]["schema"] == sent


@pytest.mark.parametrize(
    ("tools", "choice", "names", "sent"),
    [
        pytest.param((), "", ["a_place"], {"type": "tool", "name": "a_place"}, id="alone"),
        pytest.param((WEATHER,), "auto", ["weather", "a_place"], {"type": "any"}, id="beside tools"),
        pytest.param((WEATHER,), "none", ["weather", "a_place"], {"type": "tool", "name": "a_place"}, id="no tools"),
        pytest.param((WEATHER,), "required", ["weather"], {"type": "any"}, id="a call is due"),
        pytest.param((WEATHER,), "weather", ["weather"], {"type": "tool", "name": "weather"}, id="one call is due"),
        pytest.param(
            (Tool(name="a_place"),),
            "none",
            ["a_place", "a_place_"],
            {"type": "tool", "name": "a_place_"},
            id="name taken",
        ),
    ],
)
def test_asked_of_a_tool(
    asked: Asked, written: Written, *, tools: tuple[Tool, ...], choice: str, names: list[str], sent: dict[str, str]
) -> None:
    """Other models must answer by a tool, or call one of the caller's; where such a call is due there's no answer."""
    body = written(asked(response_format=WANTED, tools=tools, tool_choice=choice), "claude-3-haiku-20240307")
    assert [tool["name"] for tool in body["tools"]] == names
    assert body["tool_choice"] == sent
    assert "output_config" not in body
    answer = body["tools"][-1]
    if answer["name"].startswith("a_place"):
        assert answer["input_schema"] == SCHEMA
        assert answer["description"].endswith("Where it is.")


@pytest.mark.parametrize("model", ["claude-sonnet-5", "another"])
def test_any_json(asked: Asked, written: Written, model: str) -> None:
    """JSON without a schema is a tool's open input for every model, as a schema would have to be closed."""
    body = written(asked(response_format=ResponseFormat(schema=None)), model)
    assert body["tools"][0]["input_schema"] == {"type": "object", "additionalProperties": True}
    assert body["tool_choice"] == {"type": "tool", "name": "response"}
