"""Checks of what a provider tells its upstream: roles, texts, several messages, generation settings."""

from __future__ import annotations

from typing import Any, Final

import pytest

from jackfield.errors import InvalidParameters
from jackfield.messages import ConversationRequest, GenerationSettings, Message, TextPart, ToolCall
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, asking, said
from jackfield.testing.script import say

__all__ = ["MessageChecks", "texts"]

_SETTINGS: Final[dict[str, Any]] = {
    "temperature": 0.5,
    "top_p": 0.25,
    "top_k": 40,
    "stop": ("END", "STOP"),
    "seed": 7,
    "presence_penalty": 1.5,
    "frequency_penalty": -0.5,
    "n": 2,
}


def texts(request: ConversationRequest, *roles: str) -> list[str]:
    """Return the texts of a request's messages in their order, of some roles or of all."""
    return [
        part.text
        for message in request.messages
        if not roles or message.role in roles
        for part in message.parts
        if isinstance(part, TextPart)
    ]


def in_order(wanted: list[str], found: list[str]) -> bool:
    """Whether all texts are there, one after the other, however they are divided."""
    rest = "\n".join(found)
    for text in wanted:
        _, there, rest = rest.partition(text)
        if not there:
            return False
    return True


class MessageChecks(Checks):
    """What is said arrives, and what is asked for is done or refused."""

    @check("a text is answered")
    async def test_text_is_answered(self) -> None:
        """The model's text comes back, and the question went out once."""
        async with self.opened(say("Good day.")) as opened:
            result = await opened.converse(said("Hello?"))
            assert [choice.text for choice in result.choices] == ["Good day."]
            assert texts(opened.asked, "user") == ["Hello?"]
            assert len(opened.script.asked) == 1, "the provider asked more than once"

    @check("any characters pass both ways")
    async def test_any_characters_pass(self) -> None:
        """Text of any script, quotes and line breaks arrive as they are, in both forms."""
        text = 'Grüße, 世界 🌍\n"quoted" \\ \t<b>&amp;</b>'
        async with self.opened(say(text), say(text)) as opened:
            for ask in (opened.converse, opened.collected):
                assert (await ask(said(text))).choices[0].text == text
                assert texts(opened.asked, "user") == [text]

    @check("any conversation is answered or refused", upstream=False)
    @pytest.mark.parametrize("role", ["system", "developer", "assistant", "tool"])
    async def test_any_conversation(self, role: Any) -> None:
        """A message of any role, and a call with its result, is answered or refused with the reason."""
        call = ToolCall("call_1a", "look", "{}")
        own = Message(role=role, parts=(TextPart("one"), TextPart("two")), tool_call_id="call_1a" * (role == "tool"))
        turn = (Message(role="assistant", tool_calls=(call,)),) * (role == "tool")
        async with self.opened() as opened:
            try:
                result = await opened.converse(said("hello"), *turn, own, said("and now?"))
            except InvalidParameters as error:
                assert error.detail  # noqa: PT017  a refusal is in order
                return
            assert result.choices

    @check("the model is named by the manifest", "model")
    async def test_model_of_the_manifest(self) -> None:
        """The item ``model`` is what the upstream is asked for."""
        async with self.opened(model="other-model") as opened:
            await opened.converse()
            assert opened.asked.model == "other-model"

    @check("the model is named by the request", "model")
    async def test_model_of_the_request(self) -> None:
        """A request's model goes before the manifest's."""
        async with self.opened(model="other-model") as opened:
            await opened.converse(model="third-model")
            assert opened.asked.model == "third-model"

    @check("several text parts arrive in order")
    async def test_several_parts(self) -> None:
        """No part of a message is lost, in any role."""
        async with self.opened() as opened:
            await opened.converse(
                said("be brief", "be kind", role="system"),
                said("one", "two"),
                said("three", "four", role="assistant"),
                said("five", "", "six"),
            )
            wanted = ["be brief", "be kind", "one", "two", "three", "four", "five", "six"]
            assert in_order(wanted, texts(opened.asked)), texts(opened.asked)

    @check("several messages arrive in order, with their roles")
    async def test_several_messages(self) -> None:
        """A conversation's turns are told apart."""
        async with self.opened() as opened:
            await opened.converse(said("one"), said("two", role="assistant"), said("three"))
            turns = [(message.role, message.text) for message in opened.asked.messages]
            assert turns == [("user", "one"), ("assistant", "two"), ("user", "three")]

    @check("messages of one role in a row arrive")
    async def test_messages_of_one_role(self) -> None:
        """Two user messages in a row are both read, and a conversation may begin with the assistant."""
        async with self.opened() as opened:
            await opened.converse(said("zero", role="assistant"), said("one"), said("two"))
            assert in_order(["zero", "one", "two"], texts(opened.asked)), texts(opened.asked)

    @check("system and developer messages are instructions", "system")
    @pytest.mark.parametrize("role", ["system", "developer"])
    async def test_instructions(self, role: Any) -> None:
        """They go out in a role that instructs, never as the user's or the assistant's own words."""
        async with self.opened() as opened:
            await opened.converse(said("Answer in verse.", role=role), said("hello"))
            assert in_order(["Answer in verse."], texts(opened.asked, "system", "developer")), opened.asked.messages
            assert texts(opened.asked, "user", "assistant") == ["hello"]

    @check("instructions of several messages all arrive", "system")
    async def test_several_instructions(self) -> None:
        """System and developer messages may both be there, also after the first turn."""
        async with self.opened() as opened:
            await opened.converse(
                said("first rule", role="system"), said("second rule", role="developer"), said("hello")
            )
            assert in_order(["first rule", "second rule"], texts(opened.asked, "system", "developer"))

    @check("generation settings arrive or are said to be left out")
    @pytest.mark.parametrize("name", list(_SETTINGS))
    async def test_generation_settings(self, name: str) -> None:
        """A setting is passed on, named as ignored in the request's record, or refused: never lost in silence."""
        await self._settled(name, _SETTINGS[name])

    @check("an explicit zero is a value")
    async def test_zero_is_a_value(self) -> None:
        """A temperature of 0 is not the same as none."""
        await self._settled("temperature", 0.0)

    async def _settled(self, name: str, value: Any) -> None:
        settings = GenerationSettings(**{name: value})
        async with self.opened() as opened:
            request = asking(settings=settings)
            try:
                await opened.instance.answer(request)
            except InvalidParameters:
                return
            arrived = getattr(opened.asked.settings, name)
            assert arrived == value or name in request.record.ignored, f"{name}={value} became {arrived}"

    @check("settings that nobody set are not sent")
    async def test_nothing_is_made_up(self) -> None:
        """The upstream's own defaults apply; only the longest reply may be set, where an API asks for it."""
        async with self.opened() as opened:
            await opened.converse()
            sent = opened.asked.settings
            made_up = {name: value for name in _SETTINGS if (value := getattr(sent, name)) is not None}
            assert not made_up, f"the provider made up {made_up}"

    @check("a reply's length is limited", "max_tokens")
    @pytest.mark.parametrize("where", ["request", "manifest"])
    async def test_max_tokens(self, where: str) -> None:
        """``max_tokens`` of the request counts, and that of the manifest without one."""
        items: dict[str, Any] = {} if where == "request" else {"maxTokens": "123"}
        async with self.opened(**items) as opened:
            members = {"settings": GenerationSettings(max_tokens=123)} if where == "request" else {}
            await opened.converse(**members)
            assert opened.asked.settings.max_tokens == 123
