"""What callers are told when a call fails."""

# botocore comes without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from botocore import exceptions

from jackfield import ConversationRequest, InvokeError, ProviderError, ProviderTimeout, ProviderUnreachable
from jackfield.testing import Exchange, FakeUpstream, hang, reset
from jackfield_bedrock import BedrockConversation
from jackfield_bedrock.errors import Place, failure

Opened = Callable[..., AbstractAsyncContextManager[BedrockConversation]]
Asked = Callable[..., ConversationRequest]

ACCESS_KEY = "AKIAQUITESECRET01234"
SECRET_KEY = "quite/secret+0123456789abcdefghijklmnopq"

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


async def ask(component: BedrockConversation, request: ConversationRequest) -> None:
    if request.stream:
        async for _ in component.stream(request):
            pass
    else:
        await component.converse(request)


def told(
    opened: Opened, request: ConversationRequest, behave: Callable[[Exchange], Any], **settings: Any
) -> InvokeError:
    """Return the error of one question to a server that behaves like this."""

    async def run() -> InvokeError:
        async with FakeUpstream(behave) as server, opened(endpoint=server.address, **settings) as component:
            with pytest.raises(InvokeError) as caught:
                await ask(component, request)
            assert len(server.requests) == 1, "botocore repeated the call"
            return caught.value

    return asyncio.run(run())


def refusing(
    status: int, code: str, message: str, *, in_body: bool = False, wait: str = ""
) -> Callable[[Exchange], Any]:
    async def behave(exchange: Exchange) -> None:
        body = {"message": message, **({"__type": f"com.amazon.bedrock#{code}"} if in_body else {})}
        named = {} if in_body else {"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/"}
        await exchange.send(status, body, {**named, **({"Retry-After": wait} if wait else {})})

    return behave


@both
@pytest.mark.parametrize(
    ("status", "code", "message", "fix"),
    [
        (403, "AccessDeniedException", "You don't have access", "allow bedrock:InvokeModel"),
        (403, "UnrecognizedClientException", "The security token is invalid", "check accessKey, secretKey"),
        (403, "InvalidSignatureException", "The signature does not match", "check accessKey, secretKey"),
        (403, "ExpiredTokenException", "The security token has expired", "the session token has expired"),
        (404, "ResourceNotFoundException", "Could not resolve the model", "check model and region"),
        (400, "ValidationException", "The provided model identifier is invalid.", "check model and region"),
        (400, "ValidationException", "Invocation with on-demand throughput isn't supported", "inference profile"),
        (400, "ValidationException", "Input is too long for requested model.", "Input is too long"),
        (429, "ThrottlingException", "Too many requests", "Too many requests"),
        (503, "ServiceUnavailableException", "busy", "busy"),
        (500, "InternalServerException", "oops", "oops"),
        (424, "ModelErrorException", "the model failed", "the model failed"),
        (408, "ModelTimeoutException", "too slow", "too slow"),
    ],
)
def test_refusals(
    opened: Opened, asked: Asked, *, stream: bool, status: int, code: str, message: str, fix: str
) -> None:
    """A refusal comes with its status, AWS's own words, the model, the region and the fix."""
    behave = refusing(status, code, message)
    error = told(opened, asked(stream=stream), behave, model="amazon.nova-x")
    assert isinstance(error, ProviderError)
    assert error.status == status
    for part in (f"{status}: {code}: {message}", "model 'amazon.nova-x', region 'eu-central-1'", fix):
        assert part in error.detail


def test_named_in_the_body(opened: Opened, asked: Asked) -> None:
    """An error whose name stands in the body, as emulators write it, is understood too."""
    error = told(opened, asked(), refusing(404, "ResourceNotFoundException", "no such model", in_body=True))
    assert "404: ResourceNotFoundException: no such model" in error.detail


@both
def test_throttled(opened: Opened, asked: Asked, stream: bool) -> None:
    """The time that AWS wants to be left alone is passed on."""
    behave = refusing(429, "ThrottlingException", "slow down", wait="7")
    error = told(opened, asked(stream=stream), behave)
    assert isinstance(error, ProviderError)
    assert error.retry_after == 7.0


