"""Alpha2 requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.errors import InvalidParameters, MalformedRequest, MissingInputs
from jackfield.http.alpha2 import decode_alpha2
from jackfield.http.strict_json import parse
from jackfield.messages import (
    ConversationRequest,
    GenerationSettings,
    Message,
    Record,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.overrides import OverridePolicy

POLICY = OverridePolicy.from_manifest(None)
USER = {"ofUser": {"content": [{"text": "hi"}]}}
INPUTS = [{"messages": [USER]}]


def decode(members: Any) -> ConversationRequest:
    """Decode a request for the component llm."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return decode_alpha2(parse(body), component="llm", policy=POLICY, record=Record())


def refusal(kind: type[Exception], members: Any) -> str:
    """Return the message with which a request is refused."""
    with pytest.raises(kind) as caught:
        decode(members)
    return str(getattr(caught.value, "detail", ""))


def with_message(message: Any) -> dict[str, Any]:
    """Return a request of one message."""
    return {"inputs": [{"messages": [message]}]}


def test_every_field_is_read() -> None:
    """A request with all fields arrives whole; the name in the body and unknown fields are left out."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    request = decode(
        {
            "name": "other",
            "contextId": "c-1",
            "inputs": [
                {
                    "messages": [
                        {"ofDeveloper": {"name": "dev", "content": [{"text": "be brief"}]}},
                        {"ofSystem": {"content": [{"text": "a"}, {"text": "b"}]}, "unknown": 1},
                        {"ofUser": {"name": "", "content": [{"text": None, "unknown": 1}]}, "ofTool": None},
                    ],
                    "scrubPii": True,
                },
                {},
                {
                    "messages": [
                        {
                            "ofAssistant": {
                                "toolCalls": [
                                    {"id": "1", "function": {"name": "f", "arguments": '{"x":'}},
                                    {"function": {}},
                                ]
                            }
                        },
                        {"ofTool": {"toolId": "1", "name": "f", "content": [{"text": "42"}]}},
                    ]
                },
            ],
            "parameters": {"max_tokens": 5, "structured_mode": "json"},
            "metadata": {"tenant": "a", "seed": "3", "none": None},
            "scrubPii": True,
            "temperature": 0,
            "tools": [
                {"function": {"name": "f", "description": "does", "parameters": schema}},
                {"other": {}},
                {"function": None},
                {"function": {"name": "g"}},
            ],
            "toolChoice": "g",
            "responseFormat": {"type": "string"},
            "promptCacheRetention": "86400s",
            "cacheTTL": "10m",
            "unknown": {"inputs": 5},
        }
    )
    assert request.messages == (
        Message(role="developer", name="dev", parts=(TextPart("be brief"),), scrub=True),
        Message(role="system", parts=(TextPart("a"), TextPart("b")), scrub=True),
        Message(role="user", parts=(TextPart(""),), scrub=True),
        Message(role="assistant", tool_calls=(ToolCall("1", "f", '{"x":'), ToolCall("", "", "")), input=2),
        Message(role="tool", tool_call_id="1", name="f", parts=(TextPart("42"),), input=2),
    )
    assert request.tools == (Tool(name="f", description="does", parameters=schema), Tool(name="g"))
    assert (request.component, request.context_id, request.tool_choice) == ("llm", "c-1", "g")
    assert request.settings == GenerationSettings(temperature=0.0, max_tokens=5, seed=3)
    assert request.metadata == {"tenant": "a"}
    assert request.response_format == ResponseFormat(schema={"type": "string"})
    assert (request.prompt_cache_retention, request.cache_ttl) == (86400.0, 600.0)
    assert (request.scrub_reply, request.answer_each_input, request.stream) == (True, False, False)


def test_a_bare_request_has_defaults() -> None:
    """What a request doesn't say is unset, and an input without messages is in order."""
    record = Record()
    body = b'{"inputs":[{"messages":[]},{}]}'
    request = decode_alpha2(parse(body), component="llm", policy=POLICY, record=record)
    assert request == ConversationRequest(component="llm", messages=(), record=record)


@pytest.mark.parametrize("spelling", ["scrubPII", "scrubPii", "scrub_pii", "ScrubPii"])
def test_every_spelling_of_the_scrub_flag_counts(spelling: str) -> None:
    """No spelling of the flag is overlooked, in the request or in an input."""
    request = decode({"inputs": [{"messages": [USER], spelling: True}, *INPUTS], spelling: True})
    assert request.scrub_reply
    assert [message.scrub for message in request.messages] == [True, False]


