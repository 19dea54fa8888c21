"""Checks of tools in all their turns."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from jackfield.errors import InvalidParameters
from jackfield.events import Result
from jackfield.messages import Message, TextPart, Tool, ToolCall
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, Opened, said
from jackfield.testing.script import Say, say

__all__ = ["ToolChecks"]

_PLACE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "a city"}},
    "required": ["city"],
}
_WEATHER: Final = Tool(name="get_weather", description="Tells the weather.", parameters=_PLACE)
_TIME: Final = Tool(name="get_time", description="Tells the time.", parameters=_PLACE)
_CALL: Final = ToolCall("call_1a", "get_weather", '{"city":"Bremen"}')
_OTHER: Final = ToolCall("call_2b", "get_weather", '{"city":"São Paulo"}')
_THIRD: Final = ToolCall("call_3c", "get_time", '{"city":"Bremen"}')


def facts(calls: tuple[ToolCall, ...]) -> list[tuple[str, Any]]:
    """Return names and arguments; how the JSON is written is the provider's affair."""
    return [(call.name, json.loads(call.arguments or "{}")) for call in calls]


class ToolChecks(Checks):
    """Tools are described, called, answered and chosen."""

    async def _both(self, reply: Say, *messages: Message, **members: Any) -> list[Result]:
        """Ask in both forms."""
        members.setdefault("tools", (_WEATHER, _TIME))
        async with self.opened(reply, reply) as opened:
            return [await opened.converse(*messages, **members), await opened.collected(*messages, **members)]

    @check("tools are described to the model", "tools")
    async def test_tools_are_described(self) -> None:
        """Name, description and schema arrive; the schema may be added to."""
        async with self.opened() as opened:
            await opened.converse(tools=(_WEATHER, _TIME))
            for sent, given in zip(opened.asked.tools, (_WEATHER, _TIME), strict=True):
                assert (sent.name, sent.description) == (given.name, given.description)
                assert sent.parameters is not None
                assert {**sent.parameters, **_PLACE} == sent.parameters

    @check("a tool without a complete schema is mended or refused", "tools")
    @pytest.mark.parametrize("schema", [None, {}, {"properties": {"city": {"type": "string"}}}], ids=str)
    async def test_incomplete_schemas(self, schema: dict[str, Any] | None) -> None:
        """No schema, or one without ``type``, works or is refused before it is sent; it never fails upstream."""
        async with self.opened() as opened:
            try:
                await opened.converse(tools=(Tool(name="now", parameters=schema),))
            except InvalidParameters:
                assert not opened.script.refused
                return
            assert [tool.name for tool in opened.asked.tools] == ["now"]

    @check("a call comes back", "tools")
    async def test_call(self) -> None:
        """Name, id and arguments of a call come back, and the reply ends with ``tool_calls``."""
        for result in await self._both(say("", _CALL)):
            (choice,) = result.choices
            assert facts(choice.tool_calls) == facts((_CALL,))
            assert choice.tool_calls[0].id, "the call has no id"
            assert choice.finish_reason == "tool_calls"

    @check("a call without arguments comes back", "tools")
    async def test_call_without_arguments(self) -> None:
        """A tool that needs nothing is called with nothing."""
        for result in await self._both(say("", ToolCall("call_1a", "get_time", "{}"))):
            assert facts(result.choices[0].tool_calls) == [("get_time", {})]

    @check("text beside a call comes back", "tools")
    async def test_text_beside_a_call(self) -> None:
        """What the model says before it calls a tool is not lost."""
        for result in await self._both(say("Let me look.", _CALL)):
            assert result.choices[0].text == "Let me look."
            assert facts(result.choices[0].tool_calls) == facts((_CALL,))

    @check("parallel calls come back", "parallel_calls")
    async def test_parallel_calls(self) -> None:
        """Several calls of one reply come back in order, each with an id of its own."""
        calls = (_CALL, _OTHER, _THIRD)
        for result in await self._both(say("", *calls)):
            found = result.choices[0].tool_calls
            assert facts(found) == facts(calls)
            assert len({call.id for call in found}) == len(calls), "calls share an id"

    @check("a result finds its call", "tools")
    async def test_result(self) -> None:
        """Call and result of the turn before arrive, the result under the call's id."""
        async with self.opened(say("", _CALL)) as opened:
            (call,) = (await opened.converse(tools=(_WEATHER,))).choices[0].tool_calls
            await self._next_turn(opened, "", (call,), ["12 degrees"])

    @check("several results find their calls, text beside them", "parallel_calls")
    async def test_several_results(self) -> None:
        """Calls and results arrive in order, and so does what the model said beside its calls."""
        async with self.opened(say("Let me look.", _CALL, _OTHER, _THIRD)) as opened:
            choice = (await opened.converse(tools=(_WEATHER, _TIME))).choices[0]
            await self._next_turn(opened, choice.text, choice.tool_calls, ["12 degrees", "30 degrees", "noon"])

    async def _next_turn(self, opened: Opened, text: str, calls: tuple[ToolCall, ...], results: list[str]) -> None:
        parts = (TextPart(text),) if text else ()
        answers = [
            said(result, role="tool", tool_call_id=call.id, name=call.name)
            for call, result in zip(calls, results, strict=True)
        ]
        turn = Message(role="assistant", parts=parts, tool_calls=calls)
        await opened.converse(said("hello"), turn, *answers, tools=(_WEATHER, _TIME))
        asked = opened.asked.messages
        (sent,) = [message for message in asked if message.tool_calls]
        assert (sent.role, sent.text) == ("assistant", text)
        assert facts(sent.tool_calls) == facts(calls)
        found = [message for message in asked if message.role == "tool"]
        assert [message.text for message in found] == results
        told = [message.tool_call_id or message.name for message in found]
        assert told in ([call.id for call in sent.tool_calls], [call.name for call in calls]), told

    @check("a tool choice arrives", "tool_choice")
    @pytest.mark.parametrize("choice", ["auto", "none", "required", "any"])
    async def test_tool_choice(self, choice: str) -> None:
        """``auto``, ``none`` and ``required`` mean what they say; ``any`` is ``required``."""
        async with self.opened() as opened:
            await opened.converse(tools=(_WEATHER, _TIME), tool_choice=choice)
            asked = opened.asked
            wanted = {"auto": {"auto", ""}, "none": {"none"}}.get(choice, {"required"})
            assert asked.tool_choice in wanted or (choice == "none" and not asked.tools), asked.tool_choice

    @check("a tool is chosen by its name", "tool_choice_by_name")
    async def test_tool_choice_by_name(self) -> None:
        """The model must call the tool that is named, and no other."""
        async with self.opened() as opened:
            await opened.converse(tools=(_WEATHER, _TIME), tool_choice="get_time")
            asked = opened.asked
            alone = asked.tool_choice == "required" and [tool.name for tool in asked.tools] == ["get_time"]
            assert alone or asked.tool_choice == "get_time", asked.tool_choice
