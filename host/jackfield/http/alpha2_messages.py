"""The messages of an alpha2 request (contract sheet, section 1.4)."""

from __future__ import annotations

from typing import Any

from jackfield.errors import MalformedRequest
from jackfield.http.spelling import SCRUB, Fields
from jackfield.http.wire import array, boolean, text
from jackfield.messages import Message, Role, TextPart, ToolCall
from jackfield.opaque import split_id

__all__ = ["read_input", "read_message", "read_plain"]

_INPUT = Fields("messages", SCRUB, any_case=SCRUB[:1])
# The API has the scrub flag on inputs alone. A caller who sets it further in means it all the more, and to overlook it
# there would send unscrubbed what was marked: it counts for the whole message.
_MEMBERS = ("ofDeveloper", "ofSystem", "ofUser", "ofAssistant", "ofTool")
_MESSAGE = Fields(*_MEMBERS, SCRUB, any_case=SCRUB[:1])
_PLAIN = Fields("name", "content", SCRUB, any_case=SCRUB[:1])
_ASSISTANT = Fields("name", "content", "toolCalls", SCRUB, any_case=SCRUB[:1])
_TOOL_RESULT = Fields("toolId", "name", "content", SCRUB, any_case=SCRUB[:1])
_CONTENT = Fields("text", SCRUB, any_case=SCRUB[:1])
_TOOL_CALL = Fields("id", "function")
_CALLED = Fields("name", "arguments")
_SPEAKERS: dict[str, tuple[Role, Fields]] = {
    "ofDeveloper": ("developer", _PLAIN),
    "ofSystem": ("system", _PLAIN),
    "ofUser": ("user", _PLAIN),
    "ofAssistant": ("assistant", _ASSISTANT),
    "ofTool": ("tool", _TOOL_RESULT),
}
_ROLES = {spelling: _SPEAKERS[member][0] for spelling, member in _MESSAGE.spellings.items() if member in _SPEAKERS}


def read_input(value: Any, index: int, messages: list[Message], doubts: list[str]) -> None:
    """Read one of a request's inputs.

    Args:
        value: what was sent.
        index: its position, counted from 0.
        messages: gets its messages.
        doubts: gets a text for each that can be read but not used.

    Raises:
        MalformedRequest: a field has the wrong type or is given in two spellings, or a message has two members.
    """
    scrub = False
    sent = value.get("messages") if type(value) is dict and len(value) == 1 else None
    if type(sent) is not list:
        path = f"inputs[{index}]"
        found = _INPUT.read(value, path)
        scrub = boolean(found, "scrubPII", path)
        sent = array(found, "messages", path)
    for position, item in enumerate(sent):
        message = read_plain(item, index, scrub=scrub)
        if message is None:
            place = f"inputs[{index}].messages[{position}]"
            message = read_message(item, place, index, scrub=scrub, doubts=doubts)
        if message is not None:
            messages.append(message)


def read_plain(sent: Any, index: int, *, scrub: bool) -> Message | None:
    """Read a message that says who speaks and what, as most do, and nothing else.

    ``read_message`` gives the same for it at several times the cost: it collects fields in all their spellings, and
    keeps at hand where each stands.

    Returns:
        The message; None if it is any other, or wrong.
    """
    if type(sent) is not dict or len(sent) != 1:
        return None
    ((member, value),) = sent.items()
    role = _ROLES.get(member)
    if role is None or type(value) is not dict or len(value) != 1:
        return None
    content = value.get("content")
    if type(content) is not list:
        return None
    parts = []
    for part in content:
        if type(part) is not dict or len(part) != 1:
            return None
        said = part.get("text")
        if type(said) is not str:
            return None
        parts.append(TextPart(said))
    return Message(role=role, parts=tuple(parts), input=index, scrub=scrub)


def read_message(sent: Any, place: str, index: int, *, scrub: bool, doubts: list[str]) -> Message | None:
    """Read any message.

    Args:
        sent: what was sent.
        place: where it stands in the body.
        index: the position of its input.
        scrub: its input wants it scrubbed.
        doubts: gets a text if it can be read but not used.

    Returns:
        The message; None if it has no member.

    Raises:
        MalformedRequest: a field has the wrong type or is given in two spellings, or there are two members.
    """
    whole = _MESSAGE.read(sent, place)
    scrub = boolean(whole, SCRUB[0], place) or scrub
    members = [(name, whole[name]) for name in whole if name in _SPEAKERS and whole[name] is not None]
    if not members:
        doubts.append("message type cannot be nil")
        return None
    if len(members) > 1:
        raise MalformedRequest(f"{place}: a message has one member, got {' and '.join(name for name, _ in members)}")
    ((member, value),) = members
    role, fields = _SPEAKERS[member]
    path = f"{place}.{member}"
    found = fields.read(value, path)
    scrub = boolean(found, SCRUB[0], path) or scrub
    parts: list[TextPart] = []
    for at_part, part in enumerate(array(found, "content", path)):
        part_at = f"{path}.content[{at_part}]"
        content = _CONTENT.read(part, part_at)
        scrub = boolean(content, SCRUB[0], part_at) or scrub
        parts.append(TextPart(text(content, "text", part_at)))
    return Message(
        role=role,
        parts=tuple(parts),
        name=text(found, "name", path),
        tool_calls=_tool_calls(found, path, doubts),
        tool_call_id=split_id(text(found, "toolId", path))[0],
        input=index,
        scrub=scrub,
    )


def _tool_calls(found: dict[str, Any], path: str, doubts: list[str]) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for index, value in enumerate(array(found, "toolCalls", path)):
        place = f"{path}.toolCalls[{index}]"
        call = _TOOL_CALL.read(value, place)
        if call.get("function") is None:
            doubts.append("tool types cannot be nil")
            continue
        called_at = f"{place}.function"
        called = _CALLED.read(call["function"], called_at)
        name, arguments = text(called, "name", called_at), text(called, "arguments", called_at)
        own_id, opaque = split_id(text(call, "id", place))
        calls.append(ToolCall(own_id, name, arguments, opaque))
    return tuple(calls)
