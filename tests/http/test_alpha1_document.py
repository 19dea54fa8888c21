"""Alpha1 as its reference document has it, and as daprd does, through a host that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from raw_http import converse_path
from running import RunningHost, component

from jackfield.serving.network import Network
from upstream import Upstream, running_upstream

EXAMPLE = """{
  "inputs": [
    {
      "content": "What is Dapr?",
      "role": "user",
      "scrubPII": "%s"
    }
  ],
  "cacheTTL": "10m",
  "scrubPII": "%s",
  "temperature": 0.5
}"""
"""The reference document's request, without its ``REQUEST =``, its comments and its trailing commas."""
INVALID = "ERR_CONVERSATION_INVALID_PARMS"


def inputs(*texts: str) -> list[dict[str, Any]]:
    """Return inputs without roles."""
    return [{"content": text} for text in texts]


def post(host: RunningHost, name: str, body: Any) -> tuple[int, Any]:
    """Ask alpha1 and return status and JSON."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    reply = host.request("POST", converse_path(name, "alpha1"), data)
    assert reply.headers["content-type"] == "application/json"
    return reply.status, reply.json


@pytest.fixture(scope="module", name="upstream")
def _upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


def _serving(
    tmp_path_factory: pytest.TempPathFactory, upstream: Upstream, server: str, alpha1: str
) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    llm = component("llm", "conversation.openai", key="sk-0123456789", endpoint=upstream.endpoint)
    (folder / "a.yaml").write_text(component("echo") + "---\n" + llm)
    with RunningHost(folder, Network(port=0, server=server), {"alpha1": alpha1}) as running:
        yield running


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"], name="documented")
def _documented(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, upstream: Upstream
) -> Iterator[RunningHost]:
    """A host that follows the document, as it does by default."""
    yield from _serving(tmp_path_factory, upstream, request.param, "documented")


@pytest.fixture(scope="module", name="as_daprd")
def _as_daprd(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[RunningHost]:
    """A host started with ``--alpha1 daprd``."""
    yield from _serving(tmp_path_factory, upstream, "hypercorn", "daprd")


@pytest.mark.parametrize("word", ["false", "False", "FALSE"])
def test_the_example_request_with_its_flags_off_is_accepted(documented: RunningHost, word: str) -> None:
    """The document's own request answers 202 with ``result`` and ``parameters``."""
    assert post(documented, "echo", EXAMPLE % (word, word)) == (
        202,
        {"outputs": [{"result": "What is Dapr?", "parameters": {}}]},
    )


@pytest.mark.parametrize("flags", [("true", "true"), ("true", "false"), ("false", "true"), ("TRUE", "False")])
def test_the_example_request_as_written_is_scrubbed(documented: RunningHost, flags: tuple[str, str]) -> None:
    """It answers 202, and an address in it is masked on its way in or on its way out."""
    sent = (EXAMPLE % flags).replace("What is Dapr?", "Who is jane@example.com?")
    expected = {"outputs": [{"result": "Who is <EMAIL_ADDRESS>?", "parameters": {}}]}
    assert post(documented, "echo", sent) == (202, expected)


def test_echo_gives_one_output_per_input_in_order(documented: RunningHost) -> None:
    """A provider without a model answers each input, empty ones too."""
    assert post(documented, "echo", {"inputs": inputs("one", "", "three")}) == (
        202,
        {"outputs": [{"result": text, "parameters": {}} for text in ("one", "", "three")]},
    )


def test_a_model_gets_all_inputs_as_one_conversation(documented: RunningHost, upstream: Upstream) -> None:
    """A model is called once with every input, and gives one output per choice."""
    before = len(upstream.requests)
    sent = [
        {"content": "Be brief.", "role": "system"},
        {"content": "Hi!", "role": "HUMAN"},
        {"content": "Hello.", "role": "Assistant"},
        {"content": "What?"},
    ]
    status, body = post(documented, "llm", {"inputs": sent, "parameters": {"n": 2}})
    assert status == 202
    assert body == {"outputs": [{"result": "You said: What?", "parameters": {"n": 2}}] * 2}
    (asked,) = upstream.requests[before:]
    assert asked.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi!"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "What?"},
    ]


@pytest.mark.parametrize(
    ("role", "sent", "content"),
    [
        ("user", "user", "hi"),
        ("Human", "user", "hi"),
        ("generic", "user", "hi"),
        ("", "user", "hi"),
        (None, "user", "hi"),
        ("SYSTEM", "system", "hi"),
        ("developer", "system", "hi"),  # what compatible servers understand
        ("assistant", "assistant", "hi"),
        ("ai", "assistant", "hi"),
        ("tool", "user", "Tool result: hi"),
        ("Function", "user", "Tool result: hi"),
    ],
)
def test_every_role_reaches_the_provider(
    documented: RunningHost, as_daprd: RunningHost, upstream: Upstream, *, role: str | None, sent: str, content: str
) -> None:
    """Roles are read in any case; a tool's result goes out as user text that says what it is, in both modes."""
    for host, status in ((documented, 202), (as_daprd, 200)):
        assert post(host, "llm", {"inputs": [{"content": "hi", "role": role}]})[0] == status
        (message,) = upstream.requests[-1].body["messages"]
        assert message == {"role": sent, "content": content}


def test_a_context_id_comes_back(documented: RunningHost) -> None:
    """``contextID`` is repeated if it isn't empty."""
    output = {"outputs": [{"result": "hi", "parameters": {}}]}
    assert post(documented, "echo", {"inputs": inputs("hi"), "contextID": "c-1"}) == (
        202,
        {"contextID": "c-1", **output},
    )
    assert post(documented, "echo", {"inputs": inputs("hi"), "contextID": ""}) == (202, output)


