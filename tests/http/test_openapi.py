"""The OpenAPI document: true to what is read and written, and to what schemathesis finds when it asks a real host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_checks import CHECKS
from repeatable import repeatable
from running import RunningHost, component
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import JsonSchemaError

from jackfield.http import alpha1, alpha2, alpha2_messages
from jackfield.http.openapi import openapi_document
from jackfield.http.openapi_types import (
    Alpha1Input,
    Alpha1Request,
    Alpha2Input,
    Alpha2Request,
    AssistantTurn,
    Called,
    CalledFunction,
    Content,
    FunctionSchema,
    Message,
    Settings,
    Tool,
    ToolTurn,
)
from jackfield.http.spelling import Fields
from jackfield.manifests.configuration import read_configuration
from jackfield.options import HostOptions
from jackfield.overrides import override_name
from jackfield.serving.network import Network

CONVERSATION = "/v1.0-{}/conversation/{{name}}/converse"
OPERATIONS = [
    (CONVERSATION.format("alpha2"), "POST"),
    (CONVERSATION.format("alpha1"), "POST"),
    ("/v1.0/healthz", "GET"),
    ("/v1.0/healthz/outbound", "GET"),
    ("/v1.0/metadata", "GET"),
    ("/v1.0/metadata/{key}", "PUT"),
]


@pytest.fixture(scope="module", name="host")
def _host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "echo.yaml").write_text(component("echo"))
    with RunningHost(folder, Network(port=0, server="uvicorn")) as running:
        yield running


def document(host: RunningHost) -> dict[str, Any]:
    """Ask for the document."""
    reply = host.request("GET", "/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = reply.json
    return found


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_schemathesis_finds_nothing(host: RunningHost, path: str, method: str) -> None:
    """Whatever it makes of the document is answered without a fault, as the document says."""
    schema = schemathesis.openapi.from_dict(document(host))

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if "name" in case.path_parameters:
            case.path_parameters["name"] = "echo"
        # Dapr answers 500 for a host that isn't ready, or is another than was asked for.
        expected = {not_a_server_error} if path == "/v1.0/healthz" else set()
        check(host, case, [check for check in CHECKS if check not in expected])

    with repeatable():
        ask()


def check(host: RunningHost, case: schemathesis.Case[Any], checks: list[Any]) -> None:
    """Have schemathesis send a request and look at the reply."""
    with requests.Session() as session:
        session.trust_env = False
        response = case.call(base_url=f"http://127.0.0.1:{host.port}", session=session)
    case.validate_response(response, checks=checks)


def test_every_route_of_the_host_is_described(host: RunningHost) -> None:
    """The document has these operations, each once, and what a Configuration denies is not in it."""
    paths = document(host)["paths"]
    described = {(path, method.upper()) for path, item in paths.items() for method in item}
    assert described == {*OPERATIONS, ("/v1.0/shutdown", "POST")}


def test_what_a_configuration_denies_is_not_described(tmp_path: Path) -> None:
    """A client that is made from the document doesn't offer what the host refuses."""
    file = tmp_path / "config.yaml"
    denied = "[{name: shutdown, version: v1, protocol: http}, {name: conversation, version: v1alpha1, protocol: http}]"
    file.write_text(
        "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\n"
        f"spec:\n  api:\n    denied: {denied}\n"
    )
    configuration = read_configuration([file], environment={})
    paths = openapi_document(HostOptions(configuration=configuration))["paths"]
    assert "/v1.0/shutdown" not in paths
    assert [path for path in paths if "conversation" in path] == [CONVERSATION.format("alpha2")]


