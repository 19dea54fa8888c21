"""Writing a conversation for any chat template."""

from __future__ import annotations

import pytest
from msgspec import Struct

from jackfield import InvalidParameters, Message, ReasoningPart, Role, TextPart, Tool, ToolCall
from jackfield_llamacpp.prompts import turns_of


def _message(role: Role, text: str = "", **fields: object) -> Message:
    return Message(role=role, parts=(TextPart(text),) if text else (), **fields)  # type: ignore[arg-type]


def test_roles_that_templates_dont_know_are_rewritten() -> None:
    """A developer's message is a system message; calls and their results are text, results in one turn."""
    calls = (ToolCall("c1", "add", '{"a": 1}'), ToolCall("c2", "now", "{}"))
    turns = turns_of(
        [
            _message("developer", "Be kind."),
            _message("user", "Add."),
            _message("assistant", "Yes.", tool_calls=calls),
            _message("tool", "2", name="add", tool_call_id="c1"),
            _message("tool", "noon"),
            _message("user", "Thanks."),
        ],
        system_prompt="unused",
        tools=(),
        must_call=False,
    )
    assert turns == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Add."},
        {
            "role": "assistant",
            "content": 'Yes.\n{"name": "add", "arguments": {"a": 1}}\n{"name": "now", "arguments": {}}',
        },
        {"role": "user", "content": "Tool result of add (call c1):\n2\n\nTool result:\nnoon"},
        {"role": "user", "content": "Thanks."},
    ]


@pytest.mark.parametrize(
    ("must_call", "ends"), [(True, "You have to call one now."), (False, '{"reply": your answer}.')]
)
def test_tools_are_told_in_the_system_message(must_call: bool, ends: str) -> None:
    """The model reads names, descriptions and schemas of its tools behind its system message."""
    tool = Tool(name="add", description="Adds.", parameters={"type": "object"})
    first, second = turns_of([_message("user", "Hi")], system_prompt="Be kind.", tools=(tool,), must_call=must_call)
    assert first["role"] == "system"
    assert first["content"].startswith("Be kind.\n\n")
    assert '- add: Adds. Its arguments, as a JSON Schema: {"type": "object"}' in first["content"]
    assert first["content"].endswith(ends)
    assert second == {"role": "user", "content": "Hi"}
    alone = turns_of([_message("user", "Hi")], system_prompt="", tools=(tool,), must_call=must_call)
    assert [turn["role"] for turn in alone] == ["system", "user"]


def test_parts_of_an_unknown_kind_are_refused() -> None:
    """Thinking of earlier turns is left out; content that the model can't read is an error, not a gap."""

    class ImagePart(Struct, frozen=True):
        url: str

    thought = Message(role="assistant", parts=(ReasoningPart("hm"), TextPart("Yes.")))
    assert turns_of([thought], system_prompt="", tools=(), must_call=False) == [
        {"role": "assistant", "content": "Yes."}
    ]
    picture = Message(role="user", parts=(ImagePart("x"),))  # type: ignore[arg-type]
    with pytest.raises(InvalidParameters, match="ImagePart"):
        turns_of([picture], system_prompt="", tools=(), must_call=False)


def test_an_empty_conversation_is_refused() -> None:
    """Without messages the model would write about nothing."""
    with pytest.raises(InvalidParameters, match="send at least one"):
        turns_of([], system_prompt="Be kind.", tools=(), must_call=False)
