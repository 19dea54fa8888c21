"""The last host step before a provider."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield import (
    Build,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    InvalidParameters,
    InvokeError,
    Message,
    ProviderError,
    ProviderTimeout,
    ResponseFormat,
    Result,
    ScrubberMissing,
    Settings,
    TextPart,
    Tool,
    Usage,
)
from jackfield.catalog.builder import redactor
from jackfield.chain.limits import Limits
from jackfield.chain.provider import ProviderHandler
from jackfield.chain.wishes import one_conversation, scrub_wishes

SECRET = "sk-very-secret"


def make(cls: type[Conversation[Any]], limits: Limits | None = None) -> ProviderHandler:
    build = Build(name="c", type_name="conversation.c", settings=Settings())
    return ProviderHandler(cls(build), limits=limits, redact=redactor([SECRET]))


def ask(*, stream: bool = False, scrub: bool = False, scrub_reply: bool = False) -> ConversationRequest:
    message = Message(role="user", parts=(TextPart("hi"),), scrub=scrub)
    return ConversationRequest(component="c", messages=(message,), stream=stream, scrub_reply=scrub_reply)


def run(
    handler: Callable[[ConversationRequest], AsyncGenerator[Event, None]], request: ConversationRequest
) -> list[Event]:
    async def main() -> list[Event]:
        return [event async for event in handler(request)]

    return asyncio.run(main())


class Whole(Conversation[Settings]):
    async def converse(self, request: ConversationRequest) -> Result:
        return Result.of_text("whole", model="m", usage=Usage(1, 2, 3))


class Streaming(Conversation[Settings]):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("who"))
        yield Delta(TextPart("le"))
        yield Finish("stop", model="m")
        yield Usage(1, 2, 3)


@pytest.mark.parametrize("cls", [Whole, Streaming])
def test_either_form_of_provider_gives_either_form_of_reply(cls: type[Conversation[Any]]) -> None:
    """A provider that has one form serves both, and the record knows model and tokens."""
    handler = make(cls)
    unary, streamed = ask(), ask(stream=True)

    assert [Result.of_text("whole", model="m", usage=Usage(1, 2, 3))] == run(handler, unary)
    events = run(handler, streamed)
    assert (
        "".join(event.part.text for event in events if isinstance(event, Delta) and isinstance(event.part, TextPart))
        == "whole"
    )
    assert [Finish("stop", model="m"), Usage(1, 2, 3)] == events[-2:]
    for request in (unary, streamed):
        record = request.record
        assert (
            record.served_by,
            record.model,
            record.prompt_tokens,
            record.completion_tokens,
            record.attempts,
        ) == ("c", "m", 1, 2, 1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("scrub", "scrub_reply"), [(True, False), (False, True), (True, True)])
def test_a_wish_to_scrub_that_nobody_fulfilled_is_refused(stream: bool, scrub: bool, scrub_reply: bool) -> None:
    """Nothing passes unscrubbed: the error names the package to install."""
    with pytest.raises(ScrubberMissing, match="install jackfield-presidio"):
        run(make(Whole), ask(stream=stream, scrub=scrub, scrub_reply=scrub_reply))


@pytest.mark.parametrize("direction", ["input", "output", "both"])
def test_a_manifests_wish_to_scrub_counts_like_a_requests(direction: str) -> None:
    """ScrubPII in the manifest marks requests that ask for nothing."""
    with pytest.raises(ScrubberMissing):
        run(scrub_wishes(direction)(make(Whole)), ask())


def test_no_wish_in_the_manifest_costs_no_stage() -> None:
    """Without scrubPII the stage returns the handler itself."""
    handler = make(Whole)

    assert scrub_wishes(None)(handler) is handler


def test_a_provider_that_does_not_declare_it_is_not_asked_to_answer_each_input() -> None:
    """A model gets all inputs as one conversation, whatever the front end would allow."""
    asked: list[bool] = []

    class Asked(Conversation[Settings]):
        async def converse(self, request: ConversationRequest) -> Result:
            asked.append(request.answer_each_input)
            return Result.of_text("ok")

    for stream in (False, True):
        run(one_conversation(make(Asked)), replace(ask(stream=stream), answer_each_input=True))

    assert asked == [False, False]


class Failing(Conversation[Settings]):
    async def converse(self, request: ConversationRequest) -> Result:
        raise ProviderError(f"key {SECRET} was refused", status=401)


def test_secrets_are_taken_out_of_a_providers_words() -> None:
    """The caller gets the provider's status and text with every configured secret replaced."""
    with pytest.raises(ProviderError, match="key \\*\\*\\* was refused") as caught:
        run(make(Failing), ask())

    assert caught.value.status == 401
    assert str(caught.value) == "failed conversing with component c: key *** was refused"
    assert SECRET not in repr(caught.value)


class Faulty(Conversation[Settings]):
    async def converse(self, request: ConversationRequest) -> Result:
        raise KeyError(f"{SECRET} and the text of a message")