def test_no_secret_in_errors(opened: Opened, asked: Asked) -> None:
    """What AWS quotes of keys and tokens is hidden, those of the environment too."""
    quoted = f"bad {ACCESS_KEY} {SECRET_KEY} session-token-1 environment-secret"

    async def run() -> InvokeError:
        environment = {"AWS_SECRET_ACCESS_KEY": "environment-secret"}
        async with (
            FakeUpstream(refusing(403, "AccessDeniedException", quoted)) as server,
            opened(environment, endpoint=server.address, sessionToken="session-token-1") as component,
        ):
            with pytest.raises(ProviderError) as caught:
                await component.converse(asked())
            return caught.value

    error = asyncio.run(run())
    for text in (str(error), repr(error), str(error.args)):
        assert "bad *** *** *** ***" in text


def test_long_texts_are_shortened(opened: Opened, asked: Asked) -> None:
    """An endless text of the provider's is cut."""
    error = told(opened, asked(), refusing(500, "InternalServerException", "x" * 100_000))
    assert len(error.detail) < 3000


@both
@pytest.mark.parametrize("behave", [reset, lambda exchange: exchange.send_raw(b"")], ids=["reset", "closed"])
def test_broken_connections(opened: Opened, asked: Asked, stream: bool, behave: Callable[[Exchange], Any]) -> None:
    """A connection that breaks before a reply is told as such."""

    async def close(exchange: Exchange) -> None:
        await behave(exchange)
        exchange.writer.close()

    error = told(opened, asked(stream=stream), close)
    assert isinstance(error, ProviderUnreachable)
    assert "broke before a reply came" in error.detail


@both
def test_silence(opened: Opened, asked: Asked, stream: bool) -> None:
    """A server that says nothing is given up, and the setting is named."""
    error = told(opened, asked(stream=stream), hang, silenceTimeout=0.2)
    assert isinstance(error, ProviderTimeout)
    assert "sent nothing for 0.2 s (silenceTimeout)" in error.detail


def test_nobody_listens(opened: Opened, asked: Asked) -> None:
    """An endpoint without a server is told by host and port, with what to check."""

    async def run() -> None:
        async with FakeUpstream(hang) as server:
            address = server.address
        async with opened(endpoint=address) as component:
            with pytest.raises(
                ProviderUnreachable, match=r"failed to reach API server 127\.0\.0\.1:\d+.*check endpoint"
            ):
                await component.converse(asked())

    asyncio.run(run())


def test_not_started(make: Callable[..., BedrockConversation], asked: Asked) -> None:
    """A component that isn't running says so."""
    with pytest.raises(ProviderUnreachable, match="not running"):
        asyncio.run(make().converse(asked()))


PLACE = Place("https://bedrock-runtime.eu-nowhere-1.amazonaws.com", "eu-nowhere-1", "amazon.nova-x", 10.0, 300.0)
KEY = ConnectionKey("bedrock-runtime.eu-nowhere-1.amazonaws.com", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            exceptions.EndpointConnectionError(
                endpoint_url="x", error=aiohttp.ClientConnectorDNSError(KEY, OSError("no such name"))
            ),
            ProviderUnreachable,
            "its name can't be resolved; check region, which is 'eu-nowhere-1'",
        ),
        (
            exceptions.ConnectTimeoutError(endpoint_url="x"),
            ProviderTimeout,
            "within 10 s (connectTimeout); check region",
        ),
        (exceptions.ProxyConnectionError(proxy_url="x"), ProviderUnreachable, "check HTTPS_PROXY"),
        (exceptions.SSLError(endpoint_url="x", error="y"), ProviderUnreachable, "goes into caCert"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), InvokeError, "no AWS credentials"),
        (
            exceptions.CredentialRetrievalError(provider="sso", error_msg="log in again"),
            InvokeError,
            "AWS credentials can't be had: ",
        ),
    ],
    ids=["region", "connect", "proxy", "certificate", "partial", "retrieval"],
)
def test_meanings(error: Exception, kind: type[InvokeError], text: str) -> None:
    """Failures that no local server can show are told by cause and fix."""
    meaning = failure(error, PLACE)
    assert type(meaning) is kind
    assert text in meaning.detail


def test_faults_stay_faults() -> None:
    """An error that is no failure of a call is not dressed up as one."""
    assert failure(AssertionError("a fault"), PLACE) is None
