"""Resiliency manifests in a host, before a real provider's server, which counts what it is asked."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from running import component

from jackfield.errors import BreakerOpen, InvokeError, ProviderError, ProviderTimeout, RequestError
from jackfield.events import Delta, Event
from jackfield.host import Host
from jackfield.messages import ConversationRequest, Message, Record, TextPart
from jackfield.options import HostOptions
from jackfield.resilience.breaker import BreakerState
from jackfield.testing import Behaviour, Exchange, FakeUpstream, chat, event_stream, hang

FORMS = pytest.mark.parametrize("stream", [False, True], ids=["unary", "streamed"])
FEW = "retries: {few: {duration: 1ms, maxRetries: 2}}"
TARGETS = "{components: {llm: {outbound: {%s}}}}"


def resiliency(policies: str, outbound: str) -> str:
    """Write a Resiliency manifest."""
    return (
        "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: calm}\n"
        f"spec:\n  policies:\n    {policies}\n  targets: {TARGETS % outbound}\n"
    )


class World:
    """A host with one component, the server that it calls, and a folder to edit."""

    def __init__(self, host: Host, server: FakeUpstream, folder: Path, changed: asyncio.Event) -> None:
        self.host = host
        self.server = server
        self.folder = folder
        self.record = Record()
        self._changed = changed
        self._version = 2

    @property
    def calls(self) -> int:
        """How often the server has been asked."""
        return len(self.server.requests)

    @property
    def breaker(self) -> BreakerState:
        """How the component's breaker stands."""
        (breaker,) = self.host.resilience.breakers
        return breaker.state

    async def ask(self, *, stream: bool = False) -> list[Event]:
        """Ask for a reply, through the component's whole chain."""
        self.record = Record()
        message = Message(role="user", parts=(TextPart("hello"),))
        request = ConversationRequest(component="llm", messages=(message,), stream=stream, record=self.record)
        async with aclosing(self.host.catalog.conversation("llm").handler(request)) as events:
            return [event async for event in events]

    async def fail(self, kind: type[RequestError], *, stream: bool = False) -> RequestError:
        """Ask for a reply that is an error."""
        with pytest.raises(kind) as raised:
            await self.ask(stream=stream)
        return raised.value

    async def edit(self, **files: str) -> None:
        """Write files, and wait until the host has looked at them."""
        self._version += 1
        for name, text in files.items():
            write(self.folder / f"{name}.yaml", text, self._version)
        self._changed.clear()
        self.host.rescan()
        await asyncio.wait_for(self._changed.wait(), 20)

    async def half_open(self) -> None:
        """Wait until the breaker lets a trial call through."""
        while self.breaker is BreakerState.OPEN:
            await asyncio.sleep(0.002)


def write(path: Path, text: str, moment: int = 1) -> None:
    """Write a file that has settled long ago, and is another one than before."""
    path.write_text(text)
    os.utime(path, (moment, moment))


Serving: TypeAlias = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(name="serving")
def _serving(tmp_path: Path) -> Serving:
    """Serve a component and a Resiliency manifest, before a server that behaves so."""

    @asynccontextmanager
    async def serving(behaviour: Behaviour, policies: str, outbound: str, **items: str) -> AsyncGenerator[World, None]:
        changed = asyncio.Event()
        async with FakeUpstream(behaviour) as server:
            llm = component("llm", "conversation.openai", key="k", endpoint=server.endpoint, **items)
            write(tmp_path / "llm.yaml", llm)
            write(tmp_path / "calm.yaml", resiliency(policies, outbound))
            options = HostOptions(folders=(tmp_path,), environment={})
            host = Host(options, stop=lambda _: None, changed=changed.set)
            try:
                await host.start()
                await host.started("llm")
                yield World(host, server, tmp_path, changed)
            finally:
                await host.close()

    return serving


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's coroutine."""

    async def bounded() -> None:
        await asyncio.wait_for(main(), 30)

    asyncio.run(bounded())


def first_failing(number: int, status: int = 503, headers: dict[str, str] | None = None) -> Behaviour:
    """Fail so many times, then answer as usual."""
    left = [number]

    async def answer(exchange: Exchange) -> None:
        if left[0]:
            left[0] -= 1
            await exchange.send(status, {"error": {"message": "not now"}}, headers)
        else:
            await chat(exchange)

    return answer


ALWAYS = 10**6


@FORMS
def test_the_server_is_asked_again(serving: Serving, stream: bool) -> None:
    """Two failures and a reply are three calls, and the record says three attempts."""

    async def main() -> None:
        async with serving(first_failing(2), FEW, "retry: few") as world:
            assert await world.ask(stream=stream)
            assert (world.calls, world.record.attempts) == (3, 3)

    run(main)


