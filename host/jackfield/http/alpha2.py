"""The wire of ``POST /v1.0-alpha2/conversation/{name}/converse`` (contract sheet, section 1.4)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from jackfield.errors import InvalidParameters, MalformedRequest, MissingInputs
from jackfield.frontends.rules import chosen_tool
from jackfield.headers import NO_HEADERS, Headers
from jackfield.http.alpha2_messages import read_input
from jackfield.http.alpha2_reply import encode_alpha2
from jackfield.http.response_format import read_response_format
from jackfield.http.spelling import CACHE_TTL, SCRUB, Fields
from jackfield.http.wire import array, boolean, cache_ttl, mapping, seconds, text, wrong_type
from jackfield.messages import ConversationRequest, Message, Record, ResponseFormat, Tool
from jackfield.overrides import OverridePolicy, read_overrides

__all__ = ["decode_alpha2", "encode_alpha2"]

_REQUEST = Fields(
    "name",
    "contextId",
    "inputs",
    "parameters",
    "metadata",
    "tools",
    "toolChoice",
    "responseFormat",
    "promptCacheRetention",
    "stream",
    SCRUB,
    CACHE_TTL,
    any_case=SCRUB[:1],
)
_TOOL = Fields("function")
_FUNCTION = Fields("name", "description", "parameters")


def decode_alpha2(
    body: Any,
    *,
    component: str,
    policy: OverridePolicy,
    record: Record,
    headers: Headers = NO_HEADERS,
    accepts_events: bool = False,
) -> ConversationRequest:
    """Read a request.

    Args:
        body: the HTTP body, as ``parse`` gave it.
        component: the component's name, as the URL has it.
        policy: which settings the component lets a request override.
        record: the facts of this request; ``ignored`` is set.
        headers: the caller's headers.
        accepts_events: the reply is streamed unless the body says something else; our own extension, as is ``stream``.

    Raises:
        MalformedRequest: the body is no object, or a field has the wrong type.
        MissingInputs: ``inputs`` is absent or empty. An input without messages is not an error.
        InvalidParameters: the first of its values that can be read but not used.
    """
    others: dict[str, Any] = {}
    found = _REQUEST.read(body, "", others)
    doubts: list[str] = []
    inputs = array(found, "inputs", "")
    messages: list[Message] = []
    for index, value in enumerate(inputs):
        read_input(value, index, messages, doubts)
    beside: dict[str, Any] = {}
    parameters: dict[str, Any] | None = None
    metadata: dict[str, str] = {}
    if len(found) > 1 or not inputs:
        beside = _beside_inputs(found, doubts)
        if found.get("stream") is not None:
            beside["stream"] = boolean(found, "stream", "")
        parameters, metadata = mapping(found, "parameters", ""), _metadata(found)
    overrides = read_overrides(others, parameters, metadata, policy=policy, record=record, doubts=doubts)
    if not inputs:
        raise MissingInputs
    if doubts:
        raise InvalidParameters(doubts[0])
    request = ConversationRequest(
        component=component,
        messages=tuple(messages),
        settings=overrides.settings,
        model=overrides.model,
        metadata=overrides.metadata,
        stream=accepts_events,
        headers=headers,
        record=record,
    )
    return replace(request, **beside) if beside else request


def _beside_inputs(found: dict[str, Any], doubts: list[str]) -> dict[str, Any]:
    """Read what only some requests have, as the arguments of ``ConversationRequest``."""
    tools = _tools(found)
    return {
        "tools": tools,
        "tool_choice": chosen_tool(text(found, "toolChoice", ""), tools, doubts),
        "response_format": _response_format(found, doubts),
        "scrub_reply": boolean(found, "scrubPII", ""),
        "context_id": text(found, "contextId", ""),
        "prompt_cache_retention": _retention(found, doubts),
        "cache_ttl": cache_ttl(found, doubts),
    }


def _tools(found: dict[str, Any]) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for index, value in enumerate(array(found, "tools", "")):
        place = f"tools[{index}]"
        sent = _TOOL.read(value, place).get("function")
        if sent is None:
            continue
        path = f"{place}.function"
        function = _FUNCTION.read(sent, path)
        tools.append(
            Tool(
                name=text(function, "name", path),
                description=text(function, "description", path),
                parameters=mapping(function, "parameters", path),
            )
        )
    return tuple(tools)


def _response_format(found: dict[str, Any], doubts: list[str]) -> ResponseFormat | None:
    if "responseFormat" not in found:
        return None
    try:
        return read_response_format(mapping(found, "responseFormat", "") or {})
    except ValueError as error:
        doubts.append(str(error))
        return None


def _retention(found: dict[str, Any], doubts: list[str]) -> float | None:
    """Read a protobuf Duration in seconds. Its text belongs to the wire's type: a bad one is malformed, as in daprd."""
    value = found.get("promptCacheRetention")
    if value is None:
        return None
    if type(value) is not str:
        raise wrong_type("promptCacheRetention", 'a duration as a string, such as "86400s" or "24h"', value)
    try:
        retention = seconds(value)
    except ValueError:
        raise MalformedRequest('promptCacheRetention: not a duration; write "86400s" or "24h"') from None
    if retention < 0:
        doubts.append("promptCacheRetention: a duration can't be negative")
    return retention


def _metadata(found: dict[str, Any]) -> dict[str, str]:
    metadata = mapping(found, "metadata", "")
    if not metadata:
        return {}
    if all(type(value) is str for value in metadata.values()):
        return metadata
    return {key: text(metadata, key, "metadata") for key, value in metadata.items() if value is not None}
