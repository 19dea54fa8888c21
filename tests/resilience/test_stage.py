"""The resilience stage around a provider's handler: repeats, time limits and breakers, unary and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest

from jackfield.chain.handler import Handler
from jackfield.chain.limits import Limits
from jackfield.chain.provider import ProviderHandler
from jackfield.chain.unary import unary
from jackfield.components import Build, Conversation
from jackfield.errors import BreakerOpen, InvalidParameters, Overloaded, ProviderError, ProviderTimeout, RequestError
from jackfield.events import Delta, Event, Finish, Result, Usage
from jackfield.messages import ConversationRequest, Message, Record, TextPart
from jackfield.resilience.breaker import Breaker, BreakerState
from jackfield.resilience.definitions import BreakerPolicy, RetryPolicy, TimeoutPolicy
from jackfield.resilience.holder import ArmedPlan, Holder
from jackfield.resilience.stage import resilience_stage
from jackfield.resilience.timing import Timing
from jackfield.resilience.trip import compile_trip
from jackfield.settings import Settings

FORMS = pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])
DOWN = ProviderError("down", status=503)
EVENTS: tuple[Event, ...] = (Delta(TextPart("a")), Delta(TextPart("b")), Finish("stop"), Usage())


@dataclass
class Script:
    """What a provider does, call by call; the last one for ever.

    Attributes:
        calls: an error to raise, None to answer, or a number of events after which to hang.
        made: how many calls there were.
        cancelled: set when a call was cancelled.
    """

    calls: Sequence[RequestError | int | None]
    made: int = 0
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self) -> int | None:
        call = self.calls[min(self.made, len(self.calls) - 1)]
        self.made += 1
        if isinstance(call, Exception):
            raise call
        return call

    async def hang(self) -> None:
        self.hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


class Scripted(Conversation[Settings]):
    """A provider that does what its script says."""

    script: Script

    async def converse(self, request: ConversationRequest) -> Result:
        if self.script.next() is not None:
            await self.script.hang()
        return Result.of_text("ab")

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        passing = self.script.next()
        for event in EVENTS[:passing]:
            yield event
        if passing is not None:
            await self.script.hang()


@dataclass
class World:
    """A chain of the stage and a scripted provider."""

    script: Script
    holder: Holder
    handler: Handler
    slept: list[float]
    now: list[float]


def world(*calls: RequestError | int | None, **plan: Any) -> World:
    """Build a chain; sleeping moves the clock and takes no time."""
    slept, now = [], [0.0]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    timing = Timing(clock=lambda: now[0], sleep=sleep, chance=lambda: 0.5)
    component = Scripted(Build("llm", "conversation.scripted", Settings()))
    component.script = Script(calls)
    holder = Holder("llm", timing=timing)
    policy = plan.pop("breaker", None)
    if plan.keys() & {"timeout", "retry"} or policy:
        breaker = Breaker(policy, "llm", timing.clock) if policy else None
        holder.plan = ArmedPlan(plan.get("timeout"), plan.get("retry"), breaker)
    handler = resilience_stage(holder)(ProviderHandler(component, limits=plan.get("limits"), redact=str))
    return World(component.script, holder, handler, slept, now)


def request(*, stream: bool) -> ConversationRequest:
    """Any request."""
    return ConversationRequest(
        component="llm", messages=(Message(role="user", parts=(TextPart("hello"),)),), stream=stream, record=Record()
    )


async def ask(one: World, *, stream: bool, asked: ConversationRequest | None = None) -> list[Event]:
    """Ask for a reply, and give all its events."""
    asked = asked or request(stream=stream)
    if not stream:
        return [await unary(one.handler)(asked)]
    async with aclosing(one.handler(asked)) as events:
        return [event async for event in events]


def expected(*, stream: bool) -> list[Event]:
    """The reply."""
    return list(EVENTS) if stream else [Result.of_text("ab")]


RETRY = RetryPolicy("retry", duration=3.0, max_retries=2)
BREAKER = BreakerPolicy("cb", timeout=10.0, trip=compile_trip("consecutiveFailures >= 2"))
TIMEOUT = TimeoutPolicy("fast", 0.02)


@FORMS
def test_a_call_that_fails_is_made_again(stream: bool) -> None:
    """The reply is that of the attempt that succeeds, and the record counts all of them."""

    async def main() -> None:
        one = world(DOWN, DOWN, None, retry=RETRY)
        asked = request(stream=stream)
        assert await ask(one, stream=stream, asked=asked) == expected(stream=stream)
        assert (one.script.made, one.slept, asked.record.attempts) == (3, [3.0, 3.0], 3)

    asyncio.run(main())


@FORMS
def test_after_the_last_repeat_the_last_error_is_the_answer(stream: bool) -> None:
    """There are maxRetries repeats and no more."""

    async def main() -> None:
        one = world(DOWN, DOWN, ProviderError("the last", status=500), retry=RETRY)
        with pytest.raises(ProviderError, match="the last"):
            await ask(one, stream=stream)
        assert one.script.made == 3

    asyncio.run(main())


@FORMS
def test_a_request_that_is_wrong_is_not_repeated_and_not_counted(stream: bool) -> None:
    """It is called once, its error comes at once, and the breaker knows nothing of it."""

    async def main() -> None:
        one = world(InvalidParameters("wrong"), retry=RETRY, breaker=BREAKER)
        for _ in range(5):
            with pytest.raises(InvalidParameters):
                await ask(one, stream=stream)
        assert (one.script.made, one.slept) == (5, [])

    asyncio.run(main())


def test_nothing_is_repeated_after_the_first_event() -> None:
    """What has left can't be taken back: a stream that breaks later ends with its error."""

    async def main() -> None:
        one = world(None, retry=RETRY)

        async def broken(_: ConversationRequest) -> AsyncGenerator[Event, None]:
            one.script.made += 1
            yield EVENTS[0]
            raise DOWN

        handler = resilience_stage(one.holder)(broken)
        seen: list[Event] = []
        with pytest.raises(ProviderError):
            async with aclosing(handler(request(stream=True))) as events:
                async for event in events:
                    seen.append(event)  # noqa: PERF401  what came before the error counts
        assert (seen, one.script.made, one.slept) == ([EVENTS[0]], 1, [])

    asyncio.run(main())


