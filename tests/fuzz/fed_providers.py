"""Components of every type beside an upstream that feeds them any bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from jackfield import Choice, ConversationRequest, Message, ReasoningPart, Result, TextPart, Tool, ToolCall
from jackfield.chain.forms import collect
from jackfield.components import Conversation
from jackfield.errors import InvokeError
from jackfield.testing import ChatCompletions, Exchange, FakeUpstream, Messages, Say, say
from jackfield.testing.building import Parts, built
from jackfield.testing.dialect import Dialect
from jackfield_bedrock.testing import Converse

__all__ = ["Provider", "Spoken", "fed_providers"]

CALL = ToolCall("call_12345", "lookup", '{"city": "K\u00f6ln"}')
SAYS = (
    say("Hello, \u4e16\u754c \U0001f30d. This is a reply of some words."),
    say("", CALL, ToolCall("call_67890", "lookup", "{}")),
    say("It is warm.", CALL, reasoning="Let me think about it.", signature="c2lnbmVk"),
    say("cut short", finish_reason="length"),
    Say(Result((Choice((TextPart("one"),)), Choice((TextPart("two"),))))),
)
"""The last has two choices, which OpenAI's API alone has."""
TOOLS = (Tool(name="lookup", parameters={"type": "object", "properties": {"city": {"type": "string"}}}),)
REQUEST = ConversationRequest(
    component="llm", messages=(Message(role="user", parts=(TextPart("What is the weather?"),)),), tools=TOOLS
)
PATIENCE = 10.0


@dataclass(frozen=True)
class Spoken:
    """One component type, its API, and how it is set up.

    Attributes:
        type_name: the component type.
        dialect: the API.
        metadata: the items of its manifest.
        framed: the stream is of AWS's frames.
    """

    type_name: str
    dialect: Dialect
    metadata: Mapping[str, Any] = field(default_factory=dict)
    framed: bool = False


SPOKEN = (
    Spoken("conversation.openai", ChatCompletions(), {"key": "test-key-0123"}),
    Spoken("conversation.deepseek", ChatCompletions(), {"key": "test-key-0123"}),
    Spoken("conversation.mistral", ChatCompletions(), {"key": "test-key-0123"}),
    Spoken("conversation.openrouter", ChatCompletions(), {"key": "test-key-0123"}),
    Spoken("conversation.huggingface", ChatCompletions(), {"key": "test-key-0123"}),
    Spoken("conversation.googleai", ChatCompletions(), {"key": "test-key-0123", "model": "gemini-3.8-flash"}),
    Spoken("conversation.ollama", ChatCompletions()),
    Spoken("conversation.anthropic", Messages(), {"key": "test-key-0123"}),
    Spoken(
        "conversation.aws.bedrock",
        Converse(),
        {
            "region": "eu-central-1",
            "accessKey": "AKIAQUITESECRET01234",
            "secretKey": "quite-secret-0123456789",
            "model": "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        },
        framed=True,
    ),
)


class Provider:
    """A component beside an upstream that sends whatever it is told.

    Args:
        spoken: what it speaks.
        component: has been started.
        upstream: what it asks.
    """

    def __init__(self, spoken: Spoken, component: Conversation[Any], upstream: FakeUpstream) -> None:
        self.spoken = spoken
        self.streams: tuple[tuple[bytes, ...], ...] = ()
        self.wholes: tuple[bytes, ...] = ()
        self._component = component
        self._upstream = upstream
        self._expected: dict[bytes, Result] = {}

    async def record(self) -> None:
        """Write down how the dialect's server answers."""
        streams, wholes = [], []
        for reply in SAYS if isinstance(self.spoken.dialect, ChatCompletions) else SAYS[:-1]:

            async def behave(exchange: Exchange, reply: Say = reply) -> None:
                whole = self.spoken.dialect.whole(reply, exchange)
                streams.append(tuple(self.spoken.dialect.pieces(reply, exchange)))
                wholes.append(whole if isinstance(whole, bytes) else json.dumps(whole).encode())
                await exchange.send(200, wholes[-1])

            self._upstream.behaviour = behave
            told = await self._component.converse(REQUEST)
            self.streams = tuple(streams)
            streamed = await self.streamed([b"".join(streams[-1])])
            if not isinstance(streamed, Result):
                raise streamed
            self._expected[b"".join(streams[-1])] = streamed
            assert _said(streamed) == _said(told), (streamed, told)
        self.wholes = tuple(wholes)

    async def streamed(self, pieces: list[bytes]) -> Result | InvokeError:
        """Ask for a stream, and answer with some bytes, cut into pieces; anything but these two ends is a fault."""

        async def behave(exchange: Exchange) -> None:
            kind = self.spoken.dialect.stream_type
            await exchange.send_events([piece for piece in pieces if piece], content_type=kind)

        self._upstream.behaviour = behave
        try:
            async with asyncio.timeout(PATIENCE):
                return await collect(self._component.stream(msgspec.structs.replace(REQUEST, stream=True)))
        except InvokeError as error:
            return _documented(error)

    async def answered(self, body: bytes) -> Result | InvokeError:
        """Ask for a whole reply, and answer with some bytes."""

        async def behave(exchange: Exchange) -> None:
            await exchange.send(200, body)

        self._upstream.behaviour = behave
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._component.converse(REQUEST)
        except InvokeError as error:
            return _documented(error)

    def expected(self, stream: bytes) -> Result:
        """What a recorded stream says."""
        return self._expected[stream]


def _documented(error: InvokeError) -> InvokeError:
    text = str(error)
    assert text.strip()
    assert "Traceback" not in text
    assert len(text) < 20_000
    assert "test-key-0123" not in text
    return error


def _said(result: Result) -> list[Any]:
    return [
        ("".join(part.text for part in choice.parts if isinstance(part, TextPart)),
         "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart)),
         [(call.name, json.loads(call.arguments or "{}")) for call in choice.tool_calls],
         choice.finish_reason)
        for choice in result.choices
    ]  # fmt: skip


@asynccontextmanager
async def fed_providers() -> AsyncGenerator[list[Provider], None]:
    """Start a component of each type, and write down how its dialect's server answers."""
    async with AsyncExitStack() as stack:
        providers = []
        for spoken in SPOKEN:
            upstream = await stack.enter_async_context(FakeUpstream(_unasked))
            items = {**spoken.metadata, "endpoint": upstream.address + spoken.dialect.path}
            instance, _ = await stack.enter_async_context(built(Parts(spoken.type_name), items))
            assert isinstance(instance.component, Conversation)
            providers.append(Provider(spoken, instance.component, upstream))
            await providers[-1].record()
        yield providers


async def _unasked(exchange: Exchange) -> None:
    raise AssertionError("nobody asks before there is an answer")
