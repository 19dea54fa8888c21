"""Binding a reply to tools and formats."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import InvalidParameters, ResponseFormat, Tool
from jackfield_llamacpp.schemas import chosen_tools, reply_format

ADD = Tool(name="add", parameters={"$ref": "#/$defs/A", "$defs": {"A": {"items": [{"$ref": "#"}]}}})
NOW = Tool(name="now")


@pytest.mark.parametrize(
    ("tools", "choice", "expected"),
    [
        ((), "", ((), False)),
        ((), "auto", ((), False)),
        ((), "none", ((), False)),
        ((ADD, NOW), "", ((ADD, NOW), False)),
        ((ADD, NOW), "auto", ((ADD, NOW), False)),
        ((ADD, NOW), "none", ((), False)),
        ((ADD, NOW), "required", ((ADD, NOW), True)),
        ((ADD, NOW), "now", ((NOW,), True)),
    ],
)
def test_choices(tools: tuple[Tool, ...], choice: str, expected: Any) -> None:
    """Each tool choice gives the tools that may be called and whether one must be."""
    assert chosen_tools(tools, choice) == expected


@pytest.mark.parametrize(("tools", "choice"), [((ADD,), "Add"), ((), "required"), ((), "add")])
def test_choices_that_name_no_tool(tools: tuple[Tool, ...], choice: str) -> None:
    """A choice that can't be kept is refused, never dropped."""
    with pytest.raises(InvalidParameters, match=choice):
        chosen_tools(tools, choice)


def test_references_follow_their_schema() -> None:
    """References of a tool's schema to itself still find their place inside the larger schema."""
    bound = reply_format(None, (ADD,), must_call=True)
    assert bound is not None
    assert bound["json_schema"]["schema"]["$defs"] == {
        "tool0": {"$ref": "#/$defs/tool0/$defs/A", "$defs": {"A": {"items": [{"$ref": "#/$defs/tool0"}]}}}
    }
    assert "#/$defs/A" in str(ADD.parameters)


def test_a_format_and_tools_together() -> None:
    """With tools that may be called, the format binds the reply; with one that must be, there is no other reply."""
    wanted = ResponseFormat(schema={"type": "object", "properties": {"a": {"$ref": "#/properties/b"}}})
    free = reply_format(wanted, (NOW,), must_call=False)
    assert free is not None
    assert free["json_schema"]["schema"]["$defs"]["reply"]["properties"]["a"] == {"$ref": "#/$defs/reply/properties/b"}
    assert len(free["json_schema"]["schema"]["anyOf"]) == 2
    assert reply_format(wanted, (NOW,), must_call=True) == reply_format(None, (NOW,), must_call=True)


def test_a_format_alone_is_sent_as_it_is() -> None:
    """Without tools the caller's schema reaches the engine unchanged, and no format leaves the model free."""
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}}
    bound = reply_format(ResponseFormat(schema=schema), (), must_call=False)
    assert bound is not None
    assert bound["json_schema"]["schema"] == schema
    assert reply_format(None, (), must_call=False) is None