@pytest.mark.parametrize(
    "members",
    [
        {"inputs": INPUTS, "scrubPII": True, "scrubPii": False},
        {"inputs": INPUTS, "scrubPii": None, "scrub_pii": False},
        {"inputs": [{"messages": [USER], "scrubPII": True, "scrub_pii": True}]},
        {"inputs": INPUTS, "contextId": "a", "context_id": "a"},
        {"inputs": INPUTS, "cacheTTL": "1m", "cache_ttl": "1m"},
    ],
)
def test_two_spellings_of_a_field_are_refused(members: Any) -> None:
    """Of two spellings none is picked: the request is malformed."""
    assert "is given in two spellings; send one" in refusal(MalformedRequest, members)


@pytest.mark.parametrize("word", ["true", "false", 1, 0])
def test_only_literal_booleans_count(word: object) -> None:
    """A flag of another type is refused, never taken for false."""
    assert refusal(MalformedRequest, {"inputs": INPUTS, "scrubPii": word}).startswith("scrubPII: expected a boolean")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"inputs":[]}', b'{"inputs":null}', b'{"tools":[]}'])
def test_no_inputs_is_missing_inputs(body: bytes) -> None:
    """An empty body, and inputs that are absent, null or empty, have their own error."""
    with pytest.raises(MissingInputs):
        decode(body)


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ({}, "message type cannot be nil"),
        ({"ofUser": None}, "message type cannot be nil"),
        ({"ofAlien": {}}, "message type cannot be nil"),
        ({"ofAssistant": {"toolCalls": [{}]}}, "tool types cannot be nil"),
        ({"ofAssistant": {"toolCalls": [{"id": "1", "function": None}]}}, "tool types cannot be nil"),
    ],
)
def test_a_member_that_is_missing_has_dapr_s_text(message: Any, cause: str) -> None:
    """A message without a member, and a tool call without a function, are told as daprd tells them."""
    assert refusal(InvalidParameters, with_message(message)) == cause


AT = "inputs[0].messages[0]"


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        (None, "the body: expected an object, got null"),
        ([], "the body: expected an object, got an array"),
        ({"inputs": "hi"}, "inputs: expected an array, got a string"),
        ({"inputs": [[]]}, "inputs[0]: expected an object, got an array"),
        ({"inputs": [{}, {"messages": {}}]}, "inputs[1].messages: expected an array, got an object"),
        (with_message(None), f"{AT}: expected an object, got null"),
        (with_message({"ofUser": "hi"}), f"{AT}.ofUser: expected an object, got a string"),
        (with_message({"ofUser": {}, "ofSystem": {}}), f"{AT}: a message has one member, got ofUser and ofSystem"),
        (with_message({"ofUser": {}, "of_user": {}}), f"{AT}: the field ofUser is given in two spellings; send one"),
        (with_message({"ofUser": {"content": "hi"}}), f"{AT}.ofUser.content: expected an array, got a string"),
        (with_message({"ofUser": {"content": ["hi"]}}), f"{AT}.ofUser.content[0]: expected an object, got a string"),
        (
            with_message({"ofSystem": {"content": [{}, {"text": 5}]}}),
            f"{AT}.ofSystem.content[1].text: expected a string, got a number",
        ),
        (with_message({"ofUser": {"name": 5}}), f"{AT}.ofUser.name: expected a string, got a number"),
        (with_message({"ofTool": {"tool_id": 5}}), f"{AT}.ofTool.toolId: expected a string, got a number"),
        (
            with_message({"ofAssistant": {"toolCalls": {}}}),
            f"{AT}.ofAssistant.toolCalls: expected an array, got an object",
        ),
        (
            with_message({"ofAssistant": {"toolCalls": [{"function": "f"}]}}),
            f"{AT}.ofAssistant.toolCalls[0].function: expected an object, got a string",
        ),
        (
            with_message({"ofAssistant": {"toolCalls": [{"function": {"arguments": {}}}]}}),
            f"{AT}.ofAssistant.toolCalls[0].function.arguments: expected a string, got an object",
        ),
        (
            with_message({"ofAssistant": {"toolCalls": [{"id": 1, "function": {}}]}}),
            f"{AT}.ofAssistant.toolCalls[0].id: expected a string, got a number",
        ),
        ({"inputs": INPUTS, "tools": {}}, "tools: expected an array, got an object"),
        ({"inputs": INPUTS, "tools": [None]}, "tools[0]: expected an object, got null"),
        ({"inputs": INPUTS, "tools": [{"function": "f"}]}, "tools[0].function: expected an object, got a string"),
        (
            {"inputs": INPUTS, "tools": [{"function": {"parameters": "{}"}}]},
            "tools[0].function.parameters: expected an object, got a string",
        ),
        ({"inputs": INPUTS, "toolChoice": {"name": "f"}}, "toolChoice: expected a string, got an object"),
        ({"inputs": INPUTS, "responseFormat": "json"}, "responseFormat: expected an object, got a string"),
        ({"inputs": INPUTS, "metadata": {"a": 5}}, "metadata.a: expected a string, got a number"),
        ({"inputs": INPUTS, "metadata": {"k" * 99: 5}}, f"metadata.{'k' * 40}: expected a string, got a number"),
        ({"inputs": INPUTS, "parameters": "x"}, "parameters: expected an object, got a string"),
        ({"inputs": INPUTS, "contextId": {}}, "contextId: expected a string, got an object"),
        ({"inputs": INPUTS, "cacheTTL": 600}, "cacheTTL: expected a duration as a string, such as 10m, got a number"),
        (
            {"inputs": INPUTS, "promptCacheRetention": 60},
            'promptCacheRetention: expected a duration as a string, such as "86400s" or "24h", got a number',
        ),
        (
            {"inputs": INPUTS, "prompt_cache_retention": "a day"},
            'promptCacheRetention: not a duration; write "86400s" or "24h"',
        ),
    ],
)
def test_a_wrong_json_type_is_malformed(members: Any, cause: str) -> None:
    """Each field that has another JSON type is told by path and types, never by content."""
    assert refusal(MalformedRequest, members) == cause