def test_a_token_is_described_where_there_is_one() -> None:
    """The health routes need none; a document of a host without a token names none."""
    guarded = openapi_document(HostOptions(api_token="secret-token"))
    assert guarded["components"]["securitySchemes"]["token"]["name"] == "dapr-api-token"
    assert guarded["paths"]["/v1.0/healthz"]["get"]["security"] == []
    assert "secret-token" not in json.dumps(guarded)
    assert "security" not in openapi_document(HostOptions())


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        (Alpha1Request, alpha1._REQUEST),
        (Alpha1Input, alpha1._INPUT),
        (Alpha2Request, alpha2._REQUEST),
        (Alpha2Input, alpha2_messages._INPUT),
        (Message, alpha2_messages._MESSAGE),
        (AssistantTurn, alpha2_messages._ASSISTANT),
        (ToolTurn, alpha2_messages._TOOL_RESULT),
        (Content, alpha2_messages._CONTENT),
        (Called, alpha2_messages._TOOL_CALL),
        (CalledFunction, alpha2_messages._CALLED),
        (Tool, alpha2._TOOL),
        (FunctionSchema, alpha2._FUNCTION),
    ],
)
def test_requests_are_described_as_they_are_read(kind: type[msgspec.Struct], read: Fields) -> None:
    """Every field that is read is described under one of its spellings, and nothing else but generation settings."""
    described = {field.encode_name for field in msgspec.structs.fields(kind)}
    own = described - {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert own <= set(read.spellings)
    # A name has no effect or stands in some of them, and the scrub flag has its place in inputs and at the top.
    left_out = {"name", "scrubPII"}
    assert {read.spellings[name] for name in own} - left_out == set(read.spellings.values()) - left_out


def test_the_described_settings_are_settings() -> None:
    """Each is one that a request may bring, under the same name."""
    for field in msgspec.structs.fields(Settings):
        assert override_name(field.encode_name) == field.name


TOOLS = [{"function": {"name": "lookup", "parameters": {"type": "object", "properties": {"city": {}}}}}]
"""With these the echo component calls ``lookup``."""


@pytest.mark.parametrize("further", [{}, {"tools": TOOLS, "contextId": "c"}])
def test_schemathesis_finds_no_fault_in_a_stream(host: RunningHost, further: dict[str, Any]) -> None:
    """Each event of a real stream follows the type that the document has for its name, as schemathesis reads it."""
    operation = schemathesis.openapi.from_dict(document(host))[CONVERSATION.format("alpha2")]["POST"]
    said = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}], "stream": True, **further}
    case = operation.Case(path_parameters={"name": "echo"}, body=said, media_type="application/json")
    check(host, case, CHECKS)


@pytest.mark.parametrize(
    ("name", "data", "valid"),
    [
        ("message", {"outputs": []}, True),
        ("message", {"outputs": "none"}, False),
        ("message", {"record": {"overheadMs": 1}}, False),
        ("done", {"record": {"overheadMs": 1}}, True),
        ("done", {"outputs": []}, False),
        ("error", {"errorCode": "ERR_CONVERSATION_INVOKE", "message": "it broke"}, True),
        ("error", {"outputs": []}, False),
        ("other", {"outputs": []}, False),
    ],
)
def test_each_event_has_a_type_of_its_own(host: RunningHost, name: str, data: Any, valid: bool) -> None:
    """What one event's ``data`` may hold is wrong in another's, and there are no other events."""
    operation = schemathesis.openapi.from_dict(document(host))[CONVERSATION.format("alpha2")]["POST"]
    body = f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
    asked = requests.Request("POST", "http://127.0.0.1/").prepare()
    reply = Response(200, {"content-type": ["text/event-stream"]}, body, asked, elapsed=0.0, verify=False)
    found = nullcontext() if valid else pytest.raises(JsonSchemaError, match="Event #0")
    with found:
        operation.validate_response(reply)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method in OPERATIONS if method != "GET"])
def test_a_body_is_required_where_its_absence_is_an_error(host: RunningHost, path: str, method: str) -> None:
    """A request without a body is refused exactly where the document says that there must be one."""
    body = document(host)["paths"][path][method.lower()]["requestBody"]
    status = host.request(method, path.format(name="echo", key="echo")).status
    assert body.get("required", False) == (status == 400)
