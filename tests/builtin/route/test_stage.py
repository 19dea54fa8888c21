"""The route stage: when the next target is asked, and what a caller is told if none can answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

import pytest

from jackfield import (
    BreakerOpen,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    Handler,
    InvalidParameters,
    InvokeError,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    Record,
    RequestError,
    Result,
    RoutingStrategy,
    ScrubberMissing,
    Target,
    TextPart,
)
from jackfield.builtin.route.cooldown import Cooldown
from jackfield.builtin.route.stage import RouteHandler
from jackfield.builtin.route.strategies import Fallback

FORMS = pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])


class Chains:
    """Chains of targets, which take down what they are asked.

    Args:
        errors: what a target fails with, by its name; all others answer with their name.
        late: targets that fail after their first event.
    """

    def __init__(self, late: Iterable[str] = (), **errors: BaseException) -> None:
        self.asked: list[ConversationRequest] = []
        self.closed: list[str] = []
        self.errors = dict(errors)
        self.late = set(late)

    @property
    def names(self) -> list[str]:
        """The targets that were asked."""
        return [request.component for request in self.asked]

    def handler(self, name: str) -> Handler:
        """The chain of one target."""

        async def handle(request: ConversationRequest) -> AsyncGenerator[Event, None]:
            self.asked.append(request)
            try:
                if name in self.errors and name not in self.late:
                    raise self.errors[name]
                if not request.stream:
                    yield Result.of_text(name)
                    return
                yield Delta(TextPart(name))
                if name in self.errors:
                    raise self.errors[name]
                yield Finish("stop")
            finally:
                self.closed.append(name)

        return handle

    def router(
        self, *targets: str | Target, strategy: RoutingStrategy | None = None, ttl: float | None = None
    ) -> RouteHandler:
        """A router over such targets."""
        listed = [Target(target) if isinstance(target, str) else target for target in targets]
        return RouteHandler(
            "front",
            {target: self.handler(target.name) for target in listed},
            strategy or Fallback({}),
            strategy_name="test",
            default_cache_ttl=ttl,
            cooldown=Cooldown(lambda: 0.0),
        )


def ask(router: Handler, *, stream: bool = False, **fields: object) -> str:
    """Ask a router, and give the text of the reply."""
    request = ConversationRequest(component="front", messages=(), stream=stream, **fields)  # type: ignore[arg-type]

    async def gather() -> str:
        text = ""
        async with aclosing(router(request)) as events:
            async for event in events:
                if isinstance(event, Result):
                    text += event.choices[0].text
                elif isinstance(event, Delta):
                    assert isinstance(event.part, TextPart)
                    text += event.part.text
        return text

    return asyncio.run(gather())


GOES_ON = {
    "unreachable": ProviderUnreachable("gone"),
    "timeout": ProviderTimeout("late"),
    "breaker": BreakerOpen("open"),
    "overloaded": Overloaded("full"),
    "nonsense": ProviderError("what?"),
    **{str(status): ProviderError("no", status=status) for status in (408, 429, 500, 502, 503, 504, 529)},
}
STOPS = {
    "parameters": InvalidParameters("n must be 1"),
    "scrubber": ScrubberMissing("install one"),
    "fault": InvokeError("a plugin's fault"),
    "other": RequestError("something"),
    **{str(status): ProviderError("no", status=status) for status in (302, 400, 401, 403, 404, 409, 413, 422)},
}


@FORMS
@pytest.mark.parametrize("kind", GOES_ON)
def test_the_next_target_is_asked_after(kind: str, *, stream: bool) -> None:
    """A target that couldn't answer is followed by the next, and the caller notices nothing."""
    chains = Chains(a=GOES_ON[kind])
    assert ask(chains.router("a", "b", "c"), stream=stream) == "b"
    assert chains.names == chains.closed == ["a", "b"]


@FORMS
@pytest.mark.parametrize("kind", STOPS)
def test_no_other_target_is_asked_after(kind: str, *, stream: bool) -> None:
    """A request that is wrong stays so elsewhere: the caller gets the error as it came."""
    error = STOPS[kind]
    chains, detail = Chains(a=error), error.detail
    with pytest.raises(type(error)) as raised:
        ask(chains.router("a", "b"), stream=stream)
    assert raised.value is error
    assert chains.names == ["a"]
    assert (error.component, error.detail) == ("a", detail)


