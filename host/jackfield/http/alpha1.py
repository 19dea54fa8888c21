"""The wire of ``POST /v1.0-alpha1/conversation/{name}/converse`` (contract sheet, section 1.3).

``documented`` follows the API's reference document; without it replies look like daprd's. The extensions are the same
in both.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec import Struct

from jackfield.errors import InvalidParameters, MissingInputs
from jackfield.events import Result
from jackfield.frontends.rules import KNOWN_ROLES, alpha1_message
from jackfield.headers import NO_HEADERS, Headers
from jackfield.http.spelling import CACHE_TTL, SCRUB, Fields
from jackfield.http.wire import array, at, boolean, cache_ttl, encode, mapping, text, wrong_type
from jackfield.messages import ConversationRequest, Message, Record
from jackfield.overrides import OverridePolicy, read_overrides

__all__ = ["DecodedAlpha1", "FullReply", "ShortReply", "decode_alpha1", "encode_alpha1"]

_REQUEST = Fields("name", ("contextID",), "inputs", "parameters", "metadata", SCRUB, CACHE_TTL, any_case=SCRUB[:1])
_INPUT = Fields("content", "role", SCRUB, any_case=SCRUB[:1])

_LONGEST_ROLE = 40


class DecodedAlpha1(NamedTuple):
    """A request, and the ``parameters`` that its reply repeats in each output."""

    request: ConversationRequest
    parameters: dict[str, Any]


class FullOutput(Struct, frozen=True):
    """One output by the reference document."""

    result: str
    parameters: dict[str, Any]


class FullReply(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"context_id": "contextID"}):
    """A reply by the reference document."""

    context_id: str = ""
    outputs: list[FullOutput]


class ShortOutput(Struct, frozen=True, omit_defaults=True):
    """One output as daprd writes it: without what is empty."""

    result: str = ""
    parameters: dict[str, Any] = {}


class ShortReply(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"context_id": "contextID"}):
    """A reply as daprd writes it."""

    context_id: str = ""
    outputs: list[ShortOutput] = []


def decode_alpha1(
    body: Any,
    *,
    component: str,
    policy: OverridePolicy,
    documented: bool,
    record: Record,
    headers: Headers = NO_HEADERS,
) -> DecodedAlpha1:
    """Read a request.

    A role is one of those in contract sheet section 1.3, step 4, or ``developer``, in any case. A ``tool`` or
    ``function`` input names no call that it answers: it becomes a user message that begins with ``Tool result: ``.

    Args:
        body: the HTTP body, as ``parse`` gave it.
        component: the component's name, as the URL has it.
        policy: which settings the component lets a request override.
        documented: follow the reference document: an unknown role is an error, booleans also come as strings, and a
            provider may answer each input. Otherwise an unknown role is ``user``.
        record: the facts of this request; ``ignored`` is set.
        headers: the caller's headers.

    Raises:
        MalformedRequest: the body is no object, or a field has the wrong type.
        MissingInputs: ``inputs`` is absent or empty.
        InvalidParameters: the first of its values that can be read but not used.
    """
    others: dict[str, Any] = {}
    found = _REQUEST.read(body, "", others)
    doubts: list[str] = []
    messages = tuple(
        [
            _message(value, index, documented=documented, doubts=doubts)
            for index, value in enumerate(array(found, "inputs", ""))
        ]
    )
    parameters = mapping(found, "parameters", "") or {}
    scrub_reply = _flag(found, "", documented=documented, doubts=doubts)
    context_id = text(found, "contextID", "")
    ttl = cache_ttl(found, doubts)
    overrides = read_overrides(others, parameters, _metadata(found), policy=policy, record=record, doubts=doubts)
    if not messages:
        raise MissingInputs
    if doubts:
        raise InvalidParameters(doubts[0])
    request = ConversationRequest(
        component=component,
        messages=messages,
        settings=overrides.settings,
        model=overrides.model,
        metadata=overrides.metadata,
        context_id=context_id,
        cache_ttl=ttl,
        scrub_reply=scrub_reply,
        answer_each_input=documented,
        headers=headers,
        record=record,
    )
    return DecodedAlpha1(request, parameters)


def _message(value: Any, index: int, *, documented: bool, doubts: list[str]) -> Message:
    path = f"inputs[{index}]"
    found = _INPUT.read(value, path)
    content, sent_role = text(found, "content", path), text(found, "role", path)
    if found.get("content") is None:
        doubts.append(f"{path}.content: missing; it is required and may be empty")
    if documented and sent_role and sent_role.lower() not in KNOWN_ROLES:
        known = ", ".join(KNOWN_ROLES)
        doubts.append(f"{path}.role: {sent_role[:_LONGEST_ROLE]!r} is no role; use one of {known}")
    scrub = _flag(found, path, documented=documented, doubts=doubts)
    return alpha1_message(content, sent_role, index, scrub=scrub)


def _flag(found: dict[str, Any], path: str, *, documented: bool, doubts: list[str]) -> bool:
    """Read the scrub flag, which the reference document's example writes as a string."""
    value = found.get("scrubPII")
    if documented and type(value) is str:
        word = value.lower()
        if word not in {"true", "false"}:
            doubts.append(f"{at(path, 'scrubPII')}: expected true or false, got a string that is neither")
        return word == "true"
    return boolean(found, "scrubPII", path)


def _metadata(found: dict[str, Any]) -> dict[str, str]:
    """Return the metadata as texts: numbers and booleans as JSON writes them, nulls left out."""
    metadata: dict[str, str] = {}
    for key, value in (mapping(found, "metadata", "") or {}).items():
        if type(value) is str:
            metadata[key] = value
        elif type(value) is dict or type(value) is list:
            raise wrong_type(at("metadata", key), "a string, a number or a boolean", value)
        elif value is not None:
            metadata[key] = json.dumps(value)
    return metadata


def encode_alpha1(
    request: ConversationRequest, result: Result, *, documented: bool, parameters: dict[str, Any]
) -> bytes:
    """Write a reply: one output per choice, each repeating the request's ``parameters``.

    Args:
        request: what was asked; its ``context_id`` is repeated if it isn't empty.
        result: the provider's answer. Reasoning has no field here and is left out, as are tool calls.
        documented: write ``outputs``, ``result`` and ``parameters`` even where they are empty.
        parameters: the request's, as ``decode_alpha1`` gave them.
    """
    if documented:
        full = [FullOutput(choice.text, parameters) for choice in result.choices]
        return encode(FullReply(context_id=request.context_id, outputs=full))
    outputs = [ShortOutput(choice.text, parameters) for choice in result.choices]
    return encode(ShortReply(context_id=request.context_id, outputs=outputs))
