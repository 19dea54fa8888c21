"""Bad requests, sent to a host that runs: each answers its own error, tells no text, and the host serves on."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from evidence import everything_logged
from raw_http import converse_path, said
from running import RunningHost, send

MARK = "nobody-may-log-this"
MALFORMED = "ERR_MALFORMED_REQUEST"
INVALID = "ERR_CONVERSATION_INVALID_PARMS"
MISSING = "ERR_CONVERSATION_MISSING_INPUTS"
PREFIX = {
    MALFORMED: "failed deserializing HTTP body: ",
    INVALID: "failed conversing with component echo: invalid params: ",
    MISSING: "failed conversing with component echo: missing inputs in request",
}


def one(member: Any, **others: Any) -> dict[str, Any]:
    """Return an alpha2 request of one message."""
    return {"inputs": [{"messages": [member]}], **others}


def user(text: Any = MARK) -> dict[str, Any]:
    """Return a message of the user."""
    return {"ofUser": {"content": [{"text": text}]}}


def plain(**others: Any) -> dict[str, Any]:
    """Return an alpha1 request of one input."""
    return {"inputs": [{"content": MARK}], **others}


NESTED = b"[" * 10_000 + b"]" * 10_000
ROWS: list[tuple[str, str, Any, str, str]] = [
    # what is sent to either API
    ("bytes that are no JSON", "both", MARK.encode(), MALFORMED, "invalid JSON at line 1 column 1"),
    ("half a JSON", "both", b'{"inputs":[{', MALFORMED, "invalid JSON at line 1 column 13"),
    ("two JSONs", "both", b"{}{}", MALFORMED, "invalid JSON at line 1 column 3"),
    ("an array", "both", b"[]", MALFORMED, "the body: expected an object, got an array"),
    ("null", "both", b"null", MALFORMED, "the body: expected an object, got null"),
    ("a byte-order mark", "both", b"\xef\xbb\xbf{}", MALFORMED, "invalid JSON"),
    ("invalid UTF-8 in a text", "both", b'{"inputs":[{"content":"\xff"}]}', MALFORMED, "invalid UTF-8 at byte 23"),
    ("invalid UTF-8 in an unknown field", "both", b'{"unknown":"\xc3\x28"}', MALFORMED, "invalid UTF-8 at byte 12"),
    ("invalid UTF-8 in a key", "both", b'{"\xed\xa0\x80":1}', MALFORMED, "invalid UTF-8"),
    ("half a surrogate pair", "both", rb'{"unknown":"\ud83d"}', MALFORMED, "half of a surrogate pair"),
    ("UTF-16", "both", '{"inputs":[]}'.encode("utf-16"), MALFORMED, "invalid UTF-8 at byte 0"),
    ("a key twice", "both", b'{"inputs":[],"inputs":[]}', MALFORMED, "the key 'inputs' is given twice in one object"),
    ("an unknown key twice", "both", b'{"x":{"y":1,"y":2}}', MALFORMED, "the key 'y' is given twice in one object"),
    ("NaN", "both", b'{"temperature":NaN}', MALFORMED, "NaN"),
    ("a number beyond doubles", "both", b'{"temperature":1e999}', MALFORMED, "a number is too large"),
    ("10,000 nested arrays", "both", NESTED, MALFORMED, "arrays and objects inside each other"),
    ("10,000 nested arrays in a field", "both", b'{"inputs":%s}' % NESTED, MALFORMED, "inside each other"),
    ("no inputs", "both", {}, MISSING, ""),
    ("inputs null", "both", {"inputs": None}, MISSING, ""),
    ("empty inputs", "both", {"inputs": []}, MISSING, ""),
    ("inputs of another type", "both", {"inputs": MARK}, MALFORMED, "inputs: expected an array, got a string"),
    ("inputs as object", "both", {"inputs": {}}, MALFORMED, "inputs: expected an array, got an object"),
    ("an input of another type", "both", {"inputs": [MARK]}, MALFORMED, "inputs[0]: expected an object, got a string"),
    ("metadata of another type", "both", {"metadata": [MARK]}, MALFORMED, "metadata: expected an object, got an array"),
    ("a bad cacheTTL", "both", {"cacheTTL": MARK}, MISSING, ""),
    # alpha2
    ("both spellings", "alpha2", one(user(), contextId="a", context_id="a"), MALFORMED, "in two spellings"),
    (
        "both spellings within",
        "alpha2",
        {"inputs": [{"scrubPii": True, "scrub_pii": True}]},
        MALFORMED,
        "two spellings",
    ),
    ("two members", "alpha2", one({**user(), "ofSystem": {}}), MALFORMED, "ofUser and ofSystem"),
    ("no member", "alpha2", one({}), INVALID, "message type cannot be nil"),
    ("an unknown member", "alpha2", one({"ofRobot": {}}), INVALID, "message type cannot be nil"),
    ("a member null", "alpha2", one({"ofUser": None}), INVALID, "message type cannot be nil"),
    ("a call without function", "alpha2", one({"ofAssistant": {"toolCalls": [{"id": MARK}]}}), INVALID, "tool types"),
    ("text of another type", "alpha2", one(user(7)), MALFORMED, "ofUser.content[0].text: expected a string, got a"),
    ("content as text", "alpha2", one({"ofUser": {"content": MARK}}), MALFORMED, "content: expected an array, got a"),
    ("a flag as text", "alpha2", one(user(), scrubPii="true"), MALFORMED, "expected a boolean, got a string"),
    ("NaN as text", "alpha2", one(user(), temperature="NaN"), INVALID, "temperature: must be a finite number"),
    ("infinite temperature", "alpha2", one(user(), temperature="-Infinity"), INVALID, "temperature"),
    ("a negative temperature", "alpha2", one(user(), temperature=-1), INVALID, "temperature: must be a finite number"),
    ("temperature as word", "alpha2", one(user(), temperature=MARK), MALFORMED, "temperature: expected a number"),
    ("a bad duration", "alpha2", one(user(), promptCacheRetention=MARK), MALFORMED, "promptCacheRetention"),
    ("a bad cache duration", "alpha2", one(user(), cacheTTL="10"), INVALID, "cacheTTL: not a duration"),
    ("a negative cache duration", "alpha2", one(user(), cacheTTL="-1s"), INVALID, "can't be negative"),
    ("maxTokens 0", "alpha2", one(user(), maxTokens=0), INVALID, "maxTokens: must be at least 1"),
    ("maxTokens with a fraction", "alpha2", one(user(), maxTokens=1.5), MALFORMED, "expected a whole number"),
    ("required without tools", "alpha2", one(user(), toolChoice="required"), INVALID, "tool choice must be 'auto'"),
    (
        "a tool that isn't there",
        "alpha2",
        one(user(), tools=[{"function": {"name": "f"}}], toolChoice="g"),
        INVALID,
        "tool choice selected was not found",
    ),
    ("tools of another type", "alpha2", one(user(), tools={}), MALFORMED, "tools: expected an array, got an object"),
    # alpha1
    ("no content", "alpha1", {"inputs": [{"role": "user"}]}, INVALID, "inputs[0].content: missing"),
    ("content null", "alpha1", {"inputs": [{"content": None}]}, INVALID, "inputs[0].content: missing"),
    ("content of another type", "alpha1", {"inputs": [{"content": 7}]}, MALFORMED, "expected a string, got a number"),
    ("an unknown role", "alpha1", {"inputs": [{"content": MARK, "role": "robot"}]}, INVALID, "one of ai, assistant,"),
    ("role of another type", "alpha1", {"inputs": [{"content": MARK, "role": 1}]}, MALFORMED, "expected a string"),
    ("a flag that is no flag", "alpha1", plain(scrubPII="perhaps"), INVALID, "scrubPII: expected true or false"),
    ("a flag as number", "alpha1", plain(scrubPII=1), MALFORMED, "scrubPII: expected a boolean, got a number"),
    ("a bare number as duration", "alpha1", plain(cacheTTL="600"), INVALID, "cacheTTL: not a duration"),
    ("a number as duration", "alpha1", plain(cacheTTL=600), MALFORMED, "cacheTTL: expected a duration as a string"),
    ("a negative duration", "alpha1", plain(cacheTTL="-10m"), INVALID, "cacheTTL: a duration can't be negative"),
    ("NaN temperature", "alpha1", plain(temperature="NaN"), INVALID, "temperature: must be a finite number"),
    ("a metadata value of another type", "alpha1", plain(metadata={"k": [MARK]}), MALFORMED, "metadata.k: expected"),
    ("both spellings", "alpha1", plain(scrubPII=False, scrub_pii=False), MALFORMED, "in two spellings"),
]
CASES = [
    pytest.param(api, body, code, cause, id=f"{api}: {name}")
    for name, apis, body, code, cause in ROWS
    for api in (["alpha1", "alpha2"] if apis == "both" else [apis])
]


@pytest.fixture(autouse=True, name="nothing_told")
def _nothing_told(caplog: pytest.LogCaptureFixture) -> Callable[[], None]:
    """Note all that is logged from the beginning, and give what checks it."""
    caplog.set_level(logging.DEBUG)

    def check() -> None:
        logged = everything_logged(caplog)
        assert MARK not in logged
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING], logged

    return check


@pytest.mark.parametrize(("api", "body", "code", "cause"), CASES)
def test_a_bad_request_is_told_by_name_and_cause(
    host: RunningHost, *, api: str, body: Any, code: str, cause: str, nothing_told: Callable[[], None]
) -> None:
    """The error has its code, names component and cause, repeats no text, and leaves connection and host in order."""
    connection = host.connection()
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = send(connection, "POST", converse_path("echo", api), data)
        assert (reply.status, reply.headers["content-type"]) == (400, "application/json")
        assert reply.json.keys() == {"errorCode", "message"}
        assert reply.json["errorCode"] == code
        assert reply.json["message"].startswith(PREFIX[code])
        assert cause in reply.json["message"]
        assert MARK not in reply.json["message"]
        sock = connection.sock
        assert send(connection, "POST", converse_path("echo"), said("on")).status == 200
        assert connection.sock is sock
    finally:
        connection.close()
    assert host.converse("echo", api=api).status in {200, 202}
    nothing_told()


@pytest.mark.parametrize("api", ["alpha1", "alpha2"])
def test_what_is_told_first(host: RunningHost, api: str) -> None:
    """A body that is no JSON comes before an unknown component, and that before anything in the body (section 1.4)."""
    path = converse_path("nobody", api)
    assert host.request("POST", path, b"{").json["errorCode"] == MALFORMED
    for body in (b"", b"{}", b'{"inputs":[]}', b'{"inputs":[{}]}'):
        reply = host.request("POST", path, body)
        assert (reply.status, reply.json["errorCode"]) == (400, "ERR_CONVERSATION_NOT_FOUND")
        assert reply.json["message"] == "failed finding conversation component nobody"


def test_an_input_without_messages_is_in_order(host: RunningHost) -> None:
    """Alpha2 lets an input be empty: the provider gets no message, and echo says nothing."""
    reply = host.request("POST", converse_path("echo"), b'{"inputs":[{}]}')
    assert reply.status == 200
    assert reply.json == {"outputs": [{"choices": [{"finishReason": "stop", "message": {}}], "usage": {}}]}


def test_unknown_fields_are_left_out(host: RunningHost) -> None:
    """Fields that nobody knows change nothing, however deep (section 1.2)."""
    body = one(user("hi"), unknown=[{"x": MARK}], **{"": 1})
    body["inputs"][0]["strange"] = {"a": None}
    assert host.request("POST", converse_path("echo"), body).status == 200


def test_a_text_is_never_logged(host: RunningHost, nothing_told: Callable[[], None]) -> None:
    """Requests that succeed leave nothing of their text in the log, even at debug level."""
    assert host.converse("echo", MARK).status == 200
    assert host.converse("echo", MARK, api="alpha1").status == 202
    nothing_told()