@pytest.mark.parametrize(("sent", "seconds"), [("86400s", 86400.0), ("24h", 86400.0), ("1.5s", 1.5), ("0s", 0.0)])
@pytest.mark.parametrize("spelling", ["promptCacheRetention", "prompt_cache_retention"])
def test_retention_is_a_protobuf_or_a_go_duration(spelling: str, sent: str, seconds: float) -> None:
    """Both ways to write a duration are read, in seconds."""
    assert decode({"inputs": INPUTS, spelling: sent}).prompt_cache_retention == seconds


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ({"promptCacheRetention": "-1s"}, "promptCacheRetention: a duration can't be negative"),
        ({"cacheTTL": "-1s"}, "cacheTTL: a duration can't be negative; write 0s to switch the cache off"),
        ({"cacheTTL": "600"}, "cacheTTL: not a duration; write a number with a unit, such as 10m, 1h30m or 500ms"),
        ({"temperature": "NaN"}, "temperature: must be a finite number, at least 0"),
        (
            {"responseFormat": {"properties": {}}},
            "responseFormat: a JSON Schema needs a type, such as object, or anyOf or $ref",
        ),
    ],
)
def test_values_that_cannot_be_used_are_invalid_parameters(members: dict[str, Any], cause: str) -> None:
    """What has the right type and no usable value names its field."""
    assert refusal(InvalidParameters, {"inputs": INPUTS, **members}) == cause


def test_the_kinds_of_error_have_an_order() -> None:
    """What can't be read comes before what is missing, and that before what can't be used."""
    bad: dict[str, Any] = {"inputs": [{"messages": [{}]}], "cacheTTL": "soon", "toolChoice": "required"}
    assert refusal(MalformedRequest, {**bad, "metadata": 5})
    with pytest.raises(MissingInputs):
        decode({**bad, "inputs": []})
    assert refusal(InvalidParameters, bad) == "message type cannot be nil"


@pytest.mark.parametrize("flag", ["scrubPII", "scrubPii", "scrub_pii", "SCRUBPII"])
@pytest.mark.parametrize("place", ["message", "member", "part"])
def test_a_scrub_flag_further_in_counts_for_its_message(flag: str, place: str) -> None:
    """A flag that stands in a message or in a part of it is not overlooked, and marks that message alone."""
    part: dict[str, object] = {"text": "a"}
    member: dict[str, object] = {"content": [part]}
    message: dict[str, object] = {"ofUser": member}
    {"message": message, "member": member, "part": part}[place][flag] = True
    plain = {"ofUser": {"content": [{"text": "b"}]}}
    body = json.dumps({"inputs": [{"messages": [message, plain]}]}).encode()

    request = decode_alpha2(parse(body), component="c", policy=OverridePolicy.from_manifest(None), record=Record())

    assert [message.scrub for message in request.messages] == [True, False]
