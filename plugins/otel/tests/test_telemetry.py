"""What a collector gets, and what a provider sees of a trace."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeAlias

import pytest

from jackfield import (
    Build,
    ChainBuild,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    Message,
    PolicySettings,
    Settings,
    TextPart,
    Usage,
)
from jackfield.testing import RunningHost
from jackfield_otel.stage import TraceStage
from jackfield_otel.telemetry import Telemetry
from jackfield_otel.wishes import Wishes

Serve: TypeAlias = Callable[..., AbstractContextManager[RunningHost]]
AttributesOf: TypeAlias = Callable[[Any], dict[str, Any]]

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ERROR = 2
CLIENT = 3


def to(collector: Any, **variables: str) -> dict[str, str]:
    """The variables that send everything to a collector."""
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **variables}


def sampled(traceparent: str) -> bool:
    """Whether a context says that its trace is recorded: the lowest bit of its flags."""
    return bool(int(traceparent.rpartition("-")[2], 16) & 1)


def test_a_conversation_is_a_span_of_the_caller_s_trace(
    serve: Serve, collector: Any, provider: Any, attributes_of: AttributesOf
) -> None:
    """The span has the conventions' name and attributes, its parent is the caller's, and the provider gets its id."""
    with serve(**to(collector)) as host:
        assert host.converse("llm", "well hello", traceparent=PARENT, tracestate="a=1").status == 200
    (span,) = collector.spans
    assert (span.name, span.kind) == ("chat said-1", CLIENT)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, "b7ad6b7169203331")
    found = attributes_of(span)
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "said",
        "gen_ai.request.model": "said-1",
        "gen_ai.response.model": "said-1-2026",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "jackfield.component": "llm",
        "jackfield.served_by": "llm",
        "jackfield.api": "alpha2",
        "jackfield.attempts": 1,
    }
    assert expected.items() <= found.items()
    (_, headers, _) = provider.seen[0]
    assert headers["traceparent"].startswith(f"00-{TRACE}-{span.span_id.hex()}-")
    assert sampled(headers["traceparent"])
    assert headers["tracestate"] == "a=1"
    assert collector.resources[0]["service.name"] == "jackfield"


def test_without_a_context_a_trace_begins(serve: Serve, collector: Any, provider: Any) -> None:
    """A request that names no trace, or nonsense, begins one of its own."""
    with serve(**to(collector)) as host:
        assert host.converse("llm", "one").status == 200
        assert host.converse("llm", "two", traceparent="nonsense").status == 200
    spans = collector.spans
    assert [span.parent_span_id for span in spans] == [b"", b""]
    assert len({span.trace_id for span in spans}) == 2
    assert len({headers["traceparent"] for _, headers, _ in provider.seen}) == 2


def test_a_failed_conversation_says_why_and_not_what(serve: Serve, collector: Any, attributes_of: AttributesOf) -> None:
    """The span is an error with the provider's status as its type; no text of the provider or caller is in it."""
    with serve(**to(collector)) as host:
        assert host.converse("llm", "fail, my secret plan").status == 500
    (span,) = collector.spans
    assert span.status.code == ERROR
    assert span.status.message == ""
    assert attributes_of(span)["error.type"] == "503"
    assert not span.events
    (duration,) = collector.metrics["gen_ai.client.operation.duration"]
    assert attributes_of(duration)["error.type"] == "503"
    _nothing_private(collector)


def test_a_stream_s_span_ends_with_the_stream(serve: Serve, collector: Any, attributes_of: AttributesOf) -> None:
    """A streamed reply has the same attributes and its time to the first chunk; a kept one has no tokens of its own."""
    body = {"stream": True, "inputs": [{"messages": [{"ofUser": {"content": [{"text": "a b c"}]}}]}]}
    with serve(**to(collector)) as host:
        for _ in range(2):
            assert host.request("POST", "/v1.0-alpha2/conversation/llm/converse", body).status == 200
    called, kept = sorted(collector.spans, key=lambda span: span.start_time_unix_nano)
    found = attributes_of(called)
    assert found["gen_ai.request.stream"] is True
    assert found["gen_ai.response.finish_reasons"] == ["stop"]
    assert found["gen_ai.response.time_to_first_chunk"] > 0
    assert found["gen_ai.usage.output_tokens"] == 5
    assert attributes_of(kept)["jackfield.cache"] == "hit"
    assert "gen_ai.usage.output_tokens" not in attributes_of(kept)


