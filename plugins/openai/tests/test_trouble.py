"""Every way in which a server fails, and what is told about it."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from typing import Any

import pytest

from jackfield import (
    ConversationRequest,
    InvokeError,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
)
from jackfield.testing import Behaviour, Exchange, FakeUpstream, chat, event_stream, hang, reset
from jackfield_openai import OpenAIConversation

Opened = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked = Callable[..., ConversationRequest]
KEY = "sk-quite-secret-0123456789"
PROMPT = "nobody else may read this"
HELLO = {"choices": [{"index": 0, "delta": {"content": "hello"}}]}


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Behaviour:
    """A server that always answers the same."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(status, body, headers)

    return answer


def raw(data: bytes) -> Behaviour:
    """A server that sends some bytes and closes the connection."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(data)
        exchange.writer.close()

    return answer


def events(*pieces: bytes, whole: bool = True) -> Behaviour:
    """A server that streams some bytes and closes the connection."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send_events(pieces, whole=whole)
        exchange.writer.close()

    return answer


async def hang_midway(exchange: Exchange) -> None:
    """Start a reply and fall silent."""
    if exchange.body.get("stream"):
        await exchange.send_events(event_stream([HELLO], done=False), whole=False)
    else:
        await exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
    await hang(exchange)


async def reset_midway(exchange: Exchange) -> None:
    """Start a reply and break the connection."""
    await exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{")
    await reset(exchange)


def failure(
    behaviour: Behaviour, opened: Opened, request: ConversationRequest, *, stream: bool, **settings: Any
) -> InvokeError:
    """The error that a call ends in."""

    async def scenario() -> None:
        async with FakeUpstream(behaviour) as upstream, opened(endpoint=upstream.endpoint, **settings) as component:
            if stream:
                async for _ in component.stream(request):
                    pass
            else:
                await component.converse(request)

    with pytest.raises(InvokeError) as caught:
        asyncio.run(scenario())
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
def test_a_kept_connection_that_was_closed_is_not_the_calls_end(opened: Opened, asked: Asked, *, stream: bool) -> None:
    """A server that promises to keep a connection and closes it right away gets the next call on another one."""

    async def once(exchange: Exchange) -> None:
        await chat(exchange)
        exchange.writer.transport.close()

    async def scenario() -> tuple[int, int]:
        async with FakeUpstream(once) as upstream, opened(endpoint=upstream.endpoint) as component:
            for _ in range(20):
                if stream:
                    assert [event async for event in component.stream(asked(stream=True))]
                else:
                    assert (await component.converse(asked())).choices
            return len(upstream.requests), upstream.connections

    assert asyncio.run(scenario()) == (20, 20)


def test_a_call_on_a_new_connection_is_never_repeated(opened: Opened, asked: Asked) -> None:
    """Whatever a server does with it: nobody knows what a call that vanished has done."""

    async def scenario() -> int:
        async with FakeUpstream(reset) as upstream, opened(endpoint=upstream.endpoint) as component:
            with pytest.raises(ProviderUnreachable):
                await component.converse(asked())
            return len(upstream.requests)

    assert asyncio.run(scenario()) == 1


def test_a_call_that_a_server_has_worked_on_is_not_repeated(
    opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept connection that breaks only after a while was not closed before the call reached the server."""
    monkeypatch.setattr("jackfield.upstream.client._STALE_SECONDS", 0.0)

    async def once(exchange: Exchange) -> None:
        await (reset if len(upstream.requests) > 1 else chat)(exchange)

    async def scenario() -> int:
        async with upstream, opened(endpoint=upstream.endpoint) as component:
            assert (await component.converse(asked())).choices
            with pytest.raises(ProviderUnreachable):
                await component.converse(asked())
            return upstream.connections

    upstream = FakeUpstream(once)
    assert asyncio.run(scenario()) == 1


EITHER_WAY: list[tuple[str, Behaviour, type[InvokeError], str]] = [
    ("reset", reset, ProviderUnreachable, "network error: the connection to 127.0.0.1:"),
    ("closed", raw(b""), ProviderUnreachable, "broke before a reply came"),
    ("no HTTP", raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ProviderError, "did not answer in HTTP; check endpoint"),
    ("hangs", hang, ProviderTimeout, "sent nothing for 0.2 s (silenceTimeout)"),
    ("hangs midway", hang_midway, ProviderTimeout, "sent nothing for 0.2 s (silenceTimeout)"),
    ("reset midway", reset_midway, ProviderUnreachable, "broke before the reply was whole"),
    (
        "cut midway",
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"),
        ProviderUnreachable,
        "broke before the reply was whole",
    ),
    ("half a JSON", answered(200, b'{"choices": [{"mess'), ProviderError, "is not the JSON of a chat completion"),
    (
        "HTML",
        answered(200, b"<html><title>Welcome</title>", {"Content-Type": "text/html"}),
        ProviderError,
        "is HTML where JSON was expected; check that endpoint",
    ),
    ("no choices", answered(200, {"choices": []}), ProviderError, "empty response"),
    ("wrong type", answered(200, {"choices": 7}), ProviderError, "Expected `array | null`, got `int`"),
    (
        "401",
        answered(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        ProviderError,
        "API returned unexpected status code: 401: Incorrect API key provided: ***; check key",
    ),
    (
        "500",
        answered(500, b"<html><title>Oh no</title>", {"Content-Type": "text/html"}),
        ProviderError,
        "API returned unexpected status code: 500: Oh no",
    ),
    (
        "redirect",
        answered(302, b"", {"Location": "http://127.0.0.1:9/"}),
        ProviderError,
        "302: redirected to http://127.0.0.1:9/",
    ),
    (
        "broken gzip",
        answered(200, b"no gzip at all", {"Content-Encoding": "gzip"}),
        ProviderUnreachable,
        "broke before the reply was whole",
    ),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("behaviour", "kind", "message"), [pytest.param(*row[1:], id=row[0]) for row in EITHER_WAY])
def test_trouble(  # noqa: PLR0917  pytest names them
    opened: Opened,
    asked: Asked,
    caplog: pytest.LogCaptureFixture,
    behaviour: Behaviour,
    kind: type[InvokeError],
    message: str,
    stream: bool,
) -> None:
    """A server that fails is told of by what happened and what to do, without key or text, whole or streamed."""
    caplog.set_level(logging.DEBUG)
    error = failure(behaviour, opened, asked(PROMPT), stream=stream, silenceTimeout="200ms")
    assert type(error) is kind
    assert message in error.detail
    assert KEY not in f"{error!r} {error} {caplog.text}"
    assert PROMPT not in f"{error!r} {error} {caplog.text}"


@pytest.mark.parametrize(
    ("behaviour", "kind", "message"),
    [
        pytest.param(
            events(*event_stream([HELLO], done=False)), ProviderUnreachable, "stream ended before", id="ends early"
        ),
        pytest.param(events(), ProviderUnreachable, "stream ended before", id="empty"),
        pytest.param(
            events(*event_stream([HELLO], done=False), whole=False), ProviderUnreachable, "broke before", id="cut"
        ),
        pytest.param(
            events(b'data: {"choices": [{"del'), ProviderUnreachable, "stream ended before", id="half an event"
        ),
        pytest.param(events(b"data: hello\n\n"), ProviderError, "is not the JSON", id="no JSON"),
        pytest.param(events(b"data: [DONE]\n\n"), ProviderError, "empty response", id="no choices"),
        pytest.param(
            events(b'event: error\ndata: {"error": {"message": "out of memory"}}\n\n'),
            ProviderError,
            "the provider reports an error: out of memory",
            id="error",
        ),
        pytest.param(
            answered(200, b"hello there", {"Content-Type": "text/plain"}),
            ProviderError,
            "a stream of events was expected, but the provider sent text/plain",
            id="plain text",
        ),
    ],
)
def test_trouble_in_streams(
    opened: Opened, asked: Asked, behaviour: Behaviour, kind: type[InvokeError], message: str
) -> None:
    """A stream that ends before its choices do, or isn't one, is an error and never a short reply."""
    error = failure(behaviour, opened, asked(), stream=True)
    assert type(error) is kind
    assert message in error.detail


def test_rate_limit(opened: Opened, asked: Asked) -> None:
    """A rate limit keeps its status and says when to come back."""
    behaviour = answered(429, {"error": {"message": "slow down"}}, {"Retry-After": "7"})
    error = failure(behaviour, opened, asked(), stream=False)
    assert isinstance(error, ProviderError)
    assert (error.status, error.retry_after) == (429, 7.0)
    assert error.detail == "API returned unexpected status code: 429: slow down"


def test_refused(opened: Opened, asked: Asked) -> None:
    """A port that nobody listens on is named, with what to check."""
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        async def scenario() -> None:
            async with opened(endpoint=f"http://127.0.0.1:{port}/v1") as component:
                await component.converse(asked())

        with pytest.raises(ProviderUnreachable) as caught:
            asyncio.run(scenario())
    assert caught.value.detail.startswith(f"network error: failed to reach API server 127.0.0.1:{port}: ")
    assert caught.value.detail.endswith("; check endpoint and that the server runs")


def test_unknown_name(opened: Opened, asked: Asked) -> None:
    """A name that can't be resolved is named, with what to check."""

    async def scenario() -> None:
        async with opened(endpoint="https://nowhere.invalid/v1") as component:
            await component.converse(asked())

    with pytest.raises(ProviderUnreachable, match=r"nowhere\.invalid:443: its name can't be resolved; check endpoint"):
        asyncio.run(scenario())


@pytest.fixture(name="silent_port")
def _silent_port() -> Iterator[int]:
    """A port at which the kernel takes connections and nobody ever reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_connect_limit(opened: Opened, asked: Asked, silent_port: int) -> None:
    """A server that takes a connection but never completes TLS is given up after the connect limit."""

    async def scenario() -> None:
        async with opened(endpoint=f"https://127.0.0.1:{silent_port}", connectTimeout="200ms") as component:
            await component.converse(asked())

    with pytest.raises(ProviderTimeout, match=r"no connection to 127.0.0.1:\d+ within 0.2 s \(connectTimeout\)"):
        asyncio.run(scenario())


def test_server_that_takes_nothing(opened: Opened, asked: Asked, silent_port: int) -> None:
    """A server that doesn't read a large request is given up as well, though no reply is due yet."""

    async def scenario() -> None:
        limits = {"connectTimeout": "100ms", "silenceTimeout": "100ms"}
        async with opened(endpoint=f"http://127.0.0.1:{silent_port}", **limits) as component:
            await component.converse(asked("x" * 30_000_000))

    with pytest.raises(ProviderTimeout, match="request timeout"):
        asyncio.run(scenario())


@pytest.mark.parametrize("stream", [False, True])
def test_reply_without_end(opened: Opened, asked: Asked, stream: bool) -> None:
    """A reply of more than 64 MiB is cut off, also if it was packed into little."""
    bomb = gzip.compress(b" " * (65 * 1024 * 1024), 1)
    media = "text/event-stream" if stream else "application/json"
    behaviour = answered(200, bomb, {"Content-Encoding": "gzip", "Content-Type": media})
    error = failure(behaviour, opened, asked(), stream=stream)
    assert "is larger than" in error.detail


def test_a_long_explanation_is_read_in_part(opened: Opened, asked: Asked) -> None:
    """Of an endless error page only the start is read."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send_raw(b"HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            await exchange.send_raw(b"busy " * 10_000)

    error = failure(endless, opened, asked(), stream=False)
    assert isinstance(error, ProviderError)
    assert error.status == 503
    assert len(error.detail) < 2100


def test_headers_stay_secret(opened: Opened, asked: Asked) -> None:
    """A header's value that the server quotes doesn't reach the caller."""
    behaviour = answered(400, b"bad token very-secret-token")
    error = failure(behaviour, opened, asked(), stream=False, headers={"X-Token": "very-secret-token"})
    assert error.detail == "API returned unexpected status code: 400: bad token ***"


def test_cancelling_a_large_upload(opened: Opened, asked: Asked) -> None:
    """A call that is cancelled while a server takes none of its body ends the connection without waiting."""
    size = 30_000_000

    async def scenario() -> int:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            async with opened(endpoint=f"http://127.0.0.1:{port}") as component:
                loop = asyncio.get_running_loop()
                task = asyncio.create_task(component.converse(asked("x" * size)))
                connection, _ = await loop.sock_accept(listener)
                with connection:
                    received = len(await loop.sock_recv(connection, 1))
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    async with asyncio.timeout(5):
                        while data := await loop.sock_recv(connection, 1_000_000):
                            received += len(data)
                    return received

    assert asyncio.run(scenario()) < size
