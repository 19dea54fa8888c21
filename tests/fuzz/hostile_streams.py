"""Replies of providers as no provider should send them: each becomes events, or the documented upstream error."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import strategies as st
from nasty import edited, json_values, mutated_json
from searching import Growth, Property

from jackfield import Choice, ConversationRequest, Message, ReasoningPart, Result, TextPart, Tool, ToolCall
from jackfield.chain.forms import collect
from jackfield.components import Conversation
from jackfield.errors import InvokeError, ProviderError
from jackfield.testing import ChatCompletions, Exchange, FakeUpstream, Messages, Say, say
from jackfield.testing.building import Parts, built
from jackfield.testing.dialect import Dialect
from jackfield.upstream.sse import LARGEST_EVENT, EventParser
from jackfield_bedrock.testing import Converse
from jackfield_bedrock.testing.frames import event_frame

__all__ = ["target"]

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
SIGNS: tuple[bytes, ...] = (
    b"data: ",
    b"data:",
    b"\n\n",
    b"\r\n\r\n",
    b"\r",
    b": x\n",
    b"event: error\n",
    b"\xef\xbb\xbf",
    b"id: 1\n",
    b"retry: 0\n",
)
SIGNS += (
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"2.0",
    b'""',
    b"1e999",
    b"[" * 3000,
    b'{"a":' * 500,
    b"\xff",
    b"\x00",
    b"[DONE]",
    b"\\ud800",
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


def _outcome(result: Result | InvokeError) -> str:
    if isinstance(result, Result):
        return "a reply"
    return re.sub(r"[^a-z' ].*", "", str(result).lower())[:60] or type(result).__name__


def _cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


@st.composite
def rewritten(draw: st.DrawFn, streams: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Draw a stream of events and the same in another form: line ends, comments, fields and a mark at the start."""
    stream = draw(st.sampled_from(streams))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    comments = draw(st.lists(st.sampled_from([b": ping", b":", b"id: 7", b"retry: 10", b"x", b"data2: y"]), max_size=5))
    lines = stream.split(b"\n")
    for number, comment in enumerate(comments):
        lines.insert((number * 7919) % len(lines), comment)
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return stream, mark + end.join(lines)


@st.composite
def reframed(draw: st.DrawFn, streams: tuple[tuple[bytes, ...], ...]) -> bytes:
    """Draw AWS frames whose sums are right and whose payloads are not what they should be."""
    frames = []
    for frame in draw(st.sampled_from(streams)):
        head = int.from_bytes(frame[4:8])
        headers, payload = frame[12 : 12 + head], frame[12 + head : -4]
        if draw(st.booleans()):
            with_value = draw(mutated_json((json.loads(payload),)))
            payload = json.dumps(with_value).encode()
        kind = re.search(rb":event-type\x07..([A-Za-z]+)", headers, re.DOTALL)
        names = [kind[1].decode() if kind else "metadata", "messageStop", "internalServerException", "other"]
        name = draw(st.sampled_from([names[0]] * 6 + names))
        message = draw(st.sampled_from(["event"] * 8 + ["exception", "error", "other"]))
        extra = {":exception-type": "throttlingException"} if message == "exception" else {}
        written = {":event-type": name, ":content-type": "application/json", ":message-type": message, **extra}
        frames.append(event_frame(written, payload))
    return b"".join(frames)


@st.composite
def reevented(draw: st.DrawFn, streams: tuple[tuple[bytes, ...], ...]) -> bytes:
    """Draw a stream of events whose data is JSON and not what it should be."""
    events = []
    for event in draw(st.sampled_from(streams)):
        head, mark, data = event.partition(b"data: ")
        if mark and draw(st.integers(0, 2)) == 0 and data.strip().startswith(b"{"):
            value = draw(mutated_json((json.loads(data),)) | json_values())
            data = json.dumps(value).encode() + b"\n\n"
        events += [head + mark + data] * draw(st.sampled_from([1, 1, 1, 0, 2]))
    return b"".join(events)