@FORMS
def test_an_open_breaker_answers_without_a_call_and_is_not_retried(stream: bool) -> None:
    """Each attempt counts; when the breaker opens within a request's own repeats, they end."""

    async def main() -> None:
        one = world(DOWN, retry=RetryPolicy("retry", duration=1.0), breaker=BREAKER)
        with pytest.raises(BreakerOpen):
            await ask(one, stream=stream)
        assert (one.script.made, one.slept) == (2, [1.0, 1.0])
        with pytest.raises(BreakerOpen, match=r"circuit breaker is open: cb-llm"):
            await ask(one, stream=stream)
        assert one.script.made == 2

    asyncio.run(main())


@FORMS
def test_a_reply_closes_a_half_open_breaker(stream: bool) -> None:
    """A trial call that succeeds brings the component back."""

    async def main() -> None:
        one = world(DOWN, DOWN, None, breaker=BREAKER)
        for _ in range(2):
            with pytest.raises(ProviderError):
                await ask(one, stream=stream)
        one.now[0] = 10.0
        assert await ask(one, stream=stream) == expected(stream=stream)
        assert state(one) is BreakerState.CLOSED

    asyncio.run(main())


def state(one: World) -> BreakerState:
    """The breaker's state."""
    assert one.holder.plan is not None
    assert one.holder.plan.breaker is not None
    return one.holder.plan.breaker.state


@FORMS
def test_a_time_limit_bounds_each_attempt(stream: bool) -> None:
    """The call is cancelled, the error names the policy, and the next attempt has the whole time again."""

    async def main() -> None:
        one = world(0, 0, None, retry=RETRY, timeout=TIMEOUT)
        assert await ask(one, stream=stream) == expected(stream=stream)
        assert one.script.made == 3
        assert one.script.cancelled.is_set()
        one = world(0, timeout=TIMEOUT)
        with pytest.raises(ProviderTimeout, match=r"no .* within 20ms, the timeout fast of a Resiliency manifest"):
            await ask(one, stream=stream)

    asyncio.run(main())


@FORMS
def test_a_call_that_got_no_place_says_nothing_about_the_provider(stream: bool) -> None:
    """Those that wait till their time is over have met a busy component; the one that runs too long is a failure."""

    async def run() -> None:
        one = world(0, limits=Limits(max_concurrency=1), timeout=TIMEOUT, breaker=BREAKER)
        slow = one.holder.plan
        one.holder.plan = None
        running = asyncio.create_task(ask(one, stream=stream))
        await one.script.hanging.wait()
        one.holder.plan = slow
        errors = await asyncio.gather(*(ask(one, stream=stream) for _ in range(8)), return_exceptions=True)
        assert {type(error) for error in errors} == {Overloaded}
        assert "maxConcurrency" in str(errors[0])
        assert slow is not None
        assert slow.breaker is not None
        assert (slow.breaker.state, one.script.made) == (BreakerState.CLOSED, 1)
        running.cancel()
        await asyncio.wait([running])
        for _ in range(2):
            with pytest.raises(ProviderTimeout):
                await ask(one, stream=stream)
        assert slow.breaker.state is BreakerState.OPEN

    asyncio.run(run())


