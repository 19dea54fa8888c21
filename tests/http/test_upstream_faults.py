"""A provider that fails, asked through a host that runs: one documented error, no secret, and the host goes on."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from evidence import everything_logged
from running import RunningHost, component

from jackfield.serving.network import Network
from jackfield.testing import Behaviour, Exchange, chat, hang, reset
from upstream import Upstream, running_upstream

KEY = "sk-quite-secret-0123456789"
MARK = "nobody-may-log-this"
APIS = pytest.mark.parametrize("api", ["alpha1", "alpha2"])


def answered(status: int, body: Any, headers: dict[str, str] | None = None) -> Behaviour:
    """Answer always the same."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(status, body, headers)

    return answer


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> Behaviour:
    """Answer with an error in OpenAI's form."""
    return answered(status, {"error": {"message": message, "type": "invalid_request_error", "code": None}}, headers)


def raw(data: bytes, *, then: Behaviour | None = None) -> Behaviour:
    """Send some bytes, then close the connection or do something else."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(data)
        if then is not None:
            await then(exchange)
        exchange.writer.close()

    return answer


async def quote(exchange: Exchange) -> None:
    """Refuse the key and repeat all that was sent, as careless servers do."""
    told = f"Incorrect API key provided: {exchange.headers['authorization']} {exchange.headers['x-tenant']}"
    await refused(401, told)(exchange)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
HTML = b"<html><head><title>Bad gateway</title></head><body>nginx</body></html>"
FAULTS: dict[str, tuple[Behaviour, str]] = {
    "resets": (reset, "network error: the connection to 127.0.0.1:{port} broke before a reply came"),
    "closes": (raw(b""), "network error: the connection to 127.0.0.1:{port} broke before a reply came"),
    "resets within the reply": (
        raw(HEAD + b'{"choices', then=reset),
        "network error: the connection to 127.0.0.1:{port} broke before the reply was whole",
    ),
    "ends within the reply": (
        raw(HEAD + b'{"choices'),
        "network error: the connection to 127.0.0.1:{port} broke before the reply was whole",
    ),
    "hangs": (hang, "no reply within 200ms, the timeout in the component's manifest"),
    "hangs within the reply": (
        raw(HEAD + b"{", then=hang),
        "no reply within 200ms, the timeout in the component's manifest",
    ),
    "half a JSON": (answered(200, b'{"choices":[{"mess'), "the provider's reply is not the JSON of a chat completion"),
    "no body": (answered(200, b""), "the provider's reply is not the JSON of a chat completion"),
    "another JSON": (answered(200, [1]), "the provider's reply is not a chat completion"),
    "HTML": (
        answered(200, HTML, {"Content-Type": "text/html"}),
        "the provider's reply is HTML where JSON was expected",
    ),
    "no choices": (answered(200, {"choices": [], "model": "m"}), "empty response"),
    "an error with status 200": (
        answered(200, {"error": {"message": "overloaded", "code": 503}}),
        "the provider reports an error: overloaded",
    ),
    "no HTTP": (raw(b"220 mail.example ESMTP\r\n"), "127.0.0.1:{port} did not answer in HTTP; check endpoint"),
    "401": (refused(401, "Invalid key"), "API returned unexpected status code: 401: Invalid key; check key"),
    "404 as HTML": (answered(404, HTML), "API returned unexpected status code: 404: Bad gateway"),
    "429": (
        refused(429, "Rate limit reached", {"Retry-After": "20"}),
        "API returned unexpected status code: 429: Rate limit reached",
    ),
    "500": (
        refused(500, "The server had an error"),
        "API returned unexpected status code: 500: The server had an error",
    ),
    "502 as HTML": (answered(502, HTML), "API returned unexpected status code: 502: Bad gateway"),
    "503 without body": (answered(503, b""), "API returned unexpected status code: 503: Service Unavailable"),
    "302": (
        answered(302, b"", {"Location": "https://other.example/"}),
        "API returned unexpected status code: 302: redirected to https://other.example/",
    ),
}


@pytest.fixture(scope="module", name="upstream")
def _upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="asking")
def _asking(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[RunningHost]:
    """A host whose component ``llm`` asks the upstream; ``gone`` asks a port where nobody listens."""
    folder = tmp_path_factory.mktemp("manifests")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        headers = f"x-tenant: {KEY}-header"
        llm = component("llm", "conversation.openai", key=KEY, endpoint=upstream.endpoint, timeout="200ms")
        llm += f"  - name: headers\n    value: {{{headers}}}\n"
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        (folder / "llm.yaml").write_text(
            llm + "---\n" + component("gone", "conversation.openai", key=KEY, endpoint=gone)
        )
        with RunningHost(folder, Network(port=0, server=request.param)) as running:
            yield running


@pytest.fixture(autouse=True, name="quiet")
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look through all that was logged at the end of a test."""
    caplog.set_level(logging.DEBUG)
    yield
    logged = everything_logged(caplog)
    assert KEY not in logged
    assert MARK not in logged
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], logged