@FORMS
def test_the_server_is_asked_no_more_than_maxretries_say(serving: Serving, stream: bool) -> None:
    """The first call and two repeats."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS), FEW, "retry: few") as world:
            error = await world.fail(ProviderError, stream=stream)
            assert (world.calls, error.detail) == (3, "API returned unexpected status code: 503: not now")

    run(main)


STATUSES = [
    ("", 400, 1),
    ("", 401, 1),
    ("", 404, 1),
    ("", 422, 1),
    ("", 429, 3),
    ("", 500, 3),
    ("429,500-502", 429, 3),
    ("429,500-502", 502, 3),
    ("429,500-502", 503, 1),
    ("400", 400, 3),
]


@pytest.mark.parametrize(("codes", "status", "calls"), STATUSES)
def test_the_providers_status_decides(serving: Serving, codes: str, status: int, calls: int) -> None:
    """Wrong requests are sent once; with httpStatusCodes those that are listed are repeated, and no others."""
    matching = f', matching: {{httpStatusCodes: "{codes}"}}' if codes else ""
    policies = FEW.replace("maxRetries: 2", f"maxRetries: 2{matching}")

    async def main() -> None:
        async with serving(first_failing(ALWAYS, status), policies, "retry: few") as world:
            await world.fail(ProviderError)
            assert world.calls == calls

    run(main)


def test_a_server_that_asks_for_a_pause_gets_it(serving: Serving) -> None:
    """Retry-After is waited for up to maxInterval; a longer one ends the request at once."""

    async def main() -> None:
        async with serving(first_failing(1, 429, {"Retry-After": "1"}), FEW, "retry: few") as world:
            began = asyncio.get_running_loop().time()
            await world.ask()
            assert asyncio.get_running_loop().time() - began >= 0.99
            assert world.calls == 2
            world.server.behaviour = first_failing(ALWAYS, 429, {"Retry-After": "61"})
            error = await world.fail(ProviderError)
            assert (world.calls, getattr(error, "retry_after", None)) == (3, 61.0)

    run(main)


@FORMS
def test_a_time_limit_ends_the_call_on_the_wire(serving: Serving, stream: bool) -> None:
    """The server sees its connection closed, for every attempt."""

    async def main() -> None:
        policies = f"{{timeouts: {{fast: 50ms}}, {FEW.replace('maxRetries: 2', 'maxRetries: 1')}}}"
        async with serving(hang, policies, "timeout: fast, retry: few") as world:
            error = await world.fail(ProviderTimeout, stream=stream)
            assert "within 50ms, the timeout fast of a Resiliency manifest" in error.detail
            assert (world.calls, world.server.connections) == (2, 2)
            await asyncio.wait_for(world.server.closed.wait(), 20)

    run(main)


def chunk(text: str) -> dict[str, Any]:
    """A piece of a streamed completion."""
    return {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


async def half_a_stream(exchange: Exchange) -> None:
    """Begin to answer, and break off."""
    await exchange.send_events(event_stream([chunk("half")], done=False), whole=False)
    exchange.writer.close()


async def a_gap(exchange: Exchange) -> None:
    """Begin to answer, and say no more."""
    await exchange.send_events(event_stream([chunk("half")], done=False), whole=False)
    await hang(exchange)


@pytest.mark.parametrize(("behaviour", "kind"), [(half_a_stream, InvokeError), (a_gap, ProviderTimeout)])
def test_a_stream_that_has_begun_is_not_repeated(
    serving: Serving, behaviour: Behaviour, kind: type[RequestError]
) -> None:
    """Whatever has left is the client's: what goes wrong later is an error, after one call."""

    async def main() -> None:
        async with serving(behaviour, f"{{timeouts: {{fast: 50ms}}, {FEW}}}", "timeout: fast, retry: few") as world:
            seen: list[Event] = []
            request = ConversationRequest(component="llm", messages=(), stream=True)
            with pytest.raises(kind):
                async with aclosing(world.host.catalog.conversation("llm").handler(request)) as events:
                    async for event in events:
                        seen.append(event)  # noqa: PERF401  what came before the error counts
            assert ([type(event) for event in seen], world.calls) == ([Delta], 1)

    run(main)


BREAKER = "circuitBreakers: {cb: {timeout: 50ms, maxRequests: 1, trip: consecutiveFailures >= 2}}"
LASTING = BREAKER.replace("50ms", "1h")