def test_a_time_limit_bounds_each_gap_of_a_stream_and_not_its_reader() -> None:
    """A reader may take its time between two events; a provider may not."""

    async def main() -> None:
        one = world(2, timeout=TIMEOUT)
        seen = 0
        with pytest.raises(ProviderTimeout, match="no further event within 20ms"):
            async with aclosing(one.handler(request(stream=True))) as events:
                async for _ in events:
                    seen += 1
                    await asyncio.sleep(0.05)  # longer than the limit
        assert seen == 2
        assert one.script.cancelled.is_set()

    asyncio.run(main())


def test_a_routers_time_limit_is_over_with_the_first_event() -> None:
    """It bounds the wait for the first event over all targets; each target bounds its own gaps."""

    async def main() -> None:
        one = world(1, timeout=TIMEOUT)
        one.holder.is_router = True
        async with aclosing(one.handler(request(stream=True))) as events:
            assert await anext(events) == EVENTS[0]
            waiting = asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
            waiting.cancel()
            await asyncio.wait([waiting])

    asyncio.run(main())


@FORMS
def test_a_client_that_leaves_ends_the_request_at_once(stream: bool) -> None:
    """While a call runs and while a repeat is awaited: no further call, and nothing counted."""

    async def main() -> None:
        one = world(0, retry=RetryPolicy("retry"), breaker=BREAKER)
        task = asyncio.ensure_future(ask(one, stream=stream))
        await one.script.hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert one.script.cancelled.is_set()

        waits = world(DOWN, retry=RetryPolicy("retry"), breaker=BREAKER)
        sleeping = asyncio.Event()

        async def sleep(_: float) -> None:
            sleeping.set()
            await asyncio.Event().wait()

        waits.holder.timing = waits.holder.timing._replace(sleep=sleep)
        task = asyncio.ensure_future(ask(waits, stream=stream))
        await sleeping.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waits.script.made == 1
        assert (state(one), state(waits)) == (BreakerState.CLOSED, BreakerState.CLOSED)

    asyncio.run(main())


@pytest.mark.parametrize(("events", "after"), [(1, "open"), (3, "closed")])
def test_a_reader_that_leaves_counts_only_once_the_provider_has_finished(events: int, after: str) -> None:
    """Two failures in a row open the breaker: a reply left in the middle doesn't part them, a finished one does."""

    async def main() -> None:
        one = world(DOWN, None, DOWN, breaker=BREAKER)
        with pytest.raises(ProviderError):
            await ask(one, stream=True)
        async with aclosing(one.handler(request(stream=True))) as reply:
            for _ in range(events):
                await anext(reply)
        with pytest.raises(ProviderError):
            await ask(one, stream=True)
        assert state(one).value == after

    asyncio.run(main())


def test_a_trial_call_has_succeeded_with_its_first_event() -> None:
    """A reader that stalls keeps nobody else out, and what happens to its reply later changes nothing."""

    async def main() -> None:
        one = world(DOWN, DOWN, 1, None, breaker=BREAKER)
        for _ in range(2):
            with pytest.raises(ProviderError):
                await ask(one, stream=True)
        one.now[0] = 10.0
        async with aclosing(one.handler(request(stream=True))) as reply:
            await anext(reply)
            assert state(one) is BreakerState.CLOSED
            assert await ask(one, stream=True) == list(EVENTS)
        assert state(one) is BreakerState.CLOSED

    asyncio.run(main())


@FORMS
def test_a_request_keeps_the_plan_that_it_began_with(stream: bool) -> None:
    """A reload in the middle of a request's repeats concerns later requests."""

    async def main() -> None:
        one = world(DOWN, DOWN, None, retry=RETRY)

        async def sleep(_: float) -> None:
            one.holder.plan = None

        one.holder.timing = one.holder.timing._replace(sleep=sleep)
        assert await ask(one, stream=stream) == expected(stream=stream)
        with pytest.raises(ProviderError):
            await ask(world(DOWN), stream=stream)

    asyncio.run(main())


def test_without_a_plan_the_inner_handler_answers_itself() -> None:
    """The stage costs two attribute look-ups then: it hands out what the handler further in has made."""
    one = world(None)
    asked = request(stream=True)
    made: list[Any] = []

    def remembering(call: Callable[[ConversationRequest], Any]) -> Callable[[ConversationRequest], Any]:
        def handle(request: ConversationRequest) -> Any:
            made.append(call(request))
            return made[-1]

        return handle

    async def main() -> None:
        handler = resilience_stage(one.holder)(remembering(one.handler))
        events = handler(asked)
        assert events is made[0]
        await events.aclose()

    asyncio.run(main())


def test_the_unary_form_of_a_streamless_request_is_its_only_event() -> None:
    """A stage further out may iterate a request without stream: it gets the one result."""

    async def main() -> None:
        one = world(DOWN, None, retry=RETRY)
        async with aclosing(one.handler(request(stream=False))) as events:
            assert [event async for event in events] == [Result.of_text("ab")]

    asyncio.run(main())
