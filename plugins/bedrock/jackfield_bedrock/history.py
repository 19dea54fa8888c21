"""From the messages of a request to Converse's ``system`` and ``messages``."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from jackfield import InvalidParameters, Message, ReasoningPart, TextPart, ToolCall
from jackfield_bedrock.opaque import reasoning_block, unpack

__all__ = ["Block", "Turn", "conversation", "has_tool_blocks"]

Block = dict[str, Any]
Turn = dict[str, Any]

_ID: Final = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_EMPTY_RESULT: Final = "(empty)"
_SILENCE: Final = "(the assistant speaks first)"


def conversation(messages: Sequence[Message]) -> tuple[list[Block], list[Turn]]:
    """Write messages as Converse wants them: instructions apart, and turns of user and assistant in alternation.

    Blank texts are left out, as Converse refuses them. Instructions without any other message become the user's, and
    a conversation that the assistant begins gets a turn of the user's before it.

    Raises:
        InvalidParameters: nothing is left to send, or a tool call's arguments are no JSON object.
    """
    system: list[Block] = []
    turns: list[Turn] = []
    ids = _Ids()
    for message in messages:
        if message.role in {"system", "developer"}:
            system += _texts(message)
        elif message.role == "tool":
            _add(turns, "user", [_result(message, ids)])
        elif message.role == "assistant":
            _add(turns, "assistant", [*_thinking(message), *_texts(message), *_calls(message, ids)])
        else:
            _add(turns, "user", _texts(message))
    if not turns:
        if not system:
            raise InvalidParameters("the messages hold no text; Bedrock wants at least one that isn't blank")
        return [], [{"role": "user", "content": system}]
    if turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"text": _SILENCE}]})
    return system, turns


def has_tool_blocks(turns: Sequence[Turn]) -> bool:
    """Say whether tools were called before; Converse then wants to be told of tools."""
    return any("toolUse" in block or "toolResult" in block for turn in turns for block in turn["content"])


def _add(turns: list[Turn], role: str, blocks: list[Block]) -> None:
    if not blocks:
        return
    if not turns or turns[-1]["role"] != role:
        turns.append({"role": role, "content": blocks})
        return
    present = turns[-1]["content"]
    if "toolResult" in blocks[0]:  # Claude refuses results that stand behind text.
        first = next((at for at, block in enumerate(present) if "toolResult" not in block), len(present))
        present[first:first] = blocks
    else:
        present += blocks


def _texts(message: Message) -> list[Block]:
    return [{"text": part.text} for part in message.parts if isinstance(part, TextPart) and part.text.strip()]


def _thinking(message: Message) -> list[Block]:
    parts = [part for part in message.parts if isinstance(part, ReasoningPart) and part.signature]
    parts = parts or [part for call in message.tool_calls for part in unpack(call.opaque)]
    return [block for part in parts if (block := reasoning_block(part)) is not None]


def _calls(message: Message, ids: _Ids) -> list[Block]:
    own = ids.of_calls(message.tool_calls)
    return [
        {"toolUse": {"toolUseId": call_id, "name": call.name, "input": _input(call)}}
        for call_id, call in zip(own, message.tool_calls, strict=True)
    ]


def _input(call: ToolCall) -> dict[str, Any]:
    if not call.arguments.strip():
        return {}
    try:
        return msgspec.json.decode(call.arguments, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidParameters(
            f"the arguments of the tool call {call.id!r} are no JSON object; Bedrock takes nothing else back"
        ) from None


def _result(message: Message, ids: _Ids) -> Block:
    content = _texts(message) or [{"text": _EMPTY_RESULT}]
    return {"toolResult": {"toolUseId": ids.of_result(message.tool_call_id), "content": content}}


class _Ids:
    """Makes ids of calls and results agree, and fit for Converse, whichever provider and client they came from."""

    def __init__(self) -> None:
        self._open: deque[str] = deque()
        self._nameless = 0

    def of_calls(self, calls: Sequence[ToolCall]) -> list[str]:
        """Return the ids of the calls that results follow; one that is missing is made up, for this call alone."""
        own = [_fit(call.id) if call.id else self._made_up() for call in calls]
        self._open = deque(own)
        return own

    def _made_up(self) -> str:
        self._nameless += 1
        return f"nameless_{self._nameless}"

    def of_result(self, call_id: str) -> str:
        """Return the id of the call that a result belongs to; without one it is the first that has none yet."""
        if call_id:
            own = _fit(call_id)
            if own in self._open:
                self._open.remove(own)
            return own
        return self._open.popleft() if self._open else "nameless_0"


def _fit(call_id: str) -> str:
    if _ID.fullmatch(call_id):
        return call_id
    return f"call_{hashlib.sha256(call_id.encode(errors='replace')).hexdigest()[:32]}"
