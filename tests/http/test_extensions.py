"""What a request may say beyond Dapr's API, and what reaches the provider of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_http import converse_path
from running import Reply, RunningHost, component

from jackfield.serving.network import Network
from upstream import Upstream, running_upstream

APIS = pytest.mark.parametrize("api", ["alpha1", "alpha2"])
KEY = "sk-quite-secret-0123456789"
INVALID = "ERR_CONVERSATION_INVALID_PARMS"
INT64 = "type.googleapis.com/google.protobuf.Int64Value"


def manifests(upstream: Upstream) -> str:
    """Return components that differ in what they let a request override."""

    def llm(name: str, more: str = "", **items: str) -> str:
        return component(name, "conversation.openai", key=KEY, endpoint=upstream.endpoint, model="own", **items) + more

    return "---\n".join(
        [
            component("echo"),
            llm("free"),
            llm("warm", temperature="0.7", maxTokens="50", stop="END"),
            llm("open", "  - name: requestOverrides\n    value: [model, temperature]\n"),
            llm("closed", "  - name: requestOverrides\n    value: []\n"),
            llm("masked", scrubPII="both"),
        ]
    )


@pytest.fixture(scope="module", name="upstream")
def _upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="extended")
def _extended(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[RunningHost]:
    folder: Path = tmp_path_factory.mktemp("manifests")
    (folder / "a.yaml").write_text(manifests(upstream))
    with RunningHost(folder, Network(port=0, server=request.param), {"deny_plugins": ("presidio",)}) as running:
        assert running.request("GET", "/v1.0/healthz").status == 204, running.request("GET", "/v1.0/metadata").body
        yield running


def ask(host: RunningHost, name: str, api: str, within: dict[str, Any] | None = None, /, **members: Any) -> Reply:
    """Say hi with further members of the body, and of its input."""
    said = [{"content": "hi"}] if api == "alpha1" else [{"messages": [{"ofUser": {"content": [{"text": "hi"}]}}]}]
    body = {"inputs": [{**said[0], **(within or {})}], **members}
    return host.request("POST", converse_path(name, api), body)


def sent(upstream: Upstream) -> dict[str, Any]:
    """Return what the upstream was asked last, without the conversation itself."""
    body = dict(upstream.requests[-1].body)
    del body["messages"]
    return body


SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"temperature": 0}, {"temperature": 0}),
    ({"temperature": "0.5"}, {"temperature": 0.5}),
    ({"temperature": None}, {}),
    ({"maxTokens": 7}, {"max_tokens": 7}),
    ({"max_tokens": "7"}, {"max_tokens": 7}),
    ({"topP": 0.5, "seed": 3, "stop": ["a", "b"]}, {"top_p": 0.5, "seed": 3, "stop": ["a", "b"]}),
    ({"parameters": {"max_tokens": 7, "top_p": 0}}, {"max_tokens": 7, "top_p": 0}),
    ({"parameters": {"maxTokens": {"@type": INT64, "value": "7"}}}, {"max_tokens": 7}),
    ({"parameters": {"stop": "END", "unknown": 1}}, {"stop": ["END"]}),
    ({"parameters": {"presencePenalty": -1, "frequency_penalty": 2}}, {"presence_penalty": -1, "frequency_penalty": 2}),
    ({"metadata": {"max_tokens": "7", "tenant": "a"}}, {"max_tokens": 7, "metadata": {"tenant": "a"}}),
    ({"metadata": {"temperature": "0", "stop": '["a","b"]'}}, {"temperature": 0, "stop": ["a", "b"]}),
    ({"seed": 1, "parameters": {"seed": 2}, "metadata": {"seed": "3"}}, {"seed": 1}),
    ({"parameters": {"seed": 2}, "metadata": {"seed": "3"}}, {"seed": 2}),
    ({"metadata": {"message": "m", "tools": "t", "k": ""}}, {"metadata": {"message": "m", "tools": "t", "k": ""}}),
]


@APIS
@pytest.mark.parametrize(("members", "reaching"), SETTINGS)
def test_settings_reach_the_provider_from_every_place(
    extended: RunningHost, upstream: Upstream, api: str, members: dict[str, Any], reaching: dict[str, Any]
) -> None:
    """The top level comes before parameters, these before metadata; what is not set is not sent, and a 0 is."""
    reply = ask(extended, "free", api, **members)
    assert reply.status in {200, 202}
    assert "x-jackfield-ignored" not in reply.headers
    body = sent(upstream)
    # The field's name is the provider's choice by model: what counts is that the number arrives once.
    tokens = [body.pop(name) for name in ("max_tokens", "max_completion_tokens") if name in body]
    assert tokens == [value for name, value in reaching.items() if name == "max_tokens"]
    assert body == {"model": "own", **{name: value for name, value in reaching.items() if name != "max_tokens"}}


@APIS
def test_the_manifest_s_settings_are_the_defaults(extended: RunningHost, upstream: Upstream, api: str) -> None:
    """A request's settings replace the manifest's one by one."""
    ask(extended, "warm", api)
    body = sent(upstream)
    assert (body["temperature"], body["stop"]) == (0.7, ["END"])
    assert 50 in body.values()
    ask(extended, "warm", api, temperature=0, parameters={"stop": ["x"]})
    body = sent(upstream)
    assert (body["temperature"], body["stop"]) == (0, ["x"])
    assert 50 in body.values()


@APIS
@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({"model": "other"}, "model"),
        ({"parameters": {"model": "other"}}, "model"),
        ({"metadata": {"model": "other"}}, "model"),
        (
            {"metadata": {"key": "sk-other", "endpoint": "http://evil.example", "Model": "other"}},
            "endpoint, key, model",
        ),
        ({"parameters": {"apiKey": "sk-other"}, "endPoint": "http://evil.example"}, "endpoint, key"),
    ],
)
def test_an_override_that_is_not_allowed_has_no_effect_and_is_named(
    extended: RunningHost, upstream: Upstream, api: str, members: dict[str, Any], names: str
) -> None:
    """Clients of daprd send such keys freely: they are left out, and a reply header says so."""
    reply = ask(extended, "free", api, **members)
    assert reply.status in {200, 202}
    assert reply.headers["x-jackfield-ignored"] == names
    assert sent(upstream) == {"model": "own"}
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    reply = ask(extended, "echo", api, **members)
    assert (reply.status in {200, 202}, reply.headers["x-jackfield-ignored"]) == (True, names)


@APIS
@pytest.mark.parametrize(
    ("name", "members", "named"),
    [
        ("open", {"maxTokens": 5}, "max_tokens"),
        ("open", {"metadata": {"key": "x"}}, "key"),
        ("open", {"parameters": {"top_p": 0.5, "endpoint": "http://evil.example"}}, "endpoint, top_p"),
        ("closed", {"temperature": 0}, "temperature"),
        ("closed", {"model": "other"}, "model"),
    ],
)
def test_where_the_manifest_chooses_an_override_beyond_it_is_an_error(
    extended: RunningHost, upstream: Upstream, *, api: str, name: str, members: dict[str, Any], named: str
) -> None:
    """A manifest that sets requestOverrides itself gets no silent leniency: 400 names what isn't in it."""
    before = len(upstream.requests)
    reply = ask(extended, name, api, **members)
    assert (reply.status, reply.json["errorCode"]) == (400, INVALID)
    assert reply.json["message"] == (
        f"failed conversing with component {name}: invalid params: {named}:"
        " not among the requestOverrides of the component's manifest"
    )
    assert len(upstream.requests) == before


