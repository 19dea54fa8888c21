"""Checks of what comes back: usage, finish reasons, thinking, and the same streamed as in one piece."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any, get_args

import pytest

from jackfield.events import Choice, Delta, Event, Finish, FinishReason, Result, Usage
from jackfield.messages import Message, ReasoningPart, TextPart, Tool, ToolCall
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, asking, said
from jackfield.testing.script import Hang, Say, say

__all__ = ["ReplyChecks"]

_TOOLS = (Tool(name="look", parameters={"type": "object", "properties": {"at": {"type": "string"}}}),)
_LOOK = ToolCall("call_1a", "look", '{"at":"the sea"}')
_LOOK_AGAIN = ToolCall("call_2b", "look", '{"at":"the sky"}')

_REPLIES: dict[str, tuple[str, Say]] = {
    "text": ("", say("Once upon a time, there was a telephone exchange.")),
    "text cut short": ("finish_reasons", say("Once upon", finish_reason="length")),
    "thinking": ("reasoning", say("It is 12.", reasoning="Seven and five make twelve.", signature="c2lnbmVk")),
    "a call": ("tools", say("", _LOOK)),
    "text and a call": ("tools", say("Let me look.", _LOOK)),
    "parallel calls": ("parallel_calls", say("", _LOOK, _LOOK_AGAIN)),
}


def _thinking(choice: Choice) -> str:
    return "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart))


def _facts(result: Result) -> list[Any]:
    """What two forms of one reply must have in common. Where text and thinking are divided is not part of it."""
    usage = result.usage
    return [
        [
            (
                choice.text,
                _thinking(choice),
                [(call.id, call.name, json.loads(call.arguments or "{}"), call.opaque) for call in choice.tool_calls],
                choice.finish_reason,
            )
            for choice in result.choices
        ],
        result.model,
        None if usage is None else (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens),
    ]


class ReplyChecks(Checks):
    """A reply says what the model said, in the host's words, in both forms."""

    @check("streaming equals unary", "streaming")
    @pytest.mark.parametrize("case", list(_REPLIES))
    async def test_streaming_equals_unary(self, case: str) -> None:
        """A streamed reply, gathered, is the reply in one piece: text, thinking, calls, finish reason, usage, model."""
        capability, reply = _REPLIES[case]
        if reason := self.lacks.get(capability):
            pytest.skip(f"absent: {reason}")
        async with self.opened(reply, reply) as opened:
            whole = await opened.converse(tools=_TOOLS)
            assert _facts(await opened.collected(tools=_TOOLS)) == _facts(whole)

    @check("streaming equals unary, without an upstream", "streaming", upstream=False)
    async def test_both_forms_agree(self) -> None:
        """The two forms of an answer to one question agree in everything but what a model makes up anew."""
        async with self.opened() as opened:
            whole, streamed = await opened.converse(said("hello")), await opened.collected(said("hello"))
            assert len(streamed.choices) == len(whole.choices)
            assert bool(streamed.choices[0].text) == bool(whole.choices[0].text)
            assert streamed.model == whole.model
            assert (streamed.usage is None) == (whole.usage is None)

    @check("a stream has its order", upstream=False)
    async def test_order_of_a_stream(self) -> None:
        """``Delta*``, one ``Finish`` per choice, then at most one ``Usage``."""
        async with self.opened() as opened:
            events = await opened.stream()
            kinds = [type(event) for event in events if not isinstance(event, Delta)]
            assert kinds in ([Finish], [Finish, Usage]), kinds
            assert all(isinstance(event, Delta) for event in events[: -len(kinds)]), "a Delta comes after the end"

    @check("a reply arrives as it is written", "streaming")
    async def test_arrives_as_it_is_written(self) -> None:
        """The first piece comes while the upstream is still writing, not when it has ended."""
        async with self.opened(Hang(say("Once upon a time, long ago.").result)) as opened:
            async with aclosing(opened.instance.handler(asking(stream=True))) as events:
                first: Event = await asyncio.wait_for(anext(events), 5)
            assert isinstance(first, Delta)
            assert isinstance(first.part, TextPart)

    @check("usage is told", "usage")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_usage(self, form: str) -> None:
        """Tokens read, written and in all, and those from the prompt cache if the provider tells of them."""
        reply = say("hello", usage=Usage(31, 17, 48, cached_tokens=5))
        async with self.opened(reply) as opened:
            usage = (await (opened.converse if form == "unary" else opened.collected)()).usage
            assert usage is not None, "the reply has no usage"
            assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (31, 17, 48)
            assert usage.cached_tokens in {None, 5}

    @check("usage is told once, without an upstream", "usage", upstream=False)
    async def test_usage_adds_up(self) -> None:
        """Whatever the tokens are, their total is their sum, and none is negative."""
        async with self.opened() as opened:
            usage = (await opened.converse()).usage
            assert usage is not None, "the reply has no usage"
            assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
            assert min(usage.prompt_tokens, usage.completion_tokens) >= 0

    @check("finish reasons are the host's", "finish_reasons")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_finish_reasons(self, form: str) -> None:
        """Each of the API's words is told as what it means."""
        words = self.dialect.finish_reasons if self.dialect is not None else {}
        for word, meaning in words.items():
            calls = (_LOOK,) if meaning == "tool_calls" else ()
            if calls and "tools" in self.lacks:
                continue
            async with self.opened(say("" if calls else "Once", *calls, finish=word)) as opened:
                result = await (opened.converse if form == "unary" else opened.collected)(tools=_TOOLS if calls else ())
                assert (word, result.choices[0].finish_reason) == (word, meaning)

    @check("an unknown finish reason is no surprise", "finish_reasons")
    async def test_unknown_finish_reason(self) -> None:
        """An API that learns a new word breaks nothing, and no word of its own gets out."""
        async with self.opened(say("Once", finish="solar_flare")) as opened:
            assert (await opened.converse()).choices[0].finish_reason in get_args(FinishReason)

    @check("finish reasons are known, without an upstream", upstream=False)
    async def test_finish_reason_is_known(self) -> None:
        """Every choice ends for one of the host's reasons."""
        async with self.opened() as opened:
            result = await opened.converse()
            assert result.choices
            assert {choice.finish_reason for choice in result.choices} <= set(get_args(FinishReason))

    @check("the model is told", "model")
    async def test_model_is_told(self) -> None:
        """A reply names the model that answered."""
        async with self.opened() as opened:
            assert (await opened.converse()).model

    @check("thinking comes apart from the answer", "reasoning")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_thinking(self, form: str) -> None:
        """The answer's text holds nothing of the thinking, which comes as a part of its own."""
        reply = say("It is 12.", reasoning="Seven and five make twelve.", signature="c2lnbmVk")
        async with self.opened(reply) as opened:
            (choice,) = (await (opened.converse if form == "unary" else opened.collected)()).choices
            assert choice.text == "It is 12."
            assert _thinking(choice) == "Seven and five make twelve."

    @check("signed data returns with the next turn", "opaque")
    @pytest.mark.parametrize("form", ["unary", "streamed"])
    async def test_opaque_data(self, form: str) -> None:
        """What the provider signed beside a call is in the next turn's request, and none of it is readable text."""
        signed = ToolCall(_LOOK.id, _LOOK.name, _LOOK.arguments, "b3BhcXVl")
        reply = say("", signed, reasoning="I should look there.", signature="b3BhcXVl")
        async with self.opened(reply) as opened:
            (choice,) = (await (opened.converse if form == "unary" else opened.collected)(tools=_TOOLS)).choices
            (call,) = choice.tool_calls
            assert call.opaque, "the call carries no opaque data"
            assert "I should look there." not in call.opaque, "the opaque data holds readable text"
            turn = Message(role="assistant", tool_calls=choice.tool_calls)
            await opened.converse(said("hello"), turn, said("blue", role="tool", tool_call_id=call.id), tools=_TOOLS)
            (sent,) = [message for message in opened.asked.messages if message.tool_calls]
            returned = [part.signature for part in sent.parts if isinstance(part, ReasoningPart)]
            assert "b3BhcXVl" in [*returned, *(call.opaque for call in sent.tool_calls)]

    @check("another provider's signed data is left alone", "opaque")
    async def test_foreign_opaque_data(self) -> None:
        """A router may have asked another provider before: what that one signed is not passed on."""
        foreign = ToolCall(_LOOK.id, _LOOK.name, _LOOK.arguments, "another-provider:Zm9yZWlnbg==")
        async with self.opened() as opened:
            turn = Message(role="assistant", tool_calls=(foreign,))
            await opened.converse(said("hello"), turn, said("blue", role="tool", tool_call_id=_LOOK.id), tools=_TOOLS)
            assert b"Zm9yZWlnbg" not in opened.upstream.requests[-1].data
