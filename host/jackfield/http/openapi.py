"""``GET /openapi.json``: the HTTP API as it is served, for people and for tools that make clients of it."""

from __future__ import annotations

from typing import Any

import msgspec

from jackfield.frontends.dialect import SSE_TYPE
from jackfield.http.alpha1 import FullReply, ShortReply
from jackfield.http.alpha2_reply import Alpha2Reply
from jackfield.http.alpha2_stream import StreamEnd, StreamPiece
from jackfield.http.facts import FACTS
from jackfield.http.openapi_events import event_schema
from jackfield.http.openapi_types import Alpha1Request, Alpha2Request
from jackfield.http.wire import ErrorReply
from jackfield.options import HostOptions
from jackfield.version import __version__

__all__ = ["openapi_document"]

_TEMPLATE = "#/components/schemas/{name}"
_TYPES: tuple[type, ...] = (
    Alpha1Request,
    Alpha2Request,
    Alpha2Reply,
    FullReply,
    ShortReply,
    StreamEnd,
    StreamPiece,
    ErrorReply,
)
_EVENT = "StreamEvent"
_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The component's name, unescaped as a query is.",
    "schema": {"type": "string", "minLength": 1},
}
_KEY = {"name": "key", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_REQUEST_ID = {
    "name": "x-request-id",
    "in": "header",
    "description": "Comes back in the reply and stands in the log.",
    "schema": {"type": "string", "maxLength": 128},
}
_NO_CONTENT: dict[str, Any] = {"204": {"description": "Done."}}


def openapi_document(options: HostOptions) -> dict[str, Any]:
    """Describe the API that a host serves, as OpenAPI 3.1: what its Configuration denies is left out.

    The paths of plugins are not described here.

    Args:
        options: the host's.
    """
    allows = options.configuration.allows
    documented = options.alpha1 == "documented"
    paths: dict[str, Any] = {}
    if allows("conversation", "v1alpha2", "http"):
        paths["/v1.0-alpha2/conversation/{name}/converse"] = _conversation(
            "converseAlpha2", Alpha2Request, Alpha2Reply, "200", streams=True
        )
    if allows("conversation", "v1alpha1", "http"):
        reply, status = (FullReply, "202") if documented else (ShortReply, "200")
        paths["/v1.0-alpha1/conversation/{name}/converse"] = _conversation(
            "converseAlpha1", Alpha1Request, reply, status, streams=False
        )
    paths |= _health()
    for api, route, make in (
        ("metadata", "metadata", _metadata),
        ("metadata", "metadata/{key}", _set_metadata),
        ("shutdown", "shutdown", _shutdown),
    ):
        if allows(api, "v1", "http", route):
            paths[f"/v1.0/{route}"] = make()
    schemas = msgspec.json.schema_components(_TYPES, ref_template=_TEMPLATE)[1]
    schemas[_EVENT] = _event()
    components: dict[str, Any] = {"schemas": schemas}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Jackfield",
            "version": __version__,
            "description": "Dapr's Conversation API in front of any LLM.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": components,
    }
    if options.api_token:
        components["securitySchemes"] = {"token": {"type": "apiKey", "in": "header", "name": "dapr-api-token"}}
        document["security"] = [{"token": []}]
    return document


def _conversation(operation: str, request: type, reply: type, status: str, *, streams: bool) -> dict[str, Any]:
    content = _json(reply)
    if streams:
        content[SSE_TYPE] = {"schema": _reference_to(_EVENT)}
    headers = {name: {"schema": {"type": "string"}} for name in FACTS}
    return {
        "post": {
            "operationId": operation,
            "summary": "Converse with a component",
            "parameters": [_NAME, _REQUEST_ID],
            "requestBody": {"required": True, "content": _json(request)},
            "responses": {
                status: {"description": "The reply.", "headers": headers, "content": content},
                "400": _error("The request is wrong, or no such component serves.", text=True),
                "500": _error("The component could not answer."),
                **_everywhere(),
            },
        }
    }


def _event() -> dict[str, Any]:
    described = event_schema(_reference(StreamPiece), done=_reference(StreamEnd), error=_error_type())
    described["description"] = (
        "One event of Server-Sent Events: plain ones with pieces of the reply, then `done`. `error` ends a stream that "
        "broke; one that ends without either was cut."
    )
    return described


def _health() -> dict[str, Any]:
    app_id = {"name": "appid", "in": "query", "schema": {"type": "string"}}
    ready = {**_NO_CONTENT, "500": _error("It isn't ready, or its app id is another."), **_everywhere()}
    return {
        "/v1.0/healthz": {
            "get": {
                "operationId": "health",
                "summary": "Whether the first start is complete",
                "parameters": [app_id],
                "responses": ready,
                "security": [],
            }
        },
        "/v1.0/healthz/outbound": {
            "get": {
                "operationId": "outboundHealth",
                "summary": "Whether the host listens",
                "responses": {**_NO_CONTENT, **_everywhere()},
                "security": [],
            }
        },
    }


def _metadata() -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object", "required": ["runtimeVersion", "jackfield"]}}}
    responses = {"200": {"description": "What the host serves.", "content": content}, **_everywhere()}
    return {"get": {"operationId": "metadata", "summary": "What the host serves", "responses": responses}}


def _set_metadata() -> dict[str, Any]:
    return {
        "put": {
            "operationId": "setMetadata",
            "summary": "Keep a text in the metadata document",
            "parameters": [_KEY],
            "requestBody": {"content": {"text/plain": {"schema": {"type": "string"}}}},
            "responses": {
                **_NO_CONTENT,
                "400": _error("The value is too large or no text."),
                "500": _error("A worker did not take it."),
                **_everywhere(),
            },
        }
    }


def _shutdown() -> dict[str, Any]:
    force = {"name": "dapr-force-shutdown", "in": "header", "schema": {"type": "string", "enum": ["true", "false"]}}
    return {
        "post": {
            "operationId": "shutdown",
            "summary": "Stop the host",
            "parameters": [force],
            "responses": {**_NO_CONTENT, **_everywhere()},
        }
    }


def _everywhere() -> dict[str, Any]:
    """What any route may answer before it is reached."""
    return {
        "401": {
            "description": "The token is missing or wrong.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        "403": _error("The page's origin isn't allowed."),
        "404": _error("No such route."),
    }


def _error(description: str, *, text: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _error_type()}}
    if text:  # a name that can't be unescaped
        content["text/plain"] = {"schema": {"type": "string"}}
    return {"description": description, "content": content}


def _error_type() -> dict[str, str]:
    return _reference(ErrorReply)


def _json(kind: type) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(kind)}}


def _reference(kind: type) -> dict[str, str]:
    return _reference_to(kind.__name__)


def _reference_to(name: str) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(name=name)}
