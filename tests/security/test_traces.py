"""What a collector of traces gets where the operator has asked for the texts too: no personal data, and no secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_http import converse_path
from running import RunningHost, component

from jackfield.testing import Behaviour, Exchange
from upstream import Upstream, running_upstream

pytest.importorskip("jackfield_otel", reason="the plugin is not installed here")

PERSON = "canary.person@example.com"
KEY = "sk-canary-of-a-trace-0123456789"


async def take(exchange: Exchange) -> None:
    """Take what is sent, as a collector does."""
    await exchange.send(200, {})


async def betray(exchange: Exchange) -> None:
    """Answer with personal data of its own."""
    message = {"role": "assistant", "content": f"Ask {PERSON}."}
    await exchange.send(200, {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


async def refuse(exchange: Exchange) -> None:
    """Refuse, and repeat all that was sent."""
    said = f"no {exchange.headers['authorization']}, in {exchange.data.decode()}"
    await exchange.send(401, {"error": {"message": said}})


@pytest.fixture(scope="module")
def collector() -> Iterator[Upstream]:
    """A collector that keeps what it is sent."""
    with running_upstream(take) as server:
        yield server


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", [betray, refuse], ids=lambda behaviour: behaviour.__name__)
def test_a_trace_has_no_personal_data_of_a_scrubbed_request_and_no_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    upstream: Upstream,
    collector: Upstream,
    *,
    behaviour: Behaviour,
    stream: bool,
) -> None:
    """A collector that is sent the texts too gets them masked where scrubbing was asked for, and never a key."""
    upstream.behave(behaviour)
    collector.behave(take)
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint.removesuffix("/v1"),
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    llm = component("llm", "conversation.openai", key=KEY, endpoint=upstream.endpoint)
    (tmp_path / "llm.yaml").write_text(llm)
    said = {"messages": [{"ofUser": {"content": [{"text": f"Write to {PERSON}"}]}}], "scrubPII": True}
    options = {"environment": variables, "plugins": ("openai", "otel", "presidio")}
    with RunningHost(tmp_path, options=options, services=True) as host:
        reply = host.request("POST", converse_path("llm"), {"inputs": [said], "scrubPII": True, "stream": stream})
        assert b"EMAIL_ADDRESS" in reply.body
    told = [exchange for exchange in collector.requests if exchange.target == "/v1/traces"]
    sent = b"".join(exchange.data for exchange in collector.requests)
    assert b"EMAIL_ADDRESS" in b"".join(exchange.data for exchange in told)
    assert PERSON.encode() not in sent
    assert KEY.encode() not in sent
    assert KEY in upstream.requests[0].headers["authorization"]