def _properties(provider: Provider, run: Callable[[Any], Any]) -> Iterator[Property | Growth]:
    name = provider.spoken.type_name.removeprefix("conversation.")
    streams = tuple(b"".join(pieces) for pieces in provider.streams)
    places = st.lists(st.integers(0, 5000), max_size=8)

    def stream(example: tuple[bytes, list[int]]) -> str:
        return _outcome(run(provider.streamed(_cut(*example))))

    def same(example: tuple[tuple[bytes, bytes], list[int]]) -> str:
        (source, written), cut = example
        found = run(provider.streamed(_cut(written, cut)))
        assert found == provider.expected(source), found
        return "as the whole"

    def whole(body: bytes) -> str:
        return _outcome(run(provider.answered(body)))

    wholes = tuple(json.loads(one) for one in provider.wholes)
    same_streams = st.sampled_from(streams).map(lambda one: (one, one))
    other = reframed(provider.streams) if provider.spoken.framed else reevented(provider.streams)
    forms = same_streams if provider.spoken.framed else rewritten(streams)
    yield Property(f"{name}: a valid stream, cut and written anyhow", st.tuples(forms, places), same, 10, True, 5)
    yield Property(f"{name}: streams, edited", st.tuples(edited(streams, SIGNS), places), stream, 10, True, 8)
    yield Property(f"{name}: streams of other values", st.tuples(other, places), stream, 10, True, 10)
    bodies = mutated_json(wholes).map(lambda one: json.dumps(one).encode()) | edited(provider.wholes, SIGNS)
    yield Property(f"{name}: bodies, edited", bodies, whole, 10, True, 8)


def _parsed(data: bytes, size: int) -> list[bytes]:
    parser = EventParser()
    events: list[bytes] = []
    try:
        for start in range(0, len(data), size):
            events += parser.feed(data[start : start + size])
    except ProviderError:
        assert len(data) > LARGEST_EVENT
    return [*events, parser.rest()]


SHAPES: Mapping[str, Callable[[int], bytes]] = {
    "a line that never ends": lambda n: b"data: " + b"x" * n,
    "empty data lines": lambda n: b"data:\n" * (n // 6),
    "data lines of one event": lambda n: b"data: x\n" * (n // 8),
    "events": lambda n: b"data: x\n\n" * (n // 9),
    "comments": lambda n: b":\n" * (n // 2),
    "line ends": lambda n: b"\n" * n,
    "carriage returns": lambda n: b"\r" * n,
}


def _long(provider: Provider) -> Mapping[str, Callable[[int], list[bytes]]]:
    """Long replies in the provider's own form: its second event again and again."""
    _, second, *_ = provider.streams[0]
    call = provider.streams[1]
    middle = call[len(call) // 2]
    return {
        "pieces of text": lambda n: [*provider.streams[0][:2], *[second] * n, *provider.streams[0][2:]],
        "pieces of a call": lambda n: [*call[: len(call) // 2], *[middle] * n, *call[len(call) // 2 :]],
        "deep JSON": lambda n: [b"data: " + b'{"a":' * n + b"1" + b"}" * n + b"\n\n"],
    }


@asynccontextmanager
async def _provided() -> AsyncGenerator[list[Provider], None]:
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


@contextmanager
def target() -> Iterator[list[Property | Growth]]:
    """Give the properties of every provider's reader."""
    with asyncio.Runner() as runner:
        opened = _provided()
        providers = runner.run(opened.__aenter__())
        try:
            found: list[Property | Growth] = []
            for provider in providers:
                found += _properties(provider, runner.run)
                if provider.spoken.type_name.endswith((".openai", ".anthropic", ".bedrock")):
                    name = provider.spoken.type_name.removeprefix("conversation.")
                    for shape, make in _long(provider).items():

                        def work(pieces: list[bytes], provider: Provider = provider) -> object:
                            return runner.run(provider.streamed([b"".join(pieces)]))

                        found.append(Growth(f"{name}, growing: {shape}", make, work, 1_000))
            for shape, line in SHAPES.items():
                for size in (65_536, 64):
                    work_on = f"events in pieces of {size:,}, growing: {shape}"
                    found.append(Growth(work_on, line, partial(_parsed, size=size), 1 << 20))
            yield found
        finally:
            runner.run(opened.__aexit__(None, None, None))
