"""The scrub stages around a handler: what they mask, and how they fail."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from jackfield import (
    Build,
    Choice,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    Handler,
    InvalidParameters,
    InvokeError,
    Message,
    ReasoningPart,
    Result,
    Scrubber,
    ScrubberMissing,
    ScrubStream,
    Settings,
    Span,
    Supply,
    TextPart,
    ToolCall,
    ToolCallPart,
    Usage,
    unary,
)
from jackfield.builtin.scrub.runner import Runner
from jackfield.builtin.scrub.scrub_in import ScrubIn
from jackfield.builtin.scrub.scrub_out import ScrubOut


class Words(Scrubber[Settings]):
    """Finds words that begin with ``secret``, and notes the threads it was called on."""

    def __init__(self) -> None:
        super().__init__(Build("words", "scrubber.words", Settings()))
        self.threads: set[int] = set()
        self.error: BaseException | None = None
        self.gate: threading.Event | None = None

    def find(self, text: str) -> Sequence[Span]:
        self.threads.add(threading.get_ident())
        if self.gate is not None:
            self.gate.wait(20)
        if self.error is not None:
            raise self.error
        return [Span(found.start(), found.end(), "SECRET") for found in re.finditer(r"secret\w*", text)]


class Lines(Words):
    """Streams: it settles every line."""

    def stream(self) -> ScrubStream | None:
        return _Lines(self)


class _Lines:
    def __init__(self, words: Words) -> None:
        self.words = words
        self.held = ""

    def feed(self, text: str) -> tuple[str, Sequence[Span]]:
        whole, newline, self.held = (self.held + text).rpartition("\n")
        return self._masked(whole + newline)

    def end(self) -> tuple[str, Sequence[Span]]:
        return self._masked(self.held)

    def _masked(self, text: str) -> tuple[str, Sequence[Span]]:
        return re.sub(r"secret\w*", "<SECRET>", text), self.words.find(text)


class Provider:
    """Answers with what it is told to, and notes the requests that reach it."""

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.requests: list[ConversationRequest] = []

    async def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        for event in self.events:
            yield event


def stages(provider: Provider, scrubber: Words, *, supply: Supply[Any] | None = None, limit: float = 10) -> Handler:
    """Put the two stages around a provider."""
    runner = Runner(supply or Supply(scrubber), limit)
    return ScrubIn(ScrubOut(provider, runner), runner)


def asking(*messages: Message, stream: bool = False, reply: bool = True) -> ConversationRequest:
    """Make a request."""
    return ConversationRequest(component="llm", messages=messages, scrub_reply=reply, stream=stream)


def said(text: str, *, scrub: bool = True) -> Message:
    """Make a user's message."""
    return Message(role="user", parts=(TextPart(text),), scrub=scrub)


def streamed(handler: Handler, request: ConversationRequest) -> list[Event]:
    """Collect the events of a streamed reply."""

    async def collect() -> list[Event]:
        return [event async for event in handler(request)]

    return asyncio.run(collect())


async def _answer(handler: Handler, request: ConversationRequest) -> Result:
    return await unary(handler)(request)


def whole(handler: Handler, request: ConversationRequest) -> Result:
    """Ask for a reply in one piece."""
    return asyncio.run(_answer(handler, request))


OK = Result.of_text("ok")


def test_marked_messages_are_masked_in_every_part() -> None:
    """Text, reasoning, tool results and argument values are masked; what isn't marked goes on as it is."""
    provider, scrubber = Provider(OK), Words()
    call = ToolCall("1", "f", '{"secret": "secret1", "n": 1.0}')
    parts = (TextPart("a secret2"), ReasoningPart("secret3", "sig"))
    request = asking(
        Message(role="assistant", parts=parts, tool_calls=(call,), scrub=True),
        Message(role="tool", parts=(TextPart('{"k": "secret4"}'),), tool_call_id="1", scrub=True),
        said("secret5", scrub=False),
        reply=False,
    )
    whole(stages(provider, scrubber), request)
    first, second, third = provider.requests[0].messages
    assert first.parts == (TextPart("a <SECRET>"), ReasoningPart("<SECRET>", "sig"))
    assert first.tool_calls[0].arguments == '{"secret": "<SECRET>", "n": 1.0}'
    assert second.text == '{"k": "<SECRET>"}'
    assert third is request.messages[2]
    assert first.scrubbed == second.scrubbed == (scrubber.digest,)
    assert request.record.entities == {"SECRET": 4}


