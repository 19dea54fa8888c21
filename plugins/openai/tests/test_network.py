"""Proxies and certificates, from the environment and from the manifest."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest
import trustme

from jackfield import ConversationRequest, ProviderUnreachable
from jackfield.testing import FakeUpstream, chat, hang
from jackfield_openai import OpenAIConversation

Opened = Callable[..., AbstractAsyncContextManager[OpenAIConversation]]
Asked = Callable[..., ConversationRequest]
KEY = "sk-quite-secret-0123456789"


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture(name="tls", scope="module")
def _tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a server of that authority serves with."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "upstream.invalid").configure_cert(context)
    return context


def test_socks_is_refused(opened: Opened) -> None:
    """A proxy that can't be used keeps the component from starting, instead of being passed by."""

    async def scenario() -> None:
        async with opened({"ALL_PROXY": "socks5://user:hidden@p:1"}):
            pass

    with pytest.raises(ValueError, match=r"^ALL_PROXY must name an http or https proxy") as caught:
        asyncio.run(scenario())
    assert "hidden" not in str(caught.value)


def test_call_through_a_proxy(opened: Opened, asked: Asked) -> None:
    """A call to an http address goes through the proxy of the environment, with the proxy's own password."""

    async def scenario() -> FakeUpstream:
        async with FakeUpstream(chat) as proxy:
            environment = {"HTTP_PROXY": f"http://user:pass@127.0.0.1:{proxy.port}"}
            async with opened(environment, endpoint="http://upstream.invalid/v1") as component:
                await component.converse(asked())
                await component.converse(asked())
            return proxy

    proxy = asyncio.run(scenario())
    assert [exchange.target for exchange in proxy.requests] == ["http://upstream.invalid/v1/chat/completions"] * 2
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert proxy.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert proxy.connections == 1


def test_proxy_that_is_not_there(opened: Opened, asked: Asked) -> None:
    """A proxy that can't be reached is named, without its password."""

    async def scenario() -> None:
        environment = {"HTTP_PROXY": "http://user:hidden-pass@proxy.invalid:3128"}
        async with opened(environment, endpoint="http://upstream.invalid/v1") as component:
            await component.converse(asked())

    with pytest.raises(ProviderUnreachable, match=r"through the proxy proxy\.invalid:3128") as caught:
        asyncio.run(scenario())
    assert "hidden-pass" not in str(caught.value)


def test_https_through_a_proxy(opened: Opened, asked: Asked, authority: trustme.CA, tls: ssl.SSLContext) -> None:
    """A call to an https address is tunnelled, so that the proxy sees the host and never the key."""
    seen: list[bytes] = []

    async def scenario() -> int:
        async with FakeUpstream(chat, tls=tls) as upstream:

            async def relay(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
                with suppress(ConnectionError):
                    while data := await source.read(65536):
                        seen.append(data)
                        target.write(data)
                target.close()

            async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", upstream.port)
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                await asyncio.gather(relay(reader, inner_writer), relay(inner_reader, writer))
                ended.set()

            ended = asyncio.Event()
            proxy = await asyncio.start_server(tunnel, "127.0.0.1", 0)
            environment = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"}
            certificate = authority.cert_pem.bytes().decode()
            settings = {"endpoint": "https://upstream.invalid/v1", "caCert": certificate}
            async with opened(environment, **settings) as component:
                await component.converse(asked())
            await ended.wait()
            proxy.close()
            return len(upstream.requests)

    assert asyncio.run(scenario()) == 1
    assert seen[0].startswith(b"CONNECT upstream.invalid:443 ")
    assert b"authorization" not in seen[0].lower()
    assert KEY.encode() not in b"".join(seen)


@pytest.mark.parametrize("source", ["text", "path", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_own_authority(  # noqa: PLR0917  pytest names them
    opened: Opened, asked: Asked, authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path, source: str
) -> None:
    """A private authority is trusted when manifest or environment names it, as text or as a file."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    settings = {"text": {"caCert": file.read_text()}, "path": {"caCert": str(file)}}.get(source, {})
    environment = {source: str(file)} if source.isupper() else {}

    async def scenario() -> str:
        async with (
            FakeUpstream(chat, tls=tls) as upstream,
            opened(environment, endpoint=upstream.endpoint, **settings) as component,
        ):
            return (await component.converse(asked())).choices[0].text

    assert asyncio.run(scenario()) == "You said: hello"


def test_unknown_authority(opened: Opened, asked: Asked, tls: ssl.SSLContext) -> None:
    """A server that nobody vouches for is refused, and the text names the setting that mends it."""

    async def scenario() -> None:
        async with FakeUpstream(hang, tls=tls) as upstream, opened(endpoint=upstream.endpoint) as component:
            await component.converse(asked())

    with pytest.raises(ProviderUnreachable, match=r"no trusted connection to 127.*issuer.*goes into caCert"):
        asyncio.run(scenario())
