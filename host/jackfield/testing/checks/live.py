"""Checks against the real provider: a few small requests, made with ``--live`` and the keys in the environment."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final

import pytest

from jackfield.catalog.instance import ConversationInstance
from jackfield.chain.forms import collect
from jackfield.errors import ProviderError
from jackfield.messages import GenerationSettings, Message, ResponseFormat, Tool
from jackfield.testing.building import built
from jackfield.testing.checking import Check, check
from jackfield.testing.checks.base import Checks, asking, said

__all__ = ["LiveChecks"]

_SHORT: Final = GenerationSettings(max_tokens=200)
_CITY: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_WEATHER: Final = Tool(name="get_weather", description="Tells a city's weather.", parameters=_CITY)


class LiveChecks(Checks):
    """The real provider does what the fake upstream says it does."""

    live_metadata: ClassVar[dict[str, Any]] = {}
    """Items for the real provider alone, such as a model that costs little; ``metadata`` itself is not used."""

    def why_absent(self, check: Check) -> str:
        """Say why a check can't be made; a live one needs a key."""
        if check.live:
            missing = [variable for variable in self.live.values() if not os.environ.get(variable)]
            if missing or not self.live:
                return f"{', '.join(missing)} is not set" if missing else "the class names no keys in `live`"
        return super().why_absent(check)

    @asynccontextmanager
    async def opened_live(self, **changes: Any) -> AsyncGenerator[ConversationInstance, None]:
        """Open the provider with its real keys."""
        keys = {item: os.environ[variable] for item, variable in self.live.items()}
        async with built(self.parts, {**self.live_metadata, **keys, **changes}) as (instance, _):
            yield instance

    @check("live: a text is answered, with usage", upstream=False, live=True)
    @pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])
    async def test_live_text(self, *, stream: bool) -> None:
        """The provider says something, why it ended, and what it cost."""
        async with self.opened_live() as instance:
            request = asking(said("Say hello in one word."), settings=_SHORT, stream=stream)
            result = await collect(instance.handler(request))
            assert result.choices[0].text.strip()
            assert result.choices[0].finish_reason in {"stop", "length"}
            assert "usage" in self.lacks or (result.usage is not None and result.usage.total_tokens > 0)

    @check("live: a tool is called and its result read", "tools", upstream=False, live=True)
    async def test_live_tool(self) -> None:
        """A call comes back, and its result goes out in the next turn."""
        question = said("What is the weather in Bremen? Use the tool.")
        async with self.opened_live() as instance:
            first = await instance.answer(asking(question, tools=(_WEATHER,), settings=_SHORT))
            (call,) = first.choices[0].tool_calls
            assert (call.name, "city" in json.loads(call.arguments)) == ("get_weather", True)
            turn = Message(role="assistant", parts=first.choices[0].parts, tool_calls=(call,))
            result = said("12 degrees and rain", role="tool", tool_call_id=call.id, name=call.name)
            last = await instance.answer(asking(question, turn, result, tools=(_WEATHER,), settings=_SHORT))
            assert "12" in last.choices[0].text

    @check("live: a reply follows a schema", "structured_output", upstream=False, live=True)
    async def test_live_structured_output(self) -> None:
        """The reply's text is JSON of the schema."""
        wanted = ResponseFormat(schema=_CITY, name="place", strict=True)
        async with self.opened_live() as instance:
            request = asking(said("Name the capital of France."), response_format=wanted, settings=_SHORT)
            assert json.loads((await instance.answer(request)).choices[0].text)["city"] == "Paris"

    @check("live: a wrong key is refused", upstream=False, live=True)
    async def test_live_wrong_key(self) -> None:
        """The provider's refusal has its status, and the key is not in it."""
        wrong = "wrong-key-0123456789abcdef"
        async with self.opened_live(**dict.fromkeys(self.live, wrong)) as instance:
            with pytest.raises(ProviderError) as caught:
                await instance.answer(asking(settings=_SHORT))
            assert caught.value.status in {400, 401, 403}
            assert wrong not in str(caught.value)