def test_a_fault_of_a_plugin_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception reaches caller and log by its kind and place alone."""
    with caplog.at_level(logging.ERROR), pytest.raises(InvokeError, match="Faulty raised KeyError") as caught:
        run(make(Faulty), ask())

    told = str(caught.value) + "".join(str(vars(record)) for record in caplog.records)
    assert SECRET not in told
    assert "text of a message" not in told
    assert any("test_provider.py" in vars(record)["at"] for record in caplog.records)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, asyncio.CancelledError])
def test_a_plugin_can_end_neither_the_host_nor_its_tasks(error: type[BaseException], stream: bool) -> None:
    """A plugin that lets SystemExit out, or the CancelledError of a task of its own, has failed at one request."""

    class Leaving(Conversation[Settings]):
        async def converse(self, request: ConversationRequest) -> Result:
            raise error

    with pytest.raises(InvokeError, match=f"Leaving raised {error.__name__}"):
        run(make(Leaving), ask(stream=stream))


def test_a_request_that_is_cancelled_stays_cancelled() -> None:
    """The cancellation of the host's own task is nobody's fault and passes through."""

    class Waiting(Conversation[Settings]):
        async def converse(self, request: ConversationRequest) -> Result:
            begun.set()
            return await asyncio.Event().wait()  # type: ignore[return-value]

    begun = asyncio.Event()

    async def main() -> None:
        reply = asyncio.ensure_future(anext(make(Waiting)(ask())))
        await begun.wait()
        reply.cancel()
        await asyncio.wait([reply])
        assert reply.cancelled()

    asyncio.run(main())


class Unfinished(Conversation[Settings]):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("half"))


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_without_a_finish_is_an_error(stream: bool) -> None:
    """A provider that stops in the middle never looks like one that has finished."""
    with pytest.raises(ProviderError, match="ended before it was finished"):
        run(make(Unfinished), ask(stream=stream))


class Hanging(Conversation[Settings]):
    closed = 0

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        try:
            yield Delta(TextPart("first"))
            await asyncio.Event().wait()
        finally:
            type(self).closed += 1


@pytest.mark.parametrize(("stream", "text"), [(False, "no reply within 50ms"), (True, "no further event within 50ms")])
def test_the_manifests_timeout_ends_the_providers_work(stream: bool, text: str) -> None:
    """When the limit runs out the caller is told which one, and the provider's generator is closed."""
    Hanging.closed = 0

    with pytest.raises(ProviderTimeout, match=text):
        run(make(Hanging, Limits(timeout=0.05)), ask(stream=stream))

    assert Hanging.closed == 1


def test_a_reader_that_takes_its_time_is_no_timeout() -> None:
    """The limit is on the provider: a slow reader of the events doesn't trip it."""

    async def main() -> list[Event]:
        events = []
        async for event in make(Streaming, Limits(timeout=0.05))(ask(stream=True)):
            await asyncio.sleep(0.06)  # longer than the limit, on the reader's side
            events.append(event)
        return events

    assert len(asyncio.run(main())) == 4


def test_max_concurrency_lets_no_more_in() -> None:
    """With maxConcurrency 2, five requests never run more than two at once, and all are answered."""
    running: list[int] = [0, 0]

    class Counting(Conversation[Settings]):
        async def converse(self, request: ConversationRequest) -> Result:
            running[0] += 1
            running[1] = max(running)
            for _ in range(5):
                await asyncio.sleep(0)
            running[0] -= 1
            return Result.of_text("ok")

    async def main() -> None:
        handler = make(Counting, Limits(max_concurrency=2))

        async def one() -> None:
            async for _ in handler(ask()):
                pass

        await asyncio.gather(*(one() for _ in range(5)))

    asyncio.run(main())
    assert running == [0, 2]


class Taking(Whole):
    takes_extra = True


@pytest.mark.parametrize("stream", [False, True])
def test_what_a_provider_has_no_place_for_is_refused_by_name(stream: bool) -> None:
    """Members that no field models reach a provider that sends them on; any other refuses them, and says which."""
    request = replace(ask(stream=stream), extra={"verbosity": "low", "effort": "high"})

    assert run(make(Taking), request)
    with pytest.raises(InvalidParameters, match=r"c: invalid params: effort, verbosity: .* leave it out"):
        run(make(Whole), request)
    assert run(make(Whole), replace(request, extra={}))


class Plain(Whole):
    lacks = dict.fromkeys(["structured_output", "tools", "usage"], "it only repeats")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"tools": (Tool(name="f"),)}, "tools"),
        ({"tools": (Tool(name="f"),), "tool_choice": "required"}, "tools"),
        ({"response_format": ResponseFormat(schema=None)}, "structured output"),
    ],
)
def test_what_a_type_lacks_is_refused_and_never_left_out(stream: bool, wish: dict[str, Any], name: str) -> None:
    """The text says what there isn't and why; what is not wished for, and other types, are not affected."""
    request = replace(ask(stream=stream), **wish)

    with pytest.raises(InvalidParameters, match=f"provider has no {name}: it only repeats"):
        run(make(Plain), request)
    assert run(make(Whole), request)
    assert run(make(Plain), replace(request, tool_choice="none", response_format=None))


def test_whom_a_request_is_for_is_left_out_where_a_provider_has_no_place_for_it() -> None:
    """A caller who names its user to every provider is not refused; the record says once that it had no effect."""
    request = replace(ask(), extra={"user": "u1"})

    assert run(make(Whole), request)
    assert run(make(Whole), request)
    assert request.record.ignored == ("user",)
