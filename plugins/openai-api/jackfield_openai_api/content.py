"""Messages of a chat completions request (OpenAI's API reference, ``messages``)."""

from __future__ import annotations

from typing import Any, Final

from jackfield import Message, Role, TextPart, ToolCall
from jackfield.frontends import split_id
from jackfield_openai_api.errors import Refused
from jackfield_openai_api.values import array, boolean, inside, members, text, wrong_type

__all__ = ["is_scrub_flag", "read_messages"]

_ROLES: Final[dict[str, Role]] = {
    "developer": "developer",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_READ: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "refusal"})
_OF_REPLIES: Final = frozenset({"annotations", "reasoning", "reasoning_content", "reasoning_details"})
"""What replies have and clients send back with the rest. A provider that wants its thinking back has it in the ids of
its tool calls."""

_MEDIA: Final = {"image_url": "an image", "input_audio": "sound", "file": "a file", "audio": "sound"}


def is_scrub_flag(name: str) -> bool:
    """Tell whether a member says what is to be scrubbed: ``scrub_pii``, in any of the spellings that Dapr's API has."""
    return name.replace("_", "").lower() == "scrubpii"


def read_messages(found: dict[str, Any], *, scrub: bool) -> tuple[Message, ...]:
    """Read ``messages``.

    Args:
        found: the body's members.
        scrub: the request wants all of them scrubbed.

    Raises:
        Refused: there are none, or one can't be read; the text says which.
    """
    sent = array(found, "messages")
    if not sent:
        raise Refused("messages: missing or empty; a conversation has at least one message", param="messages")
    called: dict[str, str] = {}
    messages: list[Message] = []
    for index, value in enumerate(sent):
        message = _message(value, f"messages[{index}]", index, called, scrub=scrub)
        called.update((call.id, call.name) for call in message.tool_calls)
        messages.append(message)
    return tuple(messages)


def _message(value: Any, path: str, index: int, called: dict[str, str], *, scrub: bool) -> Message:
    found = members(value, path)
    for name in list(found):
        if is_scrub_flag(name):
            # It is a flag of the whole request. A caller who sets it further in means it all the more.
            scrub = boolean(found, name, path) or scrub
        elif name in {"audio", "function_call"}:
            raise Refused(f"{inside(path, name)}: not supported; send text and tool_calls", param=inside(path, name))
        elif name not in _READ and name not in _OF_REPLIES:
            raise Refused(f"{inside(path, name)}: a message has no such member", param=inside(path, name))
    role = _ROLES.get(text(found, "role", path))
    if role is None:
        raise Refused(
            f"{path}.role: must be one of {', '.join(_ROLES)} (for the older function, send tool)", param=f"{path}.role"
        )
    calls = _calls(found, path) if role == "assistant" else ()
    own_id, name = "", text(found, "name", path)
    if role == "tool":
        own_id, name = _answered(found, path, called)
    parts = _content(found, path)
    if not parts and role != "assistant":
        raise Refused(f"{path}.content: missing; it is required and may be an empty string", param=f"{path}.content")
    return Message(role=role, parts=parts, name=name, tool_calls=calls, tool_call_id=own_id, input=index, scrub=scrub)


def _content(found: dict[str, Any], path: str) -> tuple[TextPart, ...]:
    content = found.get("content")
    if content is None:
        refused = text(found, "refusal", path)
        return (TextPart(refused),) if refused else ()
    if type(content) is str:
        return (TextPart(content),)
    path = f"{path}.content"
    if type(content) is not list:
        raise wrong_type(path, "a string or an array of parts", content)
    return tuple([_part(part, f"{path}[{index}]") for index, part in enumerate(content)])


def _part(value: Any, path: str) -> TextPart:
    part = members(value, path)
    kind = text(part, "type", path)
    if kind in {"text", "refusal"}:
        if kind not in part:
            raise Refused(f"{path}.{kind}: missing", param=f"{path}.{kind}")
        return TextPart(text(part, kind, path))
    what = _MEDIA.get(kind, "a part of another kind")
    raise Refused(f"{path}: {what}, and components take text only; send parts of type text", param=path)


def _answered(found: dict[str, Any], path: str, called: dict[str, str]) -> tuple[str, str]:
    """Return the id of the call that a tool's message answers, and the function's name."""
    path = f"{path}.tool_call_id"
    own_id = split_id(text(found, "tool_call_id", path))[0]
    if own_id not in called:
        raise Refused(
            f"{path}: no tool call of an earlier message has this id; a tool's message follows the assistant's message"
            " that made the call",
            param=path,
        )
    return own_id, called[own_id]


def _calls(found: dict[str, Any], path: str) -> tuple[ToolCall, ...]:
    calls: list[ToolCall] = []
    for index, value in enumerate(array(found, "tool_calls", path)):
        place = f"{path}.tool_calls[{index}]"
        call = members(value, place)
        if text(call, "type", place) not in {"", "function"}:
            raise Refused(f"{place}.type: only function calls are supported", param=f"{place}.type")
        function = members(call.get("function"), f"{place}.function")
        name, arguments = text(function, "name", f"{place}.function"), text(function, "arguments", f"{place}.function")
        own_id, opaque = split_id(text(call, "id", place))
        if not own_id or not name:
            lacking = f"{place}.function.name" if own_id else f"{place}.id"
            raise Refused(f"{lacking}: missing; send calls back as they came", param=lacking)
        calls.append(ToolCall(own_id, name, arguments, opaque))
    return tuple(calls)