def test_a_scrubber_that_already_ran_is_skipped() -> None:
    """A message that carries the scrubber's digest isn't scanned again; one that carries another's is."""
    provider, scrubber = Provider(OK), Words()
    done = replace(said("secret"), scrubbed=(scrubber.digest,))
    other = replace(said("secret"), scrubbed=("other",))
    whole(stages(provider, scrubber), asking(done, other))
    assert [message.text for message in provider.requests[0].messages] == ["secret", "<SECRET>"]
    assert (provider.requests[0].reply_scrubber, provider.requests[0].reply_scrubbed) == (scrubber.digest, True)


def test_a_request_that_asks_for_nothing_passes_untouched() -> None:
    """No stage stands between the provider and a request without a mark, and the scrubber isn't started."""

    async def never() -> None:
        pytest.fail("started")

    provider, scrubber = Provider(OK), Words()
    request = asking(said("secret", scrub=False), reply=False)
    handler = stages(provider, scrubber, supply=Supply(scrubber, never))
    assert whole(handler, request) is OK
    assert provider.requests[0] is request


def test_a_whole_reply_is_masked() -> None:
    """An entity that lies across text parts is masked too; a signature passes unchanged."""
    parts = (TextPart("a sec"), ReasoningPart("secret", "sig"), TextPart("ret1 b"))
    result = Result((Choice(parts, (ToolCall("1", "f", '["secret"]'),)),), "m", Usage(1, 2, 3))
    masked = whole(stages(Provider(result), Words()), asking(said("hi")))
    choice = masked.choices[0]
    assert choice.text == "a <SECRET> b"
    assert choice.parts[1] == ReasoningPart("<SECRET>", "sig")
    assert choice.tool_calls == (ToolCall("1", "f", '["<SECRET>"]'),)
    assert (masked.model, masked.usage) == ("m", Usage(1, 2, 3))


STREAM: tuple[Event, ...] = (
    Delta(ReasoningPart("think sec")),
    Delta(ReasoningPart("ret", "sig")),
    Delta(TextPart("one\nsec"), 0),
    Delta(TextPart("secret of the other"), 1),
    Delta(ToolCallPart(0, "id", "f", '["sec')),
    Delta(TextPart("ret two"), 0),
    Delta(ToolCallPart(0, arguments='ret"]')),
    Finish("stop", 0, "m"),
    Finish("stop", 1, "m"),
    Usage(1, 2, 3),
)


@pytest.mark.parametrize("scrubber", [Words, Lines])
def test_a_streamed_reply_is_masked(scrubber: type[Words]) -> None:
    """Each choice's text and reasoning are masked as one text, and its tool calls come whole before its finish."""
    request = asking(said("hi"), stream=True)
    events = streamed(stages(Provider(*STREAM), scrubber()), request)
    parts = [(event.index, event.part) for event in events if isinstance(event, Delta)]
    texts = ["".join(p.text for i, p in parts if i == index and isinstance(p, TextPart)) for index in (0, 1)]
    assert texts == ["one\n<SECRET> two", "<SECRET> of the other"]
    reasoning = [part for _, part in parts if isinstance(part, ReasoningPart)]
    assert "".join(part.text for part in reasoning) == "think <SECRET>"
    assert "".join(part.signature for part in reasoning) == "sig"
    assert [part for _, part in parts if isinstance(part, ToolCallPart)] == [ToolCallPart(0, "id", "f", '["<SECRET>"]')]
    assert events[-1] == Usage(1, 2, 3)
    assert [type(event) for event in events].index(Finish) > events.index(
        Delta(ToolCallPart(0, "id", "f", '["<SECRET>"]'))
    )
    assert request.record.entities == {"SECRET": 4}


def test_a_settled_piece_is_not_held() -> None:
    """What a stream's scrubber has settled leaves before the reply is complete."""
    events = streamed(stages(Provider(*STREAM), Lines()), asking(said("hi"), stream=True))
    assert events.index(Delta(TextPart("one\n"))) < events.index(Finish("stop", 0, "m"))


class Picture(Struct, frozen=True, tag="picture"):
    """A part that the host doesn't know."""

    text: str


class Novelty(Struct, frozen=True, tag="novelty"):
    """An event that the host doesn't know."""


@pytest.mark.parametrize("event", [Delta(cast("Any", Picture("secret"))), Novelty()])
def test_an_unknown_event_of_a_scrubbed_reply_is_an_error(event: Any) -> None:
    """What can't be scrubbed isn't passed on."""
    with pytest.raises(InvokeError, match="can't treat"):
        streamed(stages(Provider(event), Words()), asking(said("hi"), stream=True))


