"""The chat client of dapr-agents; collected only where that is installed, as ``nox -s agents`` does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dapr_agents import DaprChatClient, tool  # type: ignore[import-not-found]
from pydantic import BaseModel

from jackfield import Choice, ConversationRequest, Result, ToolCall

if TYPE_CHECKING:
    from tests.conftest import Served


class Person(BaseModel):
    """Somebody."""

    name: str
    age: int


def test_text(sdk: Served) -> None:
    """The client finds the component by itself, and gets text and usage."""
    reply = DaprChatClient().generate("well hello there")
    assert reply.get_message().content == "well hello there"
    (request,) = sdk.requests
    assert request.component == "llm"


def test_tools(sdk: Served) -> None:
    """A function's description reaches the component, and its call comes back as the client reads it."""

    async def answer(request: ConversationRequest) -> Result:
        call = ToolCall("c1", request.tools[0].name, json.dumps({"city": "Bremen"}))
        return Result((Choice(tool_calls=(call,), finish_reason="tool_calls"),))

    @tool  # type: ignore[untyped-decorator]
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"It rains in {city}."

    sdk.script = answer
    message = DaprChatClient().generate("weather in Bremen?", tools=[weather]).get_message()
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Bremen"}
    assert sdk.requests[0].tools[0].parameters is not None
    assert sdk.requests[0].tools[0].parameters["required"] == ["city"]


def test_structured_output(sdk: Served) -> None:
    """A model of pydantic's becomes a schema that the component gets, and the reply an instance."""

    async def answer(request: ConversationRequest) -> Result:
        assert request.response_format is not None
        assert request.response_format.schema is not None
        assert set(request.response_format.schema["properties"]) == {"name", "age"}
        return Result.of_text('{"name": "Ann", "age": 41}')

    sdk.script = answer
    assert DaprChatClient().generate("who?", response_format=Person) == Person(name="Ann", age=41)
