"""``conversation.echo`` against the facts of the contract sheet, sections 1.5 and 10.5."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from typing import Any

import pytest

import jackfield_echo
from jackfield import (
    Build,
    Choice,
    ConversationRequest,
    DaprSettings,
    InvokeError,
    Message,
    Part,
    ReasoningPart,
    Result,
    Role,
    TextPart,
    Tool,
    ToolCall,
    Usage,
)
from jackfield_echo import Echo


def converse(*messages: Message, tools: tuple[Tool, ...] = (), each: bool = False) -> Result:
    """Ask a fresh echo component."""
    echo = Echo(Build(name="echo", type_name="conversation.echo", settings=DaprSettings()))
    request = ConversationRequest(component="echo", messages=messages, tools=tools, answer_each_input=each)
    return asyncio.run(echo.converse(request))


def said(*texts: str, role: Role = "user", input: int = 0) -> Message:  # noqa: A002  the field's own name
    """A message of text parts."""
    return Message(role=role, parts=tuple(TextPart(text) for text in texts), input=input)


def text_choice(text: str, *calls: ToolCall) -> Choice:
    """The choice that echo gives for a text."""
    return Choice(parts=(TextPart(text),), tool_calls=calls, finish_reason="tool_calls" if calls else "stop")


@pytest.mark.parametrize(
    ("messages", "text", "words"),
    [
        pytest.param([said("well hello there")], "well hello there", 3, id="one text"),
        pytest.param(
            [said("well hello there"), said("You are a helpful assistant", role="system")],
            "well hello there\nYou are a helpful assistant",
            8,
            id="two messages",
        ),
        pytest.param([said("a", "b"), said("c", role="assistant")], "a\nb\nc", 3, id="several parts"),
        pytest.param([said("", "b", "")], "\nb\n", 1, id="empty parts keep their line"),
        pytest.param([said("a", input=0), said("b", input=1)], "a\nb", 2, id="inputs are joined"),
        pytest.param(
            [Message(role="tool", name="tool name", tool_call_id="tool-123", parts=(TextPart("tool message"),))],
            "Tool Response for tool ID 'tool-123' with name 'tool name': tool message",
            12,
            id="tool result",
        ),
        pytest.param([said("")], "", 0, id="empty text"),
        pytest.param([Message(role="user")], "", 0, id="no parts"),
        pytest.param([], "", 0, id="no messages"),
    ],
)
def test_text_comes_back_in_one_choice(messages: list[Message], text: str, words: int) -> None:
    """All text comes back in order, one part a line, in one choice, with its words as usage."""
    assert converse(*messages) == Result(choices=(text_choice(text),), usage=Usage(words, words, 2 * words))


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        pytest.param({"properties": {"param1": {"type": "string"}}}, "param1", id="one"),
        pytest.param({"properties": {"b": {}, "a": {"properties": {"c": {}}}}}, "a,b", id="sorted, top level only"),
        pytest.param({"type": "object"}, "", id="no properties"),
        pytest.param(None, "", id="no parameters"),
    ],
)
def test_each_tool_is_called_with_its_parameter_names(parameters: dict[str, Any] | None, arguments: str) -> None:
    """A tool is called with the sorted names of its own parameters, joined with commas."""
    result = converse(said("hi"), tools=(Tool(name="test_function", parameters=parameters),))
    assert result.choices == (text_choice("hi", ToolCall(id="0", name="test_function", arguments=arguments)),)


def test_tools_calls_come_before_those_of_the_history() -> None:
    """The calls of the request's tools are numbered from 0, and those an assistant asked for follow unchanged."""
    asked = ToolCall(id="call_7", name="old", arguments='{"x":1}')
    message = Message(role="assistant", tool_calls=(asked,))
    result = converse(message, tools=(Tool(name="one"), Tool(name="two")))
    expected = (ToolCall(id="0", name="one", arguments=""), ToolCall(id="1", name="two", arguments=""), asked)
    assert result.choices == (text_choice("", *expected),)


@pytest.mark.parametrize(
    ("properties", "kind"),
    [("text", "string"), (1, "float64"), (True, "bool"), (["a"], "[]interface {}"), (None, "<nil>")],
)
def test_properties_that_are_no_object_are_refused(properties: object, kind: str) -> None:
    """A tool whose properties are no object is an error that says what they are."""
    with pytest.raises(InvokeError, match="must be a map") as caught:
        converse(said("hi"), tools=(Tool(name="bad", parameters={"properties": properties}),))
    assert caught.value.detail == f"tool function properties must be a map[string]any, got {kind}"


def test_content_that_is_no_text_is_refused_without_showing_it() -> None:
    """A part that echo doesn't know is an error that names its kind and not its text."""
    part: Part = ReasoningPart("a private thought")
    with pytest.raises(InvokeError, match="found invalid content type as input for ReasoningPart") as caught:
        converse(Message(role="assistant", parts=(part,)))
    assert "private" not in str(caught.value)


def test_each_input_gets_its_own_choice_where_the_request_allows_it() -> None:
    """With answer_each_input there is one choice per input, in order, each with its own text and calls."""
    asked = ToolCall(id="c", name="f", arguments="{}")
    result = converse(
        said("one", "two", input=0),
        said("", input=1),
        said("three", input=2),
        Message(role="assistant", tool_calls=(asked,), input=2),
        each=True,
    )
    assert result.choices == (text_choice("one\ntwo"), text_choice(""), text_choice("three", asked))
    assert result.usage == Usage(3, 3, 6)


def test_the_installed_distribution_names_this_module() -> None:
    """The entry point ``echo`` of the installed distribution loads this plugin."""
    (point,) = entry_points(group="jackfield", name="echo")
    assert point.load() is jackfield_echo