@APIS
@pytest.mark.parametrize("place", ["top", "parameters", "metadata"])
def test_a_model_that_is_allowed_reaches_the_provider(
    extended: RunningHost, upstream: Upstream, api: str, place: str
) -> None:
    """Where the manifest lists it, a request chooses the model, from any of the three places."""
    members = {"model": "bigger"} if place == "top" else {place: {"model": "bigger"}}
    reply = ask(extended, "open", api, temperature=0, **members)
    assert reply.status in {200, 202}
    assert sent(upstream) == {"model": "bigger", "temperature": 0}
    assert "x-jackfield-ignored" not in reply.headers


@APIS
@pytest.mark.parametrize("within", [False, True], ids=["request", "input"])
@pytest.mark.parametrize("spelling", ["scrubPII", "scrubPii", "scrub_pii", "ScrubPII", "SCRUB_PII", "scrubpii"])
def test_every_spelling_of_the_scrub_flag_fails_closed(
    extended: RunningHost, upstream: Upstream, api: str, spelling: str, within: bool
) -> None:
    """Nothing goes out unscrubbed: without a scrubber the request is 500, naming what to install."""
    before = len(upstream.requests)
    flag = {spelling: True}
    for name in ("free", "echo"):
        reply = ask(extended, name, api, flag) if within else ask(extended, name, api, **flag)
        assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
        assert reply.json["message"].startswith(f"failed conversing with component {name}: scrubbing was asked for")
        assert "jackfield install presidio" in reply.json["message"]
        off = {spelling: False}
        reply = ask(extended, name, api, off) if within else ask(extended, name, api, **off)
        assert reply.status in {200, 202}
    assert len(upstream.requests) == before + 1


@APIS
def test_a_manifest_s_wish_to_scrub_cannot_be_undone(extended: RunningHost, upstream: Upstream, api: str) -> None:
    """A request that says false gets the same refusal as one that says nothing."""
    before = len(upstream.requests)
    for members in ({}, {"scrubPII": False}):
        reply = ask(extended, "masked", api, dict(members), **members)
        assert (reply.status, reply.json["errorCode"]) == (500, "ERR_CONVERSATION_INVOKE")
    assert len(upstream.requests) == before


@APIS
@pytest.mark.parametrize("key", ["cacheTTL", "cacheTtl", "cache_ttl"])
@pytest.mark.parametrize("value", ["10m", "0s", "86400s", "24h"])
def test_a_cache_ttl_is_taken_on_both(
    extended: RunningHost, upstream: Upstream, api: str, key: str, value: str
) -> None:
    """The field is our own on alpha2 and the document's on alpha1; the provider never sees it."""
    assert ask(extended, "free", api, **{key: value}).status in {200, 202}
    assert sent(upstream) == {"model": "own"}


@pytest.mark.parametrize("key", ["promptCacheRetention", "prompt_cache_retention"])
@pytest.mark.parametrize("value", ["86400s", "24h", "1.5s"])
def test_durations_are_taken_in_both_forms(extended: RunningHost, key: str, value: str) -> None:
    """Protobuf's form and Go's are both read (alpha2 alone has the field)."""
    assert ask(extended, "free", "alpha2", **{key: value}).status == 200


@APIS
def test_the_header_names_no_more_than_keys(extended: RunningHost, api: str) -> None:
    """Hostile spellings and values leave the header a plain list of known names."""
    reply = ask(extended, "free", api, metadata={"m_o-d_e-l": "a\r\nset-cookie: x=1", "KEY": "b"})
    assert reply.status in {200, 202}
    assert reply.headers["x-jackfield-ignored"] == "key, model"
    assert "set-cookie" not in reply.headers
