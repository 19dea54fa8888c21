"""Writing a conversation so that any chat template takes it: system, user and assistant turns of plain text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from jackfield import InvalidParameters, Message, ReasoningPart, TextPart, Tool

__all__ = ["Turn", "turns_of"]

Turn: TypeAlias = dict[str, str]


def turns_of(messages: Sequence[Message], *, system_prompt: str, tools: Sequence[Tool], must_call: bool) -> list[Turn]:
    """Return the conversation in OpenAI's form, with nothing in it that a template may not know.

    Args:
        messages: the conversation.
        system_prompt: put first unless the conversation has a system or developer message.
        tools: told to the model at the end of the first system message.
        must_call: whether the model has to call one of them.

    Raises:
        InvalidParameters: there is no message, or one has content of an unknown kind.
    """
    if not messages:
        raise InvalidParameters("the conversation has no messages; send at least one")
    turns: list[Turn] = []
    after_tool = False
    for message in messages:
        turn = _turn(message)
        if after_tool and message.role == "tool":
            turns[-1]["content"] += "\n\n" + turn["content"]  # some templates want the roles to take turns
        else:
            turns.append(turn)
        after_tool = message.role == "tool"
    if system_prompt and not any(turn["role"] == "system" for turn in turns):
        turns.insert(0, {"role": "system", "content": system_prompt})
    if tools:
        _tell(turns, _tools_text(tools, must_call=must_call))
    return turns


def _turn(message: Message) -> Turn:
    for part in message.parts:
        # Earlier thinking is left out, as chat templates do.
        if not isinstance(part, TextPart | ReasoningPart):
            raise InvalidParameters(f"conversation.llamacpp reads text only, and a message has {type(part).__name__}")
    text = message.text
    if message.role == "tool":
        source = f" of {message.name}" if message.name else ""
        call = f" (call {message.tool_call_id})" if message.tool_call_id else ""
        return {"role": "user", "content": f"Tool result{source}{call}:\n{text}"}
    if message.tool_calls:
        calls = (f'{{"name": {json.dumps(call.name)}, "arguments": {call.arguments}}}' for call in message.tool_calls)
        text = "\n".join(filter(None, (text, *calls)))
    return {"role": "system" if message.role == "developer" else message.role, "content": text}


def _tell(turns: list[Turn], text: str) -> None:
    for turn in turns:
        if turn["role"] == "system":
            turn["content"] += "\n\n" + text
            return
    turns.insert(0, {"role": "system", "content": text})


def _tools_text(tools: Iterable[Tool], *, must_call: bool) -> str:
    lines = ["You can call these functions:"]
    for tool in tools:
        parameters = json.dumps(tool.parameters or {}, ensure_ascii=False)
        lines.append(
            f"- {tool.name}: {tool.description or 'no description'} Its arguments, as a JSON Schema: {parameters}"
        )
    lines.append('To call one, write JSON: {"name": the function, "arguments": an object}.')
    if must_call:
        lines.append("You have to call one now.")
    else:
        lines.append('To answer without a call, write JSON: {"reply": your answer}.')
    return "\n".join(lines)
