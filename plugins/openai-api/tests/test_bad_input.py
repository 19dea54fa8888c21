"""Requests that can't be answered: each is a 400 or 404 that names the member and says what to do."""

from __future__ import annotations

from typing import Any

import pytest

from jackfield import InvalidParameters, RequestError
from jackfield.testing import CannedHost
from jackfield_openai_api.errors import refusal

Decode = Any
USER = {"role": "user", "content": "hi"}
LOOK = {"type": "function", "function": {"name": "look"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def user(content: object) -> dict[str, Any]:
    """A body whose one message has this content."""
    return {"messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("members", "param", "says"),
    [
        pytest.param({"messages": None}, "messages", "at least one", id="no messages"),
        pytest.param({"messages": []}, "messages", "at least one", id="empty messages"),
        pytest.param({"messages": "hi"}, "messages", "an array, got a string", id="messages of text"),
        pytest.param({"messages": ["hi"]}, "messages[0]", "an object, got a string", id="a message of text"),
        pytest.param({"messages": [{"role": "function"}]}, "messages[0].role", "send tool", id="an old role"),
        pytest.param({"messages": [{"role": "user"}]}, "messages[0].content", "missing", id="no content"),
        pytest.param(user(5), "messages[0].content", "a string or an array", id="content of a number"),
        pytest.param(user([IMAGE]), "messages[0].content[0]", "an image, and .* text only", id="an image"),
        pytest.param(
            user([{"type": "input_audio", "input_audio": {}}]), "messages[0].content[0]", "text only", id="sound"
        ),
        pytest.param(user([{"type": "text"}]), "messages[0].content[0].text", "missing", id="a part without text"),
        pytest.param(
            {"messages": [{**USER, "cache_control": {}}]},
            "messages[0].cache_control",
            "no such member",
            id="a stranger",
        ),
        pytest.param(
            {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "x"}]},
            "messages[1].tool_call_id",
            "no tool call of an earlier message",
            id="a result without its call",
        ),
        pytest.param(
            {"messages": [USER, {"role": "tool", "content": "x"}]},
            "messages[1].tool_call_id",
            "no tool call",
            id="a result of none",
        ),
        pytest.param(
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}]},
            "messages[0].tool_calls[0].function.name",
            "missing",
            id="a call without a name",
        ),
        pytest.param(
            {"messages": [{"role": "assistant", "function_call": {"name": "f"}}]},
            "messages[0].function_call",
            "tool_calls",
            id="an old call",
        ),
        pytest.param({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "different values", id="two limits"),
        pytest.param({"max_tokens": 0}, "max_tokens", "at least 1", id="no tokens"),
        pytest.param({"temperature": -1}, "temperature", "at least 0", id="a negative temperature"),
        pytest.param({"tools": [{"type": "custom"}]}, "tools[0]", "must be function", id="a custom tool"),
        pytest.param(
            {"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing", id="no name"
        ),
        pytest.param({"tool_choice": "required"}, "tool_choice", "no tools", id="a choice of nothing"),
        pytest.param({"tools": [LOOK], "tool_choice": "look"}, "tool_choice", "must be auto", id="a bare name"),
        pytest.param(
            {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "auto"}}},
            "tool_choice",
            "one of the tools",
            id="no such tool",
        ),
        pytest.param(
            {"tools": [LOOK], "tool_choice": {"type": "allowed_tools"}}, "tool_choice.type", "function", id="a set"
        ),
        pytest.param({"response_format": {"type": "xml"}}, "response_format.type", "json_schema", id="a format"),
        pytest.param(
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
            "response_format.json_schema.schema",
            "missing",
            id="no schema",
        ),
        pytest.param({"stream": "yes"}, "stream", "a boolean", id="a stream of text"),
        pytest.param({"model": ""}, "model", "missing", id="no model"),
        pytest.param({"model": 5}, "model", "a string", id="a model's number"),
        pytest.param({"logprobs": True}, "logprobs", "log probabilities", id="log probabilities"),
        pytest.param({"functions": []}, "functions", "send tools", id="old functions"),
        pytest.param({"modalities": ["text", "audio"]}, "modalities", "text only", id="modalities"),
        pytest.param({"models": ["a", "b"]}, "models", "requestOverrides", id="a gateway's models"),
        pytest.param({"apiKey": "k"}, "apiKey", "key", id="a key"),
        pytest.param({"maxTokens": 5}, "maxTokens", "spells it max_tokens", id="a misspelt setting"),
        pytest.param({"metadata": {"a": 1}}, "metadata.a", "a string", id="metadata of a number"),
        pytest.param({"cache_ttl": "soon"}, "cache_ttl", "not a duration", id="no duration"),
        pytest.param({"scrub_pii": "yes"}, "scrub_pii", "a boolean", id="a flag of text"),
        pytest.param({"scrub_pii": True, "scrubPII": False}, "scrubPII", "the same member", id="two flags"),
        pytest.param({"prompt_cache_retention": "1h"}, "prompt_cache_retention", "24h", id="a retention"),
    ],
)
def test_refused(decode: Decode, members: dict[str, Any], param: str, says: str) -> None:
    """The caller learns which member is wrong, and nothing is guessed or left out in silence."""
    with pytest.raises(InvalidParameters, match=says) as raised:
        decode(**members)

    assert getattr(raised.value, "param", None) == param
    assert refusal(raised.value).status == 400


def test_a_model_that_no_request_may_choose(decode: Decode) -> None:
    """It is unknown here, as a model that isn't there is, and the text says what would change that."""
    with pytest.raises(RequestError, match="requestOverrides") as raised:
        decode(model="llm/gpt-5")

    told = refusal(raised.value)
    assert told.status == 404
    assert b'"code":"model_not_found"' in told.body


def test_an_override_that_a_manifest_forbids(decode: Decode) -> None:
    """A manifest that lists its overrides refuses all others."""
    with pytest.raises(InvalidParameters, match="temperature: not among the requestOverrides"):
        decode(frozenset({"seed"}), explicit=True, temperature=1)


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (b"{", 400, None, "invalid JSON"),
        (b"", 400, None, "model: missing"),
        (b"[]", 400, None, "expected an object"),
        (b'{"model": "llm", "model": "big"}', 400, None, "given twice"),
        (b'{"model": "nope", "messages": []}', 404, "model_not_found", "'nope'"),
        (
            b'{"model": "llm", "messages": [{"role": "user", "content": "hi"}], "verbosity": "low"}',
            400,
            None,
            "verbosity",
        ),
    ],
)
def test_over_http(host: CannedHost, body: bytes, status: int, code: str | None, says: str) -> None:
    """Every refusal has OpenAI's shape, whoever finds the fault."""
    reply = host.running.request("POST", "/v1/chat/completions", body)

    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json) == {"error"}
    error = reply.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert says in error["message"]
    assert host.asked == []