@FORMS
def test_an_open_breaker_spares_the_server(serving: Serving, stream: bool) -> None:
    """After the failures that open it no call reaches the server, and the error says until when."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS), LASTING, "circuitBreaker: cb") as world:
            for _ in range(2):
                await world.fail(ProviderError, stream=stream)
            for _ in range(5):
                error = await world.fail(BreakerOpen, stream=stream)
            assert "circuit breaker is open: cb-llm lets the next call through in " in error.detail
            assert (world.calls, world.breaker) == (2, BreakerState.OPEN)

    run(main)


def test_wrong_requests_do_not_open_a_breaker(serving: Serving) -> None:
    """The provider is in order when it says that a request is not."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS, 400), LASTING, "circuitBreaker: cb") as world:
            for _ in range(5):
                await world.fail(ProviderError)
            assert (world.calls, world.breaker) == (5, BreakerState.CLOSED)

    run(main)


def test_one_trial_call_decides(serving: Serving) -> None:
    """Half-open, one of many requests reaches the server; when it succeeds all do."""

    async def main() -> None:
        async with serving(first_failing(2), BREAKER, "circuitBreaker: cb") as world:
            for _ in range(2):
                await world.fail(ProviderError)
            await world.half_open()
            go_on = asyncio.Event()

            async def slow(exchange: Exchange) -> None:
                await go_on.wait()
                await chat(exchange)

            world.server.behaviour = slow
            world.server.asked.clear()
            trial = asyncio.ensure_future(world.ask())
            await asyncio.wait_for(world.server.asked.wait(), 20)
            for _ in range(5):
                error = await world.fail(BreakerOpen)
            assert ("too many requests" in error.detail, world.calls) == (True, 3)
            go_on.set()
            assert await trial
            assert world.breaker is BreakerState.CLOSED
            await asyncio.gather(*(world.ask() for _ in range(5)))
            assert world.calls == 8

    run(main)


@FORMS
def test_a_client_that_leaves_ends_the_call_and_counts_nowhere(serving: Serving, stream: bool) -> None:
    """The server sees the connection closed, nothing is sent again, and a half-open breaker stays half-open."""

    async def main() -> None:
        policies = f"{{{BREAKER}, {FEW}}}"
        async with serving(first_failing(2), policies, "circuitBreaker: cb") as world:
            for _ in range(2):
                await world.fail(ProviderError)
            await world.half_open()
            world.server.behaviour = hang
            world.server.asked.clear()
            world.server.closed.clear()
            leaving = asyncio.ensure_future(world.ask(stream=stream))
            await asyncio.wait_for(world.server.asked.wait(), 20)
            leaving.cancel()
            await asyncio.wait([leaving])
            await asyncio.wait_for(world.server.closed.wait(), 20)
            assert (world.calls, world.breaker) == (3, BreakerState.HALF_OPEN)

    run(main)


def test_an_edit_keeps_an_open_breaker_open(serving: Serving) -> None:
    """Another policy in the same document, and another version of the component, leave its state alone."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS), LASTING, "circuitBreaker: cb") as world:
            for _ in range(2):
                await world.fail(ProviderError)
            instance = world.host.catalog.conversation("llm")
            llm = component("llm", "conversation.openai", key="k", endpoint=world.server.endpoint, model="another")
            await world.edit(calm=resiliency(f"{{{LASTING}, {FEW}}}", "circuitBreaker: cb, retry: few"), llm=llm)
            while world.host.catalog.conversation("llm") is instance:
                await world.edit()
            await world.fail(BreakerOpen)
            assert world.calls == 2
            await world.edit(calm=resiliency(LASTING.replace(">= 2", ">= 3"), "circuitBreaker: cb"))
            await world.fail(ProviderError)
            assert world.calls == 3

    run(main)


def test_a_bad_edit_keeps_what_applies(serving: Serving, caplog: pytest.LogCaptureFixture) -> None:
    """The log says where and why; mending it takes effect at once."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS), FEW, "retry: few") as world:
            await world.fail(ProviderError)
            with caplog.at_level(logging.ERROR, "jackfield"):
                await world.edit(calm=resiliency(FEW, "retry: fews"))
            told = [str(vars(record).get("cause", record.getMessage())) for record in caplog.records]
            assert any("there is no policy fews among the retries; did you mean few?" in text for text in told)
            await world.fail(ProviderError)
            assert world.calls == 6
            await world.edit(calm=resiliency(FEW.replace("2", "0"), "retry: few"))
            await world.fail(ProviderError)
            assert world.calls == 7

    run(main)


def test_without_a_manifest_nothing_is_repeated(serving: Serving) -> None:
    """Taking the document away takes effect like any other edit."""

    async def main() -> None:
        async with serving(first_failing(ALWAYS), FEW, "retry: few") as world:
            (world.folder / "calm.yaml").unlink()
            made = 3
            async with asyncio.timeout(20):  # a file counts as gone once it has been gone for a moment
                while made == 3:
                    await world.edit()
                    before = world.calls
                    await world.fail(ProviderError)
                    made = world.calls - before
            assert made == 1

    run(main)
