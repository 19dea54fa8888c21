"""Checks of structured output."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from jackfield.errors import InvalidParameters
from jackfield.messages import ConversationRequest, ResponseFormat, ToolCall
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks
from jackfield.testing.script import Reply, say

__all__ = ["StructureChecks"]

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
_ANSWER: Final = {"city": "Bremen", "degrees": 12}


def structured(asked: ConversationRequest) -> Reply:
    """Answer as a model does that was given a schema, natively or through a tool that it must call."""
    text = json.dumps(_ANSWER)
    forced = asked.tool_choice if asked.tool_choice not in {"", "auto", "none", "required"} else ""
    if asked.tool_choice == "required" and len(asked.tools) == 1:
        forced = asked.tools[0].name
    if asked.response_format is None and forced:
        return say("", ToolCall("call_1a", forced, text))
    return say(text if asked.response_format is not None else "It is 12 degrees in Bremen.")


def _schema_of(asked: ConversationRequest) -> dict[str, Any] | None:
    if asked.response_format is not None:
        return asked.response_format.schema
    return asked.tools[-1].parameters if asked.tools else None


class StructureChecks(Checks):
    """A reply has the structure that was asked for, or the request is refused."""

    @check("a reply follows a schema", "structured_output")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_structured_output(self, form: str) -> None:
        """The schema reaches the model, and the reply is its JSON as text, however the provider asked for it."""
        wanted = ResponseFormat(schema=_SCHEMA, name="weather", description="the weather", strict=True)
        async with self.opened() as opened:
            opened.script.then = structured
            ask = opened.converse if form == "unary" else opened.collected
            (choice,) = (await ask(response_format=wanted)).choices
            sent = _schema_of(opened.asked)
            assert sent is not None, "the schema was not sent"
            assert sent["properties"] == _SCHEMA["properties"]
            assert json.loads(choice.text) == _ANSWER
            assert not choice.tool_calls, "the tool that carries the answer shows"
            assert choice.finish_reason == "stop"

    @check("JSON without a schema is asked for or refused")
    async def test_json_without_a_schema(self) -> None:
        """``json_object`` is never passed over in silence."""
        async with self.opened() as opened:
            opened.script.then = structured
            try:
                (choice,) = (await opened.converse(response_format=ResponseFormat(schema=None))).choices
            except InvalidParameters:
                return
            assert json.loads(choice.text) == _ANSWER