def test_parameters_come_back_with_each_output(documented: RunningHost) -> None:
    """Each output repeats the request's parameters as they were sent."""
    parameters = {
        "tenant": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "a"},
        "plain": [1, {"x": None}],
        "empty": {},
    }
    status, body = post(documented, "echo", {"inputs": inputs("a", "b"), "parameters": parameters})
    assert status == 202
    assert body == {"outputs": [{"result": text, "parameters": parameters} for text in ("a", "b")]}


def test_metadata_reaches_the_component(documented: RunningHost, upstream: Upstream) -> None:
    """Any JSON scalar is a value, and no key breaks decoding, as ``message`` and ``tools`` do in daprd."""
    metadata = {"tenant": "a", "message": "m", "tools": "t", "number": 1.5, "flag": True, "none": None, "zero": 0}
    status, _ = post(documented, "llm", {"inputs": inputs("hi"), "metadata": metadata})
    assert status == 202
    assert upstream.requests[-1].body["metadata"] == {
        "tenant": "a",
        "message": "m",
        "tools": "t",
        "number": "1.5",
        "flag": "true",
        "zero": "0",
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"inputs": [{"content": "x", "role": "robot"}]}, INVALID),
        ({"inputs": [{"role": "user"}]}, INVALID),
        ({"inputs": inputs("x"), "cacheTTL": "600"}, INVALID),
        ({"inputs": inputs("x"), "cacheTTL": "-10m"}, INVALID),
        ({"inputs": [{"content": 1}]}, "ERR_MALFORMED_REQUEST"),
        ({"inputs": inputs("x"), "scrubPII": 1}, "ERR_MALFORMED_REQUEST"),
    ],
)
def test_the_document_s_400s(documented: RunningHost, body: Any, code: str) -> None:
    """What can't be used is INVALID_PARMS, a wrong JSON type is malformed; both are 400."""
    status, error = post(documented, "echo", body)
    assert (status, error["errorCode"]) == (400, code)


@pytest.mark.parametrize("ttl", ["10m", "1h30m", "0s", "500ms", "86400s"])
def test_a_cache_ttl_is_a_go_duration(documented: RunningHost, ttl: str) -> None:
    """Go's durations are read, protobuf's among them."""
    assert post(documented, "echo", {"inputs": inputs("x"), "cacheTTL": ttl})[0] == 202


@pytest.mark.parametrize(
    ("body", "status", "reply"),
    [
        ({"inputs": inputs("hi")}, 200, {"outputs": [{"result": "hi"}]}),
        ({"inputs": inputs("")}, 200, {"outputs": [{}]}),
        ({"inputs": inputs("one", "two")}, 200, {"outputs": [{"result": "one\ntwo"}]}),
        ({"inputs": [{"content": "hi", "role": "robot"}]}, 200, {"outputs": [{"result": "hi"}]}),
        ({"inputs": inputs("hi"), "contextID": "c"}, 200, {"contextID": "c", "outputs": [{"result": "hi"}]}),
        (
            {"inputs": inputs("hi"), "parameters": {"a": 1}},
            200,
            {"outputs": [{"result": "hi", "parameters": {"a": 1}}]},
        ),
        ({"inputs": inputs("hi"), "scrubPII": False, "cacheTTL": "10m"}, 200, {"outputs": [{"result": "hi"}]}),
        ({"inputs": inputs("hi"), "scrubPII": "false"}, 400, "ERR_MALFORMED_REQUEST"),
        ({"inputs": inputs("a@b.co"), "scrub_pii": True}, 200, {"outputs": [{"result": "<EMAIL_ADDRESS>"}]}),
        ({"inputs": inputs("hi"), "metadata": {"message": "m", "tools": 1}}, 200, {"outputs": [{"result": "hi"}]}),
    ],
)
def test_what_daprd_s_way_changes(as_daprd: RunningHost, body: Any, status: int, reply: Any) -> None:
    """200, omitted defaults, one joined output, unknown roles, literal booleans; extensions stay, faults don't."""
    answered, sent = post(as_daprd, "echo", body)
    assert (answered, sent if status == 200 else sent["errorCode"]) == (status, reply)


def test_alpha2_is_the_same_in_both_ways(documented: RunningHost, as_daprd: RunningHost) -> None:
    """Alpha2 answers 200, omits defaults and joins echo's output, whatever alpha1 follows (section 1.5)."""
    body = {
        "contextId": "c-7",
        "inputs": [
            {
                "messages": [
                    {"ofUser": {"content": [{"text": "well hello there"}]}},
                    {"ofSystem": {"content": [{"text": "You are a helpful assistant"}]}},
                ]
            }
        ],
        "tools": [
            {
                "function": {
                    "name": "test_function",
                    "description": "a function",
                    "parameters": {"type": "object", "properties": {"param1": {"type": "string"}}},
                }
            }
        ],
    }
    for host in (documented, as_daprd):
        reply = host.request("POST", converse_path("echo"), body)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
        assert reply.json == {
            "contextId": "c-7",
            "outputs": [
                {
                    "choices": [
                        {
                            "finishReason": "tool_calls",
                            "message": {
                                "content": "well hello there\nYou are a helpful assistant",
                                "toolCalls": [
                                    {"id": "0", "function": {"name": "test_function", "arguments": "param1"}}
                                ],
                            },
                        }
                    ],
                    "usage": {"completionTokens": "8", "promptTokens": "8", "totalTokens": "16"},
                }
            ],
        }