@APIS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_a_500_that_names_component_and_cause(
    asking: RunningHost, upstream: Upstream, api: str, fault: str
) -> None:
    """Whatever the provider does is ERR_CONVERSATION_INVOKE with daprd's inner text, and the host goes on."""
    behaviour, cause = FAULTS[fault]
    upstream.behave(behaviour)
    reply = asking.converse("llm", MARK, api=api)
    assert (reply.status, reply.headers["content-type"]) == (500, "application/json")
    assert reply.json["errorCode"] == "ERR_CONVERSATION_INVOKE"
    prefix, _, inner = reply.json["message"].partition("failed conversing with component llm: ")
    assert prefix == ""
    port = upstream.endpoint.rpartition(":")[2].partition("/")[0]
    assert inner.startswith(cause.format(port=port))
    upstream.behave(chat)
    assert asking.converse("llm", "again", api=api).status in {200, 202}


@APIS
def test_an_upstream_that_refuses_is_named(asking: RunningHost, api: str) -> None:
    """A port where nobody listens is told by host and port, with what to check."""
    reply = asking.converse("gone", MARK, api=api)
    assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
    message = reply.json["message"]
    assert message.startswith(
        "failed conversing with component gone: network error: failed to reach API server 127.0.0.1:"
    )
    assert message.endswith("check endpoint and that the server runs")


@APIS
def test_a_secret_that_the_provider_repeats_is_taken_out(asking: RunningHost, upstream: Upstream, api: str) -> None:
    """The key and the manifest's headers come back as asterisks; the rest of the provider's words stays."""
    upstream.behave(quote)
    reply = asking.converse("llm", api=api)
    assert reply.status == 500
    assert reply.json["message"] == (
        "failed conversing with component llm: API returned unexpected status code: 401:"
        " Incorrect API key provided: Bearer *** ***; check key"
    )


async def quote_model(exchange: Exchange) -> None:
    """Refuse the model by its name."""
    await refused(404, f"The model `{exchange.body['model']}` does not exist")(exchange)


@APIS
def test_what_came_from_a_secret_store_is_taken_out_too(tmp_path: Path, api: str) -> None:
    """Not only keys are secret: whatever a store gave comes back as asterisks."""
    with running_upstream(quote_model) as upstream:
        llm = component("llm", "conversation.openai", key=KEY, endpoint=upstream.endpoint)
        llm += "  - name: model\n    secretKeyRef: {name: MODEL}\nauth:\n  secretStore: env\n"
        (tmp_path / "a.yaml").write_text(component("env", "secretstores.local.env") + "---\n" + llm)
        with RunningHost(tmp_path, options={"environment": {"MODEL": "internal-codename"}}) as host:
            reply = host.converse("llm", api=api)
            (asked,) = upstream.requests
            assert asked.body["model"] == "internal-codename"
            assert reply.json["message"].endswith("404: The model `***` does not exist; check model (***) and endpoint")


def test_many_faults_at_once_leave_the_host_in_order(asking: RunningHost, upstream: Upstream) -> None:
    """Twenty calls that hang end in their own time, while echo's kind of request isn't held up by them."""
    upstream.behave(hang)

    async def ask() -> list[int]:
        calls = [asyncio.to_thread(asking.converse, "llm", MARK) for _ in range(20)]
        return [reply.status for reply in await asyncio.gather(*calls)]

    assert asyncio.run(ask()) == [500] * 20
    upstream.behave(chat)
    assert asking.converse("llm").status == 200