def test_metrics_follow_the_conventions(serve: Serve, collector: Any, attributes_of: AttributesOf) -> None:
    """Duration and tokens are histograms with the conventions' names, buckets and attributes."""
    with serve(**to(collector)) as host:
        for text in ("one", "two"):
            assert host.converse("llm", text).status == 200
    (duration,) = collector.metrics["gen_ai.client.operation.duration"]
    assert duration.count == 2
    assert list(duration.explicit_bounds)[:3] == [0.01, 0.02, 0.04]
    points = {
        attributes_of(point)["gen_ai.token.type"]: point for point in collector.metrics["gen_ai.client.token.usage"]
    }
    assert {kind: point.sum for kind, point in points.items()} == {"input": 6, "output": 10}
    assert attributes_of(points["input"]) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "said",
        "gen_ai.request.model": "said-1",
        "gen_ai.response.model": "said-1-2026",
        "gen_ai.token.type": "input",
    }


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_said_is_in_a_span_only_if_that_is_asked_for(
    serve: Serve, collector: Any, attributes_of: AttributesOf, stream: bool
) -> None:
    """By default a collector sees no text; with the conventions' variable it gets messages as JSON."""
    body = {"stream": stream, "inputs": [{"messages": [{"ofUser": {"content": [{"text": "secret plan"}]}}]}]}
    with serve(**to(collector)) as host:
        assert host.request("POST", "/v1.0-alpha2/conversation/llm/converse", body).status == 200
    _nothing_private(collector)
    with serve(**to(collector, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true")) as host:
        assert host.request("POST", "/v1.0-alpha2/conversation/llm/converse", body).status == 200
    found = attributes_of(collector.spans[-1])
    assert found["gen_ai.input.messages"] == '[{"role":"user","parts":[{"type":"text","content":"secret plan"}]}]'
    said = "secretplan" if stream else "secret plan"
    part = f'{{"type":"text","content":"{said}"}}'
    assert found["gen_ai.output.messages"] == f'[{{"role":"assistant","parts":[{part}],"finish_reason":"stop"}}]'


def test_sampling_is_the_operator_s(serve: Serve, collector: Any, provider: Any) -> None:
    """A trace that is not sampled is not sent, and the provider is told that it isn't."""
    with serve(**to(collector, OTEL_TRACES_SAMPLER="always_off")) as host:
        assert host.converse("llm").status == 200
    assert collector.spans == []
    assert not sampled(provider.seen[0][1]["traceparent"])
    assert "gen_ai.client.operation.duration" in collector.metrics


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"OTEL_SERVICE_NAME": "shop"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "COLLECTOR", "OTEL_SDK_DISABLED": "true"},
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "COLLECTOR",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        },
    ],
)
def test_nothing_is_sent_that_was_not_asked_for(
    serve: Serve, collector: Any, provider: Any, variables: dict[str, str]
) -> None:
    """Without an address, or switched off, there is no stage, nothing goes out, and the provider sees no trace."""
    given = {name: value.replace("COLLECTOR", collector.url) for name, value in variables.items()}
    with serve(**given) as host:
        assert host.converse("llm", traceparent=PARENT).status == 200
        components = host.request("GET", "/v1.0/metadata").json["jackfield"]["components"]
    assert "wrap otel" not in components[0]["stages"]
    assert collector.seen == []
    assert "traceparent" not in provider.seen[0][1]


def test_the_sdk_is_not_imported_unasked() -> None:
    """The plugin that the host imports at every start costs none of the SDK's time."""
    code = "import sys, jackfield_otel.plugin; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_conversation_that_runs_while_the_host_stops_is_told(serve: Serve, collector: Any, provider: Any) -> None:
    """A graceful stop lets requests finish, and their spans are sent too."""
    asked, go = threading.Event(), threading.Event()
    at_once = provider.answer

    def late(path: str, body: bytes) -> tuple[int, bytes]:
        asked.set()
        assert go.wait(30)
        answer: tuple[int, bytes] = at_once(path, body)
        return answer

    provider.answer = late
    with serve(**to(collector)) as host, ThreadPoolExecutor() as threads:
        reply = threads.submit(host.converse, "llm")
        assert asked.wait(30)
        host.stop()
        host.loop.call_soon_threadsafe(go.set)
        assert reply.result(30).status == 200
        host.join()
    assert [span.name for span in collector.spans] == ["chat said-1"]


def test_a_stream_that_is_left_is_told_as_such(collector: Any, attributes_of: AttributesOf) -> None:
    """A caller that goes in the middle makes an error of type cancelled; one that goes after the end makes none."""
    message = Message(role="user", parts=(TextPart("hello"),))
    request = ConversationRequest(component="llm", messages=(message,), stream=True)

    def no_other(*_: Any, **__: Any) -> Any:
        raise LookupError

    async def events(_: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(TextPart("one"))
        yield Finish("stop")
        yield Usage(1, 1, 2)

    async def run() -> None:
        telemetry = Telemetry(Wishes(traces=f"{collector.url}/v1/traces"))
        component = Conversation(Build(name="llm", type_name="conversation.said", settings=Settings()))
        build = ChainBuild(
            name="llm",
            type_name="conversation.said",
            component=component,
            policies=PolicySettings(),
            digest="",
            references=no_other,
            targets=no_other,
            supplies=no_other,
        )
        traced = TraceStage(build, telemetry)(events)
        for taken in (1, 2):
            async with aclosing(traced(request)) as reply:
                for _ in range(taken):
                    await anext(reply)
        sent = threading.Event()
        telemetry.close(sent.set)
        await asyncio.to_thread(sent.wait, 30)

    asyncio.run(run())
    assert [attributes_of(span).get("error.type") for span in collector.spans] == ["cancelled", None]


def test_a_collector_that_is_down_holds_up_nothing(serve: Serve) -> None:
    """Requests are answered and the host stops in time though nobody takes the telemetry."""
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as host:
        assert host.converse("llm").status == 200


def _nothing_private(collector: Any) -> None:
    sent = b"".join(body for _, _, body in collector.seen)
    assert sent
    for hidden in (b"secret plan", b"private words", b"sk-quite-secret"):
        assert hidden not in sent
