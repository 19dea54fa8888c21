"""From the host's messages to system blocks and turns that alternate between user and assistant."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from jackfield import Message, ReasoningPart, TextPart, ToolCall
from jackfield_anthropic.opaque import Signed, unseal
from jackfield_anthropic.wire import (
    Content,
    RedactedContent,
    TextContent,
    ThinkingContent,
    ToolResultContent,
    ToolUseContent,
    Turn,
)

__all__ = ["build_turns", "lacks_thinking"]

_SYSTEM: Final = frozenset({"system", "developer"})
_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")


def build_turns(messages: Sequence[Message], *, thinking: bool) -> tuple[list[TextContent], list[Turn]]:
    """Write messages as the API wants them.

    System and developer texts become system blocks in their order. Messages of one role that follow each other become
    one turn, in which tool results stand first. Blank texts, which the API refuses, are left out, and so are turns that
    have nothing else.

    Args:
        messages: the conversation, oldest first.
        thinking: whether signed thinking of earlier turns is sent.

    Returns:
        The system blocks, and the turns.
    """
    system: list[TextContent] = []
    turns: list[Turn] = []
    ids = _CallIds()
    for message in messages:
        if message.role in _SYSTEM:
            system += _texts(message)
        elif message.role == "assistant":
            _add(turns, "assistant", _assistant(message, ids, thinking=thinking))
        elif message.role == "tool":
            _add(turns, "user", [ToolResultContent(ids.answered(message.tool_call_id), _texts(message) or None)])
        else:
            _add(turns, "user", list(_texts(message)))
    return system, turns


def lacks_thinking(turns: Sequence[Turn]) -> bool:
    """Tell whether tool results answer a turn that doesn't begin with thinking.

    The API refuses to go on from such a turn, which another provider may have written, with a budget for thinking.
    """
    if len(turns) < 2 or turns[-1].role != "user" or not isinstance(turns[-1].content[0], ToolResultContent):
        return False
    return not isinstance(turns[-2].content[0], ThinkingContent | RedactedContent)


def _texts(message: Message) -> list[TextContent]:
    return [TextContent(part.text) for part in message.parts if isinstance(part, TextPart) and part.text.strip()]


def _add(turns: list[Turn], role: str, content: list[Content]) -> None:
    if not content:
        return
    if not turns or turns[-1].role != role:
        turns.append(Turn(role, content))
        return
    present = turns[-1].content
    if isinstance(content[0], ToolResultContent):
        first = next((at for at, block in enumerate(present) if not isinstance(block, ToolResultContent)), len(present))
        present[first:first] = content
    else:
        present += content


def _assistant(message: Message, ids: _CallIds, *, thinking: bool) -> list[Content]:
    content: list[Content] = []
    returned = False
    for part in message.parts:
        if isinstance(part, TextPart):
            if part.text.strip():
                content.append(TextContent(part.text))
        elif isinstance(part, ReasoningPart):
            blocks = _returned(part) if thinking else []
            returned = returned or bool(blocks)
            content += blocks
    for position, call in enumerate(message.tool_calls):
        if thinking and not returned:
            # A turn of thinking begins with it; what was thought between two calls stands between them.
            at = 0 if position == 0 else len(content)
            content[at:at] = unseal(call.opaque)
        content.append(ToolUseContent(ids.asked(call.id), call.name, _input(call)))
    if any(isinstance(block, TextContent | ToolUseContent) for block in content):
        return content
    return []


def _returned(part: ReasoningPart) -> list[Signed]:
    """Read the blocks of a part that a caller returned, with the text that came with it."""
    blocks = unseal(part.signature)
    if len(blocks) == 1 and isinstance(blocks[0], ThinkingContent):
        return [ThinkingContent(part.text, blocks[0].signature)]
    return blocks


def _input(call: ToolCall) -> msgspec.Raw:
    """Return arguments as the JSON object that the API insists on.

    No arguments are an empty object. A text that is no JSON object, which a model may have written, is sent as the one
    member ``arguments``, so that the model sees what was written.
    """
    text = call.arguments.strip()
    if not text:
        return msgspec.Raw(b"{}")
    try:
        data = text.encode()
        decoded: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        decoded = None
    if isinstance(decoded, dict):
        return msgspec.Raw(data)
    return msgspec.Raw(msgspec.json.encode({"arguments": call.arguments}))


class _CallIds:
    """Gives calls the ids that the API takes: letters, digits, ``_`` and ``-``, and never none.

    Other providers' ids may hold more, or be missing; then results belong to calls in their order.
    """

    def __init__(self) -> None:
        self._nameless: deque[str] = deque()
        self._count = 0

    def asked(self, given: str) -> str:
        if given:
            return _fit(given)
        self._count += 1
        self._nameless.append(f"nameless_{self._count}")
        return self._nameless[-1]

    def answered(self, given: str) -> str:
        if given or not self._nameless:
            return _fit(given)
        return self._nameless.popleft()


def _fit(given: str) -> str:
    """Return an id as it is if the API takes it, else one that no other id becomes."""
    fit = _FOREIGN.sub("_", given)
    return fit if fit == given else f"{fit}_{sha256(given.encode(errors='replace')).hexdigest()[:8]}"
