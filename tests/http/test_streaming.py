"""Streamed replies of alpha2 on both servers: their shape, what fails before and after the first event, silence."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from running import RunningHost, component
from scripted import Signal, Sse, sse_events, streamed, streaming_plugin

from jackfield import (
    ConversationRequest,
    Delta,
    Event,
    Finish,
    InvokeError,
    ProviderError,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    Usage,
)
from jackfield.serving.network import Network
from jackfield.testing import Exchange
from upstream import running_upstream

MAIL = "jane.doe@example.com"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


async def tale(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Everything that a reply may consist of, in two choices."""
    yield Delta(ReasoningPart("hm"))
    yield Delta(TextPart("Hel"))
    yield Delta(TextPart(""))
    yield Delta(TextPart("lo"))
    yield Delta(TextPart("Hi"), 1)
    yield Delta(ToolCallPart(0, "call-1", "lookup", '{"city"', "signed"))
    yield Delta(ToolCallPart(0, arguments=':"Bern"}'))
    yield Delta(ToolCallPart(1, "call-2", "clock"))
    yield Finish("tool_calls", 0, "model-1")
    yield Finish("stop", 1, "model-1")
    yield Usage(3, 5, 8, cached_tokens=2)


async def refusing(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    raise ProviderError("429: slow down", status=429)
    yield


async def faulty(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    raise KeyError("a secret")
    yield


async def empty(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    return
    yield


async def unfinished(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    yield Delta(TextPart("half a "))


async def breaking(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    yield Delta(TextPart("half a "))
    raise InvokeError("the model fell over")


async def bursting(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    yield Delta(TextPart("half a "))
    raise KeyError("a secret")


async def stalling(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    yield Delta(TextPart("half a "))
    await asyncio.Event().wait()


async def mailing(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    for piece in ("Write to jane.", "doe@exam", "ple.com today"):
        yield Delta(TextPart(piece))
    yield Finish("stop")


async def telling_the_time(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    await asyncio.sleep(0)
    yield Delta(TextPart(str(time.perf_counter())))
    yield Finish("stop")


STREAMS = {
    "tale": tale,
    "refusing": refusing,
    "faulty": faulty,
    "empty": empty,
    "unfinished": unfinished,
    "breaking": breaking,
    "bursting": bursting,
    "stalling": stalling,
    "mailing": mailing,
    "clock": telling_the_time,
}


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="host")
def _host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    limits = {"stalling": {"timeout": "300ms"}}
    manifests = [component(name, f"conversation.{name}", **limits.get(name, {})) for name in STREAMS]
    manifests += [
        component("echo"),
        component("kept", "conversation.tale", responseCacheTTL="1h"),
        component("bare", "conversation.mailing", scrubber="none"),
    ]
    routed: Any = [{"name": "refusing"}, {"name": "tale"}]
    late: Any = [{"name": "breaking"}, {"name": "tale"}]
    manifests += [
        component("front", "conversation.router", targets=routed),
        component("late", "conversation.router", targets=late),
    ]
    (folder / "all.yaml").write_text("---\n".join(manifests))
    plugin = streaming_plugin(**STREAMS)
    with RunningHost(folder, Network(port=0, server=request.param), plugins=[plugin]) as running:
        yield running


def whole(host: RunningHost, name: str, **arguments: Any) -> tuple[dict[str, str], list[Sse]]:
    """Ask for a streamed reply and read it to its end; gives its headers and its events."""
    with streamed(host, name, **arguments) as response:
        assert response.status == 200
        return {key.lower(): value for key, value in response.getheaders()}, list(sse_events(response))


def choices(events: list[Sse]) -> list[dict[str, Any]]:
    """Return the choice of each plain event."""
    found = []
    for event in events:
        if event.data is not None and not event.name:
            (output,) = event.data["outputs"]
            (choice,) = output["choices"]
            found.append(choice)
    return found


def text(events: list[Sse]) -> str:
    """Return what the first choice says."""
    return "".join(choice["delta"].get("content", "") for choice in choices(events) if "index" not in choice)


def test_a_reply_comes_in_pieces_of_alpha2_s_shape(host: RunningHost) -> None:
    """Text, calls and finish reasons stand where a whole reply has them, and ``done`` tells usage and record."""
    headers, events = whole(host, "tale", body={"contextId": "c-1"}, x_request_id="mine")
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-jackfield-component"] == "tale"
    assert headers["x-request-id"] == "mine"
    assert "content-length" not in headers
    assert "x-jackfield-overhead-ms" not in headers
    named = {"id": "call-1~opaque~signed", "function": {"name": "lookup", "arguments": '{"city"'}}
    assert choices(events) == [
        {"delta": {"content": "Hel"}},
        {"delta": {"content": "lo"}},
        {"index": "1", "delta": {"content": "Hi"}},
        {"delta": {"toolCalls": [named]}},
        {"delta": {"toolCalls": [{"function": {"arguments": ':"Bern"}'}}]}},
        {"delta": {"toolCalls": [{"index": "1", "id": "call-2", "function": {"name": "clock"}}]}},
        {"finishReason": "tool_calls", "delta": {}},
        {"finishReason": "stop", "index": "1", "delta": {}},
    ]
    assert [event.data["outputs"][0].get("model") for event in events if not event.name and event.data][-1] == "model-1"
    done = events[-1]
    assert done.name == "done"
    record = done.data.pop("record")
    details = {"promptTokensDetails": {"cachedTokens": "2"}}
    assert done.data == {
        "contextId": "c-1",
        "usage": {"promptTokens": "3", "completionTokens": "5", "totalTokens": "8", **details},
    }
    assert 0 <= record.pop("overheadMs") < 10_000
    assert record == {"requestId": "mine", "component": "tale"}


@pytest.mark.parametrize(
    ("body", "headers", "streams"),
    [
        ({"stream": True}, {}, True),
        ({"stream": True}, {"accept": "application/json"}, True),
        ({"stream": None}, {"accept": "text/event-stream"}, True),
        ({"stream": None}, {"accept": "application/json;q=0.1, text/event-stream"}, True),
        ({"stream": False}, {"accept": "text/event-stream"}, False),
        ({"stream": None}, {"accept": "TEXT/Event-Stream ;q=0.5,application/json"}, True),
        ({"stream": None}, {"accept": "*/*"}, False),
        ({"stream": None}, {"accept": "application/json, text/event-stream; q=0.0"}, False),
        ({"stream": None}, {"accept": "text/event-streams"}, False),
        ({"stream": None}, {}, False),
    ],
)
def test_a_stream_is_asked_for_in_the_body_or_by_accept(
    host: RunningHost, body: dict[str, Any], headers: dict[str, str], streams: bool
) -> None:
    """Either asks for it; where the body says that none is wanted, it has the last word."""
    with streamed(host, "echo", body=body, **headers) as response:
        expected = "text/event-stream" if streams else "application/json"
        assert (response.status, response.getheader("content-type")) == (200, expected)
        response.read()


@pytest.mark.parametrize("stream", ["yes", 1, {}, []])
def test_a_stream_is_asked_for_with_a_boolean(host: RunningHost, stream: Any) -> None:
    """Whatever else stands there is the caller's mistake."""
    with streamed(host, "echo", body={"stream": stream}) as response:
        assert (response.status, json.load(response)["errorCode"]) == (400, "ERR_MALFORMED_REQUEST")


def test_alpha1_has_no_streams(host: RunningHost) -> None:
    """Its reply is whole, whatever asks for another: it has no shape for pieces."""
    body = '{"inputs":[{"content":"hi"}],"stream":true}'
    reply = host.request("POST", "/v1.0-alpha1/conversation/tale/converse", body, accept="text/event-stream")
    assert (reply.status, reply.json["outputs"][0]["result"]) == (202, "Hello")


@pytest.mark.parametrize(
    ("name", "status", "code", "said"),
    [
        ("nobody", 400, "ERR_CONVERSATION_NOT_FOUND", "nobody"),
        ("refusing", 500, "ERR_CONVERSATION_INVOKE", "429: slow down"),
        ("faulty", 500, "ERR_CONVERSATION_INVOKE", "raised KeyError"),
        ("empty", 500, "ERR_CONVERSATION_INVOKE", "ended before it was finished"),
    ],
)
def test_what_fails_before_the_first_event_is_an_error_like_any_other(
    host: RunningHost, name: str, status: int, code: str, said: str
) -> None:
    """Status and headers wait for the first event, so that a client needs no second way to see a failure."""
    with streamed(host, name) as response:
        document = json.load(response)
        assert (response.status, response.getheader("content-type")) == (status, "application/json")
    assert document["errorCode"] == code
    assert said in document["message"]
    assert "a secret" not in document["message"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unfinished", "ended before it was finished"),
        ("breaking", "the model fell over"),
        ("bursting", "raised KeyError"),
        ("stalling", "no further event within 300ms"),
        ("late", "the model fell over"),
    ],
)
def test_what_fails_after_the_first_event_ends_the_stream_with_an_error(
    host: RunningHost, name: str, said: str
) -> None:
    """What came stays, ``error`` says why no more comes, and no ``done`` follows; the connection ends in order."""
    _, events = whole(host, name)
    assert text(events) == "half a "
    assert [event.name for event in events] == ["", "error"]
    assert events[-1].data["errorCode"] == "ERR_CONVERSATION_INVOKE"
    assert said in events[-1].data["message"]
    assert "a secret" not in events[-1].data["message"]


def test_a_kept_reply_is_streamed_again(host: RunningHost) -> None:
    """The second reply comes from the cache, with the same text; headers and ``done`` say so."""
    first_headers, first = whole(host, "kept", text="same")
    again_headers, again = whole(host, "kept", text="same")
    assert (first_headers["x-jackfield-cache"], again_headers["x-jackfield-cache"]) == ("miss", "hit")
    assert [event.data["record"]["cache"] for event in (first[-1], again[-1])] == ["miss", "hit"]
    assert again[-1].data["record"]["age"] >= 0
    assert text(first) == text(again) == "Hello"
    assert first[-1].data["usage"] == again[-1].data["usage"]
    assert [choice for choice in choices(again) if "finishReason" in choice] == [
        {"finishReason": "tool_calls", "delta": {}},
        {"finishReason": "stop", "index": "1", "delta": {}},
    ]


def test_a_router_falls_back_before_the_first_event(host: RunningHost) -> None:
    """A target that fails at once is passed over without the client's knowing."""
    headers, events = whole(host, "front")
    assert text(events) == "Hello"
    assert headers["x-jackfield-component"] == events[-1].data["record"]["component"] == "tale"


def test_a_streamed_reply_is_scrubbed_across_its_pieces(host: RunningHost) -> None:
    """An address that arrives in three pieces is masked; without a scrubber the request is refused at once."""
    _, events = whole(host, "mailing", body={"scrubPII": True})
    assert MAIL not in text(events)
    assert "EMAIL_ADDRESS" in text(events)
    assert events[-1].name == "done"
    with streamed(host, "bare", body={"scrubPII": True}) as response:
        assert (response.status, json.load(response)["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")


def test_a_connection_is_kept_after_a_stream(host: RunningHost) -> None:
    """Streams and whole replies take turns on one connection."""
    connection = host.connection()
    body = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hi"}]}}]}]}
    for stream in (True, False, True, True):
        path = "/v1.0-alpha2/conversation/echo/converse"
        connection.request("POST", path, json.dumps({**body, "stream": stream}))
        response = connection.getresponse()
        assert response.status == 200
        assert b"hi" in response.read()
        assert connection.sock is not None
    connection.close()


def test_the_first_token_is_not_held_back(host: RunningHost) -> None:
    """Between the provider's first token and its arrival at the client lie at most 2 ms, in the best of 20 runs."""

    def delay() -> float:
        with streamed(host, "clock") as response:
            event = next(sse_events(response))
            arrived = time.perf_counter()
            response.read()
        return arrived - float(event.data["outputs"][0]["choices"][0]["delta"]["content"])

    assert min(delay() for _ in range(20)) < 0.002


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_silence_is_broken_by_comments_after_the_first_event_alone(tmp_path: Path, server: str) -> None:
    """Before it nothing is sent, as the status isn't known; after it a comment tells that the reply goes on."""
    before, after = Signal(), Signal()

    async def slow(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        await before.wait()
        yield Delta(TextPart("at last"))
        await after.wait()
        yield Finish("stop")

    (tmp_path / "slow.yaml").write_text(component("slow", "conversation.slow"))
    plugins = [streaming_plugin(slow=slow)]
    with RunningHost(tmp_path, Network(port=0, server=server), {"heartbeat": 0.1}, plugins) as host:
        body = b'{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"hi"}]}}]}],"stream":true}'
        with host.connect() as connection:
            head = "POST /v1.0-alpha2/conversation/slow/converse HTTP/1.1\r\nHost: localhost"
            connection.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            assert before.awaited.wait(20)
            connection.settimeout(0.4)
            with pytest.raises(TimeoutError):
                connection.recv(1)  # nothing comes before the first event
            connection.settimeout(20)
            before.set()
            received = b""
            while received.count(b": heartbeat\n\n") < 2:
                received += connection.recv(65536)
            after.set()
            while b"event: done" not in received:
                received += connection.recv(65536)
    assert received.index(b"at last") < received.index(b": heartbeat")
    assert b": heartbeat" not in received.partition(b"finishReason")[2]


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_thinking_in_silence_sends_the_headers(tmp_path: Path, server: str) -> None:
    """Reasoning has no field in alpha2, yet its first piece commits the reply: status and headers leave with it."""
    later = Signal()

    async def thinking(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(ReasoningPart("hm"))
        await later.wait()
        yield Delta(TextPart("so"))
        yield Finish("stop")

    (tmp_path / "thinking.yaml").write_text(component("thinking", "conversation.thinking"))
    network, plugins = Network(port=0, server=server), [streaming_plugin(thinking=thinking)]
    with RunningHost(tmp_path, network, plugins=plugins) as host, streamed(host, "thinking") as response:
        assert response.status == 200
        later.set()
        events = list(sse_events(response))
    assert text(events) == "so"
    assert b"hm" not in repr(events).encode()


def chunk(text: str) -> bytes:
    """Write a piece as OpenAI's API does."""
    piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(piece).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", False),
        (EVENTS + b"data: {broken\n\n", False),
        (EVENTS + chunk("half a ") + b"data: {broken\n\n", True),
        (EVENTS + chunk("half a ") + b'data: {"error": {"message": "out of memory"}}\n\n', True),
        (EVENTS + chunk("half a ") + b"\xff\xfe\x00\n\n", True),
        (EVENTS + chunk("half a "), True),
    ],
    ids=["busy", "broken at once", "broken chunk", "error chunk", "no text", "cut"],
)
@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_real_provider_that_breaks_is_told_of(tmp_path: Path, server: str, sent: bytes, begins: bool) -> None:
    """Over the network it is the same: an HTTP error before the first event, ``error`` after it, never ``done``."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send_raw(sent)
        exchange.writer.close()

    with running_upstream(answer) as upstream:
        llm = component("llm", "conversation.openai", key="sk-0123456789", endpoint=upstream.endpoint, model="m")
        (tmp_path / "llm.yaml").write_text(llm)
        with RunningHost(tmp_path, Network(port=0, server=server)) as host, streamed(host, "llm") as response:
            if begins:
                assert response.status == 200
                events = list(sse_events(response))
                assert text(events) == "half a "
                assert [event.name for event in events] == ["", "error"]
                told = events[-1].data
            else:
                assert response.status == 500
                told = json.load(response)
    assert told["errorCode"] == "ERR_CONVERSATION_INVOKE"
    assert "failed conversing with component llm" in told["message"]
