"""Checks of what a provider tells its upstream: roles, texts, several messages."""

from __future__ import annotations

from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, said
from jackfield.testing.script import say

__all__ = ["MessageChecks"]


class MessageChecks(Checks):
    """What is said arrives."""

    @check("a text is answered")
    async def test_text_is_answered(self) -> None:
        """The model's text comes back, and the question went out once."""
        async with self.opened(say("Good day.")) as opened:
            result = await opened.converse(said("Hello?"))
            assert [choice.text for choice in result.choices] == ["Good day."]
            assert [message.text for message in opened.asked.messages if message.role == "user"] == ["Hello?"]
            assert len(opened.script.asked) == 1, "the provider asked more than once"
