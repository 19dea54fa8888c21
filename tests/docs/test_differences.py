"""What the page on differences says is otherwise, tried on a running host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from markdown import page
from model_server import ModelServer
from running import RunningHost, component

from jackfield.metadata import DAPR_VERSION
from jackfield.serving.network import Network

DIFFERENCES = page("docs/operators/differences.md")
ALPHA1 = "/v1.0-alpha1/conversation/echo/converse"
ALPHA2 = "/v1.0-alpha2/conversation/echo/converse"
HELLO = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with an echo, a component that fails, and a proxied one whose environment names another model."""
    folder = tmp_path_factory.mktemp("manifests")
    with ModelServer() as upstream:
        (folder / "echo.yaml").write_text(component("echo"))
        (folder / "bad.yaml").write_text(component("bad", "conversation.nosuch", extra="  ignoreErrors: true\n"))
        (folder / "gpt.yaml").write_text(
            component("gpt", "conversation.openai", key="k", endpoint=upstream.endpoint)
            + "  - name: model\n    value: 1.10\n"
        )
        with RunningHost(folder, options={"environment": {"OPENAI_MODEL": "from-the-environment"}}) as running:
            yield running


def rows() -> list[str]:
    """The first cell of every row of the page, without marks."""
    return [line.split("|")[1].replace("`", "").strip() for line in DIFFERENCES.text.splitlines() if line[:1] == "|"]


def alpha1(**members: Any) -> dict[str, Any]:
    """Return an alpha1 request with further members."""
    return {"inputs": [{"content": "hello"}], **members}


def nested(levels: int) -> str:
    """Return a request with an unknown field of so many arrays; the body itself is a level too."""
    return '{"inputs":[],"other":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


class Claim(NamedTuple):
    """A row of the page, a request, and what shows in the answer that the row is true."""

    row: str
    route: str
    body: Any
    status: int
    text: str
    origin: str = ""


CLAIMS = [
    Claim("web pages", ALPHA2, HELLO, 403, "ERR_ORIGIN_NOT_ALLOWED", "https://page.example"),
    Claim("GET /v1.0/healthz/outbound", "GET /v1.0/healthz/outbound", None, 204, ""),
    Claim("metadata", ALPHA1, alpha1(metadata={"message": "x", "tools": 5}), 202, "hello"),
    Claim("role tool or function", ALPHA1, {"inputs": [{"content": "42", "role": "tool"}]}, 202, "Tool result: 42"),
    Claim("role developer", ALPHA1, {"inputs": [{"content": "x", "role": "developer"}]}, 202, "x"),
    Claim("content missing", ALPHA1, {"inputs": [{"role": "user"}]}, 400, "inputs[0].content: missing"),
    Claim("parameters", ALPHA2, HELLO | {"parameters": {"max_tokens": 100}}, 200, "hello"),
    Claim(
        "the scrub flag in the other version's spelling",
        ALPHA2,
        {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "to a@b.example"}]}}]}], "scrubPII": True},
        200,
        "to <EMAIL_ADDRESS>",
    ),
    Claim('"24h" as a duration', ALPHA2, HELLO | {"promptCacheRetention": "24h"}, 200, "hello"),
    Claim("a negative or infinite temperature", ALPHA2, HELLO | {"temperature": "Infinity"}, 400, "INVALID_PARMS"),
    Claim("a tool choice without tools", ALPHA2, HELLO | {"toolChoice": "nobody"}, 200, "hello"),
    Claim("a tool choice without tools", ALPHA2, HELLO | {"toolChoice": "required"}, 400, "tool choice must be"),
    Claim("responseFormat that isn't understood", ALPHA2, HELLO | {"responseFormat": {"x": 1}}, 400, "needs a type"),
    Claim("arrays and objects inside each other", ALPHA2, nested(200), 400, "MISSING_INPUTS"),
    Claim("arrays and objects inside each other", ALPHA2, nested(201), 400, "more than 200"),
    Claim("usage without tokens", ALPHA2, {"inputs": [{}]}, 200, '"usage":{}'),
    Claim("response cache", ALPHA2, HELLO | {"cacheTTL": "10m"}, 200, "hello"),
    Claim("metrics (port 9090)", "GET /metrics", None, 404, "ERR_DIRECT_INVOKE"),
    Claim(
        "an unknown conversation.* or secretstores.*", ALPHA2.replace("echo", "bad"), HELLO, 400, "no component type"
    ),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.row)
def test_a_request_is_answered_as_the_row_says(host: RunningHost, claim: Claim) -> None:
    """The row is on the page, and the host does what it says of it."""
    assert claim.row in rows()
    method, _, path = claim.route.rpartition(" ")
    headers = {"origin": claim.origin} if claim.origin else {}
    reply = host.request(method or "POST", path, claim.body, **headers)
    assert (reply.status, claim.text in reply.body.decode()) == (claim.status, True), reply.body


def test_a_value_keeps_its_text_and_a_manifest_wins_over_the_environment(host: RunningHost) -> None:
    """`model: 1.10` reaches the provider as it is written, whatever OPENAI_MODEL says."""
    assert {"a value's text", "precedence of model"} <= set(rows())
    reply = host.converse("gpt")
    assert reply.json["outputs"][0]["model"] == "1.10"


def test_the_host_listens_on_loopback_alone() -> None:
    """Unless an operator says otherwise nobody else's machine reaches the host."""
    assert "addresses" in rows()
    assert Network().addresses == ("127.0.0.1",)


def test_the_page_and_the_modules_tell_of_the_same_release() -> None:
    """The release that the page compares with is the one that the host gives as its own runtime version."""
    assert f"release {DAPR_VERSION.rpartition('.')[0]}." in DIFFERENCES.text