def test_an_unknown_part_of_a_marked_message_is_an_error() -> None:
    """What can't be scrubbed doesn't reach the provider."""
    provider = Provider(OK)
    message = Message(role="user", parts=(cast("Any", Picture("secret")),), scrub=True)
    with pytest.raises(InvokeError, match="can't treat Picture"):
        whole(stages(provider, Words()), asking(message))
    assert not provider.requests


@pytest.mark.parametrize("length", [10, 20_000])
@pytest.mark.parametrize("error", [ValueError("secret text"), SystemExit("secret text"), TimeoutError("secret text")])
def test_a_scrubber_that_breaks_fails_closed(
    error: BaseException, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The request is refused, on the loop and off it, and the exception's text is neither told nor logged."""
    provider, scrubber = Provider(OK), Words()
    scrubber.error = error
    with caplog.at_level(logging.ERROR), pytest.raises(InvokeError) as raised:
        whole(stages(provider, scrubber), asking(said("x" * length)))
    assert type(error).__name__ in raised.value.detail
    assert "secret" not in raised.value.detail
    assert "secret" not in str([vars(record) for record in caplog.records])
    assert caplog.records
    assert not provider.requests


def test_a_denial_is_told_apart_from_a_break() -> None:
    """A scrubber that refuses a text on purpose says so in its own words."""
    scrubber = Words()
    scrubber.error = InvalidParameters("no card numbers here")
    with pytest.raises(InvalidParameters, match="no card numbers here"):
        whole(stages(Provider(OK), scrubber), asking(said("x")))


def test_long_texts_are_scrubbed_off_the_loop() -> None:
    """Short texts are scanned on the loop; more than the limit in sum goes to a thread while the loop turns."""
    scrubber = Words()
    handler = stages(Provider(OK), scrubber)
    whole(handler, asking(said("x" * 16384), reply=False))
    assert scrubber.threads == {threading.get_ident()}
    scrubber.threads.clear()
    gate = scrubber.gate = threading.Event()

    async def both() -> None:
        asking_long = asyncio.ensure_future(_answer(handler, asking(said("x" * 9000), said("y" * 9000), reply=False)))
        asyncio.get_running_loop().call_later(0.01, gate.set)
        await asking_long

    asyncio.run(both())
    assert gate.is_set()
    assert threading.get_ident() not in scrubber.threads


def test_a_scrub_without_end_fails_closed() -> None:
    """Past its time limit a scrub is given up, and nothing is sent."""
    provider, scrubber = Provider(OK), Words()
    gate = scrubber.gate = threading.Event()

    async def ask() -> None:
        try:
            with pytest.raises(InvokeError, match=r"longer than 0\.05s"):
                await _answer(stages(provider, scrubber, limit=0.05), asking(said("x" * 20_000)))
        finally:
            gate.set()

    asyncio.run(ask())
    assert not provider.requests


def test_a_scrubber_that_cannot_start_fails_closed_and_is_tried_again() -> None:
    """The first request is refused; the next has it started."""
    provider, scrubber = Provider(OK), Words()
    failures = [ImportError("gone")]

    async def start() -> None:
        if failures:
            raise failures.pop()

    async def ask() -> None:
        handler = stages(provider, scrubber, supply=Supply(scrubber, start))
        with pytest.raises(ScrubberMissing, match="words could not be started"):
            await _answer(handler, asking(said("secret")))
        assert not provider.requests
        await _answer(handler, asking(said("secret")))

    asyncio.run(ask())
    assert provider.requests[0].messages[0].text == "<SECRET>"


@pytest.mark.parametrize("scrub", [True, False])
def test_what_nobody_modelled_is_masked_with_the_messages(scrub: bool) -> None:
    """Texts of ``extra`` are masked wherever they stand if a message is, and the rest of it stays as it was."""
    provider = Provider(Finish("stop"))
    message = Message(role="user", parts=(TextPart("hi"),), scrub=scrub)
    extra = {"prediction": {"content": ["a secret1"]}, "effort": "low", "many": 12, "none": None}
    request = replace(asking(message, stream=True, reply=False), extra=extra)

    assert streamed(stages(provider, Words()), request) == [Finish("stop")]

    text = "a <SECRET>" if scrub else "a secret1"
    assert provider.requests[0].extra == {**extra, "prediction": {"content": [text]}}
    assert request.record.entities == ({"SECRET": 1} if scrub else {})
