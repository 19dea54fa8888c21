"""The turns of a conversation, as the API wants them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from anthropic.types import MessageParam
from pydantic import TypeAdapter

from jackfield import Message, ReasoningPart, Role, TextPart, ToolCall
from jackfield_anthropic.opaque import seal, unseal
from jackfield_anthropic.turns import build_turns, lacks_thinking
from jackfield_anthropic.wire import RedactedContent, ThinkingContent

SIGNED = seal([ThinkingContent("hm", "c2ln")])
HIDDEN = seal([RedactedContent("aGlkZGVu")])
THOUGHT = {"type": "thinking", "thinking": "", "signature": "c2ln"}
CALL = ToolCall("call_1", "weather", '{"city": "Bremen"}')
USE = {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Bremen"}}


def said(role: Role, *texts: str, **members: Any) -> Message:
    """A message of text parts."""
    return Message(role=role, parts=tuple(TextPart(text) for text in texts), **members)


def text(words: str) -> dict[str, str]:
    """A text block."""
    return {"type": "text", "text": words}


def written(*messages: Message, thinking: bool = True) -> tuple[list[Any], list[Any]]:
    """The system blocks and turns as they leave; Anthropic's package takes the turns for valid."""
    decoded = msgspec.json.decode(msgspec.json.encode(build_turns(messages, thinking=thinking)))
    TypeAdapter(list[MessageParam]).validate_python(decoded[1])
    return decoded[0], [(turn["role"], turn["content"]) for turn in decoded[1]]


def test_system() -> None:
    """System and developer messages are system blocks, in their order, wherever they stand."""
    system, turns = written(
        said("system", "one", "two"), said("user", "hi"), said("developer", "three"), said("user", "there")
    )
    assert system == [text("one"), text("two"), text("three")]
    assert turns == [("user", [text("hi"), text("there")])]


def test_turns_alternate() -> None:
    """Messages of one role that follow each other are one turn."""
    _, turns = written(said("user", "a"), said("user", "b"), said("assistant", "c"), said("assistant", "d"))
    assert turns == [("user", [text("a"), text("b")]), ("assistant", [text("c"), text("d")])]


@pytest.mark.parametrize("blank", [(), ("",), (" \n",)])
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_blank_text(role: Role, blank: tuple[str, ...]) -> None:
    """The API refuses blank texts: they are left out, and a turn of nothing else is too."""
    system, turns = written(said("user", "a", *blank), said(role, *blank))
    assert (system, turns) == ([], [("user", [text("a")])])


def test_calls_and_results() -> None:
    """Text and all calls stay in the assistant's turn; all results, and text after them, are one user turn."""
    other = ToolCall("call_2", "weather", "")
    _, turns = written(
        said("user", "hi"),
        said("assistant", "I look.", tool_calls=(CALL, other)),
        said("tool", "12", tool_call_id="call_1"),
        said("tool", tool_call_id="call_2"),
        said("user", "Well?"),
    )
    assert turns[1:] == [
        ("assistant", [text("I look."), USE, {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}}]),
        (
            "user",
            [
                {"type": "tool_result", "tool_use_id": "call_1", "content": [text("12")]},
                {"type": "tool_result", "tool_use_id": "call_2"},
                text("Well?"),
            ],
        ),
    ]


def test_results_come_first() -> None:
    """Results stand before other text of their turn, in their order, as the API insists."""
    _, turns = written(
        said("assistant", tool_calls=(CALL, ToolCall("call_2", "weather", "{}"))),
        said("user", "Hurry."),
        said("tool", "12", tool_call_id="call_1"),
        said("tool", "13", tool_call_id="call_2"),
    )
    assert [block.get("tool_use_id") for block in turns[1][1]] == ["call_1", "call_2", None]


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        (' {"a": 1} ', {"a": 1}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("[1]", {"arguments": "[1]"}),
        ("null", {"arguments": "null"}),
        ("[" * 5000, {"arguments": "[" * 5000}),
    ],
)
def test_arguments(arguments: str, sent: dict[str, Any]) -> None:
    """Arguments are a JSON object; what is none is its one member, so that the model sees what it wrote."""
    _, turns = written(said("assistant", tool_calls=(ToolCall("c", "weather", arguments),)))
    assert turns[0][1][0]["input"] == sent


