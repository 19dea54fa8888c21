"""The way to the server: proxies, certificates, cancellation, connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import trustme

from jackfield import ConversationRequest, InvokeError, ProviderUnreachable
from jackfield.testing import Exchange, FakeUpstream, Hang, Script, hang, say
from jackfield_bedrock import BedrockConversation
from jackfield_bedrock.testing import Converse

Opened = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked = Callable[..., ConversationRequest]


def test_connections_are_kept(opened: Opened, asked: Asked) -> None:
    """One connection serves call after call, whole and streamed."""

    async def run() -> None:
        async with FakeUpstream(Script(Converse())) as server, opened(endpoint=server.address) as component:
            for _ in range(3):
                await component.converse(asked())
                async for _event in component.stream(asked(stream=True)):
                    pass
            assert len(server.requests) == 6
            assert server.connections == 1

    asyncio.run(run())


def test_many_at_once(opened: Opened, asked: Asked) -> None:
    """More calls run at once than botocore's pool has by default; the host's maxConcurrency is the limit."""

    async def run() -> None:
        waiting = 0
        all_there = asyncio.Event()

        async def behave(exchange: Exchange) -> None:
            nonlocal waiting
            waiting += 1
            if waiting == 30:
                all_there.set()
            await all_there.wait()
            await exchange.send(200, Converse().whole(say("hi"), exchange))

        async with FakeUpstream(behave) as server, opened(endpoint=server.address) as component:
            async with asyncio.timeout(20):
                await asyncio.gather(*(component.converse(asked()) for _ in range(30)))
            assert waiting == 30

    asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_cancellation(opened: Opened, asked: Asked, stream: bool) -> None:
    """A caller who leaves closes the connection, before the reply."""

    async def run() -> None:
        async with FakeUpstream(hang) as server, opened(endpoint=server.address) as component:

            async def ask() -> None:
                if stream:
                    async for _ in component.stream(asked(stream=True)):
                        pass
                else:
                    await component.converse(asked())

            task = asyncio.create_task(ask())
            await server.asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                await server.closed.wait()

    asyncio.run(run())


def test_stream_left_early(opened: Opened, asked: Asked) -> None:
    """A stream that is closed in its middle closes the connection."""

    async def run() -> None:
        script = Script(Converse(), then=lambda _: Hang(say("a long reply of many words").result))
        async with FakeUpstream(script) as server, opened(endpoint=server.address) as component:
            events = component.stream(asked(stream=True))
            await anext(events)
            assert not server.closed.is_set()
            await events.aclose()
            async with asyncio.timeout(5):
                await server.closed.wait()

    asyncio.run(run())


def test_proxy(opened: Opened, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is used, unless NO_PROXY excepts the server."""

    async def run() -> None:
        async with FakeUpstream(Script(Converse())) as server, FakeUpstream(hang) as proxy:

            async def behave(exchange: Exchange) -> None:
                assert exchange.target.startswith("http://bedrock.invalid/model/")
                await exchange.send(200, Converse().whole(say("by proxy"), exchange))

            proxy.behaviour = behave
            monkeypatch.setenv("HTTP_PROXY", proxy.address)
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            async with opened(endpoint="http://bedrock.invalid") as component:
                assert (await component.converse(asked())).choices[0].text == "by proxy"
            async with opened(endpoint=server.address) as component:
                assert (await component.converse(asked())).choices[0].text == "You said: hello"

    asyncio.run(run())


@pytest.mark.parametrize("form", ["text", "file"])
def test_own_authority(opened: Opened, asked: Asked, tmp_path: Path, form: str) -> None:
    """A server with a certificate of one's own authority is trusted if caCert says so, and not otherwise."""
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)

    async def run() -> None:
        async with FakeUpstream(Script(Converse()), tls=tls) as server:
            given = file.read_text() if form == "text" else str(file)
            async with opened(endpoint=server.address, caCert=given) as component:
                assert (await component.converse(asked())).choices[0].text == "You said: hello"
            async with opened(endpoint=server.address) as component:
                with pytest.raises(ProviderUnreachable, match=r"no trusted connection to 127\.0\.0\.1:.* caCert"):
                    await component.converse(asked())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ("/no/such/file.pem", r"caCert: can't use /no/such/file\.pem: No such file"),
        ("-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----", "caCert: can't use the PEM text: it holds no"),
    ],
)
def test_bad_authority(opened: Opened, given: str, cause: str) -> None:
    """Certificates that can't be used keep the component from starting, with the reason."""

    async def run() -> None:
        async with opened(caCert=given):
            pass

    with pytest.raises(ValueError, match=cause):
        asyncio.run(run())


def test_close_twice(make: Callable[..., BedrockConversation], asked: Asked) -> None:
    """Closing is harmless before the start and a second time."""

    async def run() -> None:
        component = make()
        await component.close()
        await component.start()
        await component.close()
        await component.close()
        with pytest.raises(ProviderUnreachable, match="not running"):
            await component.converse(asked())

    asyncio.run(run())


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_that_breaks_the_rules_of_http_ends_the_call(opened: Opened, asked: Asked, *, stream: bool) -> None:
    """Nobody waits for the rest of a chunk whose length is no number."""

    async def behave(exchange: Exchange) -> None:
        kind = "application/vnd.amazon.eventstream" if stream else "application/json"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        await exchange.send_raw(head.encode() + b"1\r\n{\r\nno number\r\n")
        await hang(exchange)

    async def run() -> None:
        async with (
            FakeUpstream(behave) as server,
            opened(endpoint=server.address, silenceTimeout="0.2s") as component,
            asyncio.timeout(10),
        ):
            with pytest.raises(InvokeError):
                if stream:
                    async for _event in component.stream(asked(stream=True)):
                        pass
                else:
                    await component.converse(asked())

    asyncio.run(run())
