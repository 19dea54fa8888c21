"""LangChain's ``ChatOpenAI`` against a running host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from jackfield import ToolCall, Usage
from jackfield.testing import CannedHost

Chat = Callable[..., ChatOpenAI]


@pytest.fixture(name="chat")
def _chat(host: CannedHost) -> Chat:
    """Make a chat model for a host with canned replies."""

    def chat(**members: Any) -> ChatOpenAI:
        return ChatOpenAI(base_url=f"{host.url}/v1", api_key=SecretStr("any"), model="llm", max_retries=0, **members)

    return chat


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


def joined(chunks: Sequence[Any]) -> Any:
    """Put a message together as LangChain does."""
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


class Place(BaseModel):
    """A place."""

    city: str


def test_invoke(host: CannedHost, chat: Chat) -> None:
    """A conversation is answered, with its usage and the model's name."""
    host.reply("Hello!", usage=Usage(3, 2, 5))

    reply = chat(temperature=0, max_completion_tokens=9).invoke([SystemMessage("Be brief."), HumanMessage("hi")])

    assert isinstance(reply, AIMessage)
    assert reply.content == "Hello!"
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["total_tokens"] == 5
    assert reply.response_metadata["model_name"] == "canned"
    assert [message.role for message in host.asked[0].messages] == ["system", "user"]
    assert host.asked[0].settings.max_tokens == 9


def test_stream(host: CannedHost, chat: Chat) -> None:
    """Pieces add up to the reply, and the usage is among them, for the asynchronous form as well."""

    async def pieces() -> list[AIMessageChunk]:
        return [chunk async for chunk in chat(stream_usage=True).astream("hi")]

    host.reply("The quick brown fox", usage=Usage(3, 2, 5))
    found = asyncio.run(pieces())

    assert "".join(str(chunk.content) for chunk in found) == "The quick brown fox"
    assert len([chunk for chunk in found if chunk.content]) > 1
    whole = joined(found)
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["total_tokens"] == 5


@pytest.mark.parametrize("stream", [False, True])
def test_tools_in_all_their_turns(host: CannedHost, chat: Chat, stream: bool) -> None:
    """A call comes whole or in pieces, and goes back with its result and with what the provider wants back."""
    call = ToolCall("c1", "weather", '{"city": "Bremen"}', "signed")
    host.reply("", call)
    host.reply("It rains.")
    model = chat().bind_tools([weather], strict=True, parallel_tool_calls=True)

    messages: list[Any] = [HumanMessage("How is the weather?")]
    if stream:
        messages.append(joined(list(model.stream(messages))))
    else:
        messages.append(model.invoke(messages))
    (wanted,) = messages[1].tool_calls
    assert wanted["args"] == {"city": "Bremen"}
    result = weather.invoke(wanted)
    assert isinstance(result, ToolMessage)
    messages.append(result)

    assert model.invoke(messages).content == "It rains."
    asked = host.asked[1]
    assert asked.messages[1].tool_calls[0].id == "c1"
    assert asked.messages[1].tool_calls[0].opaque == "signed"
    assert (asked.messages[2].tool_call_id, asked.messages[2].text) == ("c1", "rain in Bremen")
    assert asked.tools[0].strict


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(host: CannedHost, chat: Chat, method: Any) -> None:
    """All three ways to have an object come to a schema, a tool that must be called, or any JSON."""
    if method == "function_calling":
        host.call_tool("Place", {"city": "Ulm"})
    else:
        host.reply('{"city": "Ulm"}')

    # One tool may be called once: that is a wish of its own, and this component knows of none.
    members = {"disabled_params": {"parallel_tool_calls": None}}
    assert chat(**members).with_structured_output(Place, method=method).invoke("Where?") == Place(city="Ulm")

    asked = host.asked[0]
    if method == "function_calling":
        assert asked.tool_choice == "Place"
    else:
        assert asked.response_format is not None
        assert (asked.response_format.schema is None) is (method == "json_mode")


def test_our_own_members(host: CannedHost, chat: Chat) -> None:
    """``extra_body`` carries them."""
    chat(extra_body={"cache_ttl": "10m"}).invoke("hi")

    assert host.asked[0].cache_ttl == 600.0


def test_a_refusal(host: CannedHost, chat: Chat) -> None:
    """The provider's status raises what LangChain's users catch."""
    host.fail(429, "too many", retry_after=1)

    with pytest.raises(openai.RateLimitError, match="too many"):
        chat().invoke("hi")