def test_foreign_ids() -> None:
    """Ids that the API would refuse are changed alike in call and result; missing ones follow the order."""
    _, turns = written(
        said("assistant", tool_calls=(ToolCall("fn.a:0", "a", ""), ToolCall("", "b", ""), ToolCall("", "c", ""))),
        said("tool", "0", tool_call_id="fn.a:0"),
        said("tool", "1"),
        said("tool", "2"),
    )
    called = [block["id"] for block in turns[0][1]]
    assert called == [block["tool_use_id"] for block in turns[1][1]]
    assert len(set(called)) == 3
    assert all(name.replace("_", "").isalnum() for name in called)


def test_foreign_ids_stay_apart() -> None:
    """Two calls whose ids differ only in what the API refuses, or of which one has none, keep ids of their own."""
    ids = ("fn.a", "fn:a", "fn_a", "call_1", "")
    _, turns = written(
        said("assistant", tool_calls=tuple(ToolCall(name, "a", "") for name in ids)),
        *(said("tool", "0", tool_call_id=name) for name in ids),
    )
    called = [block["id"] for block in turns[0][1]]
    assert called == [block["tool_use_id"] for block in turns[1][1]]
    assert len(set(called)) == len(ids)


@pytest.mark.parametrize(
    ("message", "content"),
    [
        pytest.param(
            Message(role="assistant", parts=(ReasoningPart("hm", SIGNED), TextPart("yes")), tool_calls=(CALL,)),
            [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, text("yes"), USE],
            id="returned whole",
        ),
        pytest.param(
            Message(role="assistant", parts=(ReasoningPart("", HIDDEN), TextPart("yes"))),
            [{"type": "redacted_thinking", "data": "aGlkZGVu"}, text("yes")],
            id="returned and unreadable",
        ),
        pytest.param(
            said("assistant", "yes", tool_calls=(ToolCall("call_1", "weather", '{"city": "Bremen"}', SIGNED),)),
            [THOUGHT, text("yes"), USE],
            id="returned with a call",
        ),
        pytest.param(
            Message(
                role="assistant",
                parts=(ReasoningPart("hm", SIGNED),),
                tool_calls=(ToolCall("call_1", "weather", '{"city": "Bremen"}', SIGNED),),
            ),
            [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, USE],
            id="returned twice",
        ),
        pytest.param(
            said("assistant", tool_calls=(CALL, ToolCall("call_1", "weather", '{"city": "Bremen"}', SIGNED))),
            [USE, THOUGHT, USE],
            id="thought between calls",
        ),
        pytest.param(
            Message(role="assistant", parts=(ReasoningPart("hm", "another's"), TextPart("yes"))),
            [text("yes")],
            id="another provider's",
        ),
    ],
)
def test_thinking(message: Message, content: list[Any]) -> None:
    """Signed thinking goes back as it came, before what followed it; nobody else's does."""
    assert written(message)[1] == [("assistant", content)]


def test_thinking_is_off() -> None:
    """A model that doesn't think is sent no thinking."""
    call = ToolCall("call_1", "weather", '{"city": "Bremen"}', SIGNED)
    message = Message(role="assistant", parts=(ReasoningPart("hm", SIGNED),), tool_calls=(call,))
    assert written(message, thinking=False)[1] == [("assistant", [USE])]


def test_thinking_alone() -> None:
    """A turn of nothing but thinking is left out: the API refuses it."""
    assert written(Message(role="assistant", parts=(ReasoningPart("hm", SIGNED),)))[1] == []


@pytest.mark.parametrize("opaque", ["", "{", '{"google": "x"}', '{"anthropic": 1}', '{"anthropic": [{}]}', "x" * 99])
def test_foreign_data(opaque: str) -> None:
    """Data that isn't ours gives no blocks."""
    assert unseal(opaque) == []


def test_sealed_text() -> None:
    """What is sealed holds no readable text."""
    assert "quite readable" not in seal([ThinkingContent("quite readable", "c2ln")])
    assert seal([]) == ""


@pytest.mark.parametrize(("opaque", "lacks"), [("", True), (SIGNED, False)])
def test_lacks_thinking(opaque: str, lacks: bool) -> None:
    """Results of a turn without thinking can't be followed by thinking within a budget."""
    asked = said("assistant", tool_calls=(ToolCall("call_1", "weather", "{}", opaque),))
    _, turns = build_turns([said("user", "hi"), asked, said("tool", "1", tool_call_id="call_1")], thinking=True)
    assert lacks_thinking(turns) is lacks
    assert not lacks_thinking(turns[:1])
