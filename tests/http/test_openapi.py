"""The OpenAPI document: true to what is read and written, and to what schemathesis finds when it asks a real host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from running import RunningHost, component
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from scripted import sse_events, streamed

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
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
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
    base = f"http://127.0.0.1:{host.port}"

    @seed(20261123)
    @settings(
        max_examples=25, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(case=schema[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if "name" in case.path_parameters:
            case.path_parameters["name"] = "echo"
        with requests.Session() as session:
            session.trust_env = False
            response = case.call(base_url=base, session=session)
        # Dapr answers 500 for a host that isn't ready, or is another than was asked for.
        expected = {not_a_server_error} if path == "/v1.0/healthz" else set()
        case.validate_response(response, checks=[check for check in CHECKS if check not in expected])

    ask()


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


def test_the_events_of_a_stream_are_as_described(host: RunningHost) -> None:
    """Pieces and end of a real stream follow the types that the document names for them."""
    found = document(host)
    content = found["paths"][CONVERSATION.format("alpha2")]["post"]["responses"]["200"]["content"]
    named = content["text/event-stream"]["x-events"]
    tools = [{"function": {"name": "lookup", "parameters": {"type": "object", "properties": {"city": {}}}}}]
    with streamed(host, "echo", body={"tools": tools, "contextId": "c"}) as response:
        events = list(sse_events(response))
    assert [event.name for event in events][-1] == "done"
    for event in events:
        schema = {**named[event.name or "message"], "components": found["components"]}
        jsonschema.validate(event.data, schema)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method in OPERATIONS if method != "GET"])
def test_a_body_is_required_where_its_absence_is_an_error(host: RunningHost, path: str, method: str) -> None:
    """A request without a body is refused exactly where the document says that there must be one."""
    body = document(host)["paths"][path][method.lower()]["requestBody"]
    status = host.request(method, path.format(name="echo", key="echo")).status
    assert body.get("required", False) == (status == 400)