@FORMS
def test_a_fault_that_is_no_request_error_stops_too(*, stream: bool) -> None:
    """What a stage lets out against the rules is not taken for a provider's trouble."""
    chains = Chains(a=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        ask(chains.router("a", "b"), stream=stream)
    assert chains.names == ["a"]


@FORMS
def test_the_last_error_tells_who_was_tried(*, stream: bool) -> None:
    """It keeps its kind and the provider's status, and names the targets in the order in which they were asked."""
    chains = Chains(a=ProviderUnreachable("gone"), b=ProviderError("busy", status=503, retry_after=7))
    with pytest.raises(ProviderError) as raised:
        ask(chains.router("a", "b"), stream=stream)
    assert (raised.value.status, raised.value.retry_after, raised.value.component) == (503, 7, "b")
    told = "busy (the last of 2 targets that front tried: a, b)"
    assert str(raised.value) == f"failed conversing with component b: {told}"


@FORMS
def test_one_target_alone_fails_with_its_own_words(*, stream: bool) -> None:
    """There is nothing to add to them."""
    with pytest.raises(ProviderTimeout) as raised:
        ask(Chains(a=ProviderTimeout("late")).router("a"), stream=stream)
    assert str(raised.value) == "failed conversing with component a: late"


@pytest.mark.parametrize("error", [ProviderUnreachable("broke"), ProviderError("no", status=503), ProviderTimeout("x")])
def test_after_the_first_event_the_reply_is_committed(error: RequestError) -> None:
    """What has left can't be taken back, so no other target is asked."""
    chains = Chains(late=["a"], a=error)
    with pytest.raises(type(error)):
        ask(chains.router("a", "b"), stream=True)
    assert chains.names == ["a"]


def test_a_reply_that_breaks_counts_as_a_failure() -> None:
    """After three such replies the target cools down, although each has begun."""
    chains = Chains(late=["a"], a=ProviderUnreachable("broke"))
    router = chains.router("a", "b")
    for _ in range(3):
        with pytest.raises(ProviderUnreachable):
            ask(router, stream=True)
    assert ask(router, stream=True) == "b"


@FORMS
def test_a_target_that_cools_down_is_asked_last(*, stream: bool) -> None:
    """The others are asked before it, and it still is asked where they fail."""
    chains = Chains(a=ProviderError("slow down", status=429, retry_after=30))
    router = chains.router("a", "b")
    assert [ask(router, stream=stream) for _ in range(3)] == ["b"] * 3
    assert chains.names == ["a", "b", "b", "b"]
    del chains.errors["a"]
    chains.errors["b"] = ProviderUnreachable("gone")
    assert ask(router, stream=stream) == "a"
    assert ask(router, stream=stream) == "a", "a success ends it"
    assert chains.names[4:] == ["b", "a", "a"]


@FORMS
def test_a_client_that_leaves_ends_it_at_once(*, stream: bool) -> None:
    """The target's call is cancelled and closed, and no other one is asked."""
    asked, closed = asyncio.Event(), []

    async def hang(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        try:
            asked.set()
            await asyncio.Event().wait()
            yield Result.of_text(request.component)
        finally:
            closed.append(request.component)

    router = RouteHandler("front", {Target("a"): hang, Target("b"): hang}, Fallback({}), strategy_name="fallback")

    async def leave() -> None:
        request = ConversationRequest(component="front", messages=(), stream=stream)
        reply = asyncio.ensure_future(anext(router(request)))
        await asked.wait()
        reply.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reply

    asyncio.run(leave())
    assert closed == ["a"]


def test_a_reader_that_stops_closes_the_target() -> None:
    """Closing the router's events closes the target's, and is no failure of it."""
    chains = Chains()
    router = chains.router("a", "b")

    async def stop() -> None:
        async with aclosing(router(ConversationRequest(component="front", messages=(), stream=True))) as events:
            await anext(events)
        assert chains.closed == ["a"]

    for _ in range(3):
        chains.closed.clear()
        asyncio.run(stop())
    assert ask(router, stream=True) == "a"


@FORMS
def test_a_target_gets_the_request_in_its_own_name(*, stream: bool) -> None:
    """It has the target's name and model and the router's default for the cache; all else stays, the record too."""
    chains = Chains(a=ProviderUnreachable("gone"))
    router = chains.router(Target("a", model="small"), "b", ttl=60.0)
    ask(router, stream=stream, model="of the caller", context_id="c", cache_ttl=5.0)
    assert [(one.component, one.model, one.default_cache_ttl) for one in chains.asked] == [
        ("a", "small", 60.0),
        ("b", None, 60.0),
    ]
    assert {(one.context_id, one.cache_ttl, one.stream) for one in chains.asked} == {("c", 5.0, stream)}
    assert chains.asked[0].record is chains.asked[1].record


@pytest.mark.parametrize(
    ("own", "outer", "given"), [(60.0, None, 60.0), (None, 9.0, 9.0), (60.0, 9.0, 60.0), (0.0, 9.0, 0.0)]
)
def test_the_nearest_routers_default_counts(own: float | None, outer: float | None, given: float) -> None:
    """A router that is a target itself has an own ``responseCacheTTL`` or takes the outer one's."""
    chains = Chains()
    ask(chains.router("a", ttl=own), default_cache_ttl=outer)
    assert chains.asked[0].default_cache_ttl == given


@FORMS
def test_a_failed_target_s_cache_is_not_told_of(*, stream: bool) -> None:
    """The next target has no cache, so the record has nothing of the one that missed in the first one's."""

    async def misses(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        request.record.cache, request.record.cache_key, request.record.cache_note = "miss", "digest", "a note"
        raise ProviderUnreachable("gone")
        yield

    targets: dict[Target, Handler] = {Target("a"): misses, Target("b"): Chains().handler("b")}
    record = Record()
    assert ask(RouteHandler("r", targets, Fallback({}), strategy_name="fallback"), stream=stream, record=record) == "b"
    assert (record.cache, record.cache_key, record.cache_note) == ("", "", "")


class Odd(RoutingStrategy):
    """Gives whatever the test says."""

    def __init__(self, answer: object) -> None:
        super().__init__({})
        self.answer = answer

    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Iterable[Target]:
        """Return or raise it."""
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (SystemExit("secret text"), "raised SystemExit, a fault of its plugin; see the host's log"),
        (KeyError("secret text"), "raised KeyError, a fault of its plugin; see the host's log"),
        (None, "raised TypeError, a fault of its plugin; see the host's log"),
        ([["a"]], "raised TypeError, a fault of its plugin; see the host's log"),
        ([], "chose none of the targets"),
        ([Target("elsewhere")], "chose none of the targets"),
    ],
)
def test_a_strategy_that_breaks_the_rules_is_named(answer: object, text: str, caplog: pytest.LogCaptureFixture) -> None:
    """The request fails with the strategy's name, and neither log nor reply holds what it raised."""
    with caplog.at_level(logging.ERROR), pytest.raises(InvokeError) as raised:
        ask(Chains().router("a", "b", strategy=Odd(answer)))
    assert str(raised.value) == f"failed conversing with component front: the routing strategy test {text}"
    assert [(one.__dict__["strategy"], one.__dict__["error"]) for one in caplog.records] == (
        [("test", text.split()[1].rstrip(","))] if "raised" in text else []
    )
    assert "secret text" not in caplog.text


def test_a_strategy_may_refuse_a_request() -> None:
    """Its own ``RequestError`` reaches the caller, under the router's name."""
    with pytest.raises(InvalidParameters) as raised:
        ask(Chains().router("a", strategy=Odd(InvalidParameters("name a tenant"))))
    assert (raised.value.component, raised.value.detail) == ("front", "name a tenant")


def test_a_target_that_is_left_out_is_not_asked() -> None:
    """A strategy decides which targets are asked at all, and each is asked once."""
    chains = Chains(a=ProviderUnreachable("gone"), b=ProviderUnreachable("gone"))
    strategy = Odd([Target("b"), Target("b"), Target("a")])
    with pytest.raises(ProviderUnreachable):
        ask(chains.router("a", "b", "c", strategy=strategy))
    assert chains.names == ["b", "a"]
