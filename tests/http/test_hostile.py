"""Hostile bodies: whatever arrives is a request or a ``RequestError``, and takes time in proportion to its size."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.errors import RequestError
from jackfield.http.alpha1 import decode_alpha1
from jackfield.http.alpha2 import decode_alpha2
from jackfield.http.strict_json import parse
from jackfield.messages import Record
from jackfield.overrides import OverridePolicy

POLICIES = (OverridePolicy.from_manifest(None), OverridePolicy.from_manifest(["model", "stop"]))

SCALAR = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1", "NaN", "true", "24h", "-5m", "auto", "[", '["a"]', "tool", "object", "\ud800"])
)
KEYS = st.text(max_size=3) | st.sampled_from(
    [
        *("inputs", "messages", "content", "text", "role", "ofUser", "of_assistant", "ofTool", "toolCalls", "function"),
        *("name", "arguments", "parameters", "metadata", "tools", "toolChoice", "responseFormat", "scrubPII"),
        *("scrub_pii", "cacheTTL", "promptCacheRetention", "temperature", "max_tokens", "maxTokens", "stop", "model"),
        *("@type", "value", "type", "properties", "json_schema", "schema", "anyOf", "items", "contextID", "context_id"),
    ]
)
TREE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
BODY = st.dictionaries(KEYS, TREE, max_size=5)
INPUTS = st.lists(st.dictionaries(KEYS, TREE, max_size=3), max_size=3)


def decode_all(body: bytes) -> None:
    """Decode a body in every way there is, letting only errors of the request pass."""
    for policy in POLICIES:
        with suppress(RequestError):
            decode_alpha2(parse(body), component="llm", policy=policy, record=Record())
        for documented in (True, False):
            with suppress(RequestError):
                decode_alpha1(parse(body), component="llm", policy=policy, documented=documented, record=Record())


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=64) | st.text(max_size=64).map(lambda text: text.encode(errors="surrogatepass")))
def test_random_bytes_raise_nothing_but_request_errors(body: bytes) -> None:
    """Bytes that are no JSON never raise anything else."""
    decode_all(body)
    decode_all(b'{"inputs":[{"content":"' + body + b'"}]}')


@settings(max_examples=200, deadline=None, database=None)
@given(BODY, INPUTS)
def test_random_json_raises_nothing_but_request_errors(members: dict[str, Any], inputs: list[Any]) -> None:
    """Known fields with any value in any place never raise anything else."""
    decode_all(json.dumps(members).encode())
    decode_all(json.dumps({**members, "inputs": inputs}).encode())


def schema(levels: int) -> dict[str, Any]:
    """Return a JSON Schema of objects in objects."""
    node: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        node = {"type": "object", "properties": {"x": node}}
    return node


def test_the_deepest_schema_allowed_is_read() -> None:
    """A schema as deep as the JSON reader allows is closed on every level, without running out of stack."""
    body = json.dumps({"inputs": [{}], "responseFormat": schema(98)}).encode()
    request = decode_alpha2(parse(body), component="llm", policy=POLICIES[0], record=Record())
    assert json.dumps(request.response_format.schema if request.response_format else None).count("false") == 98


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "open arrays": lambda size: b"[" * size,
    "closed arrays": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "nested objects": lambda size: b'{"a":' * (size // 5),
    "shallow arrays": lambda size: b'{"inputs":[' + b"[]," * (size // 3) + b"[]]}",
    "many keys": lambda size: b"{" + b",".join(b'"%07d":0' % number for number in range(size // 12)) + b"}",
    "one key": lambda size: b'{"' + b"_" * size + b'":0}',
    "equal keys": lambda size: b"{" + b",".join([b'"a":0'] * (size // 6)) + b"}",
    "digits": lambda size: b'{"temperature":' + b"9" * size + b"}",
    "fraction": lambda size: b'{"temperature":0.' + b"9" * size + b"}",
    "digits as text": lambda size: b'{"inputs":[{}],"maxTokens":"' + b"9" * size + b'"}',
    "duration": lambda size: b'{"inputs":[{}],"cacheTTL":"' + b"1" * size + b'"}',
    "retention": lambda size: b'{"inputs":[{}],"promptCacheRetention":"' + b"1" * size + b's"}',
    "duration terms": lambda size: b'{"inputs":[{}],"cacheTTL":"' + b"1h" * (size // 2) + b'x"}',
    "stop": lambda size: b'{"inputs":[{"content":"x"}],"metadata":{"stop":"' + b"[" * size + b'"}}',
    "escapes": lambda size: b'{"inputs":[{"content":"' + rb"\ud83d\ude00" * (size // 12) + b'"}]}',
    "half pairs": lambda size: b'{"inputs":[{"content":"' + rb"\ud83d" * (size // 6) + b'"}]}',
    "spaces": lambda size: b" " * size,
    "empty inputs": lambda size: b'{"inputs":[' + b"{}," * (size // 3) + b"{}]}",
    "empty messages": lambda size: b'{"inputs":[{"messages":[' + b"{}," * (size // 3) + b"{}]}]}",
    "overrides": lambda size: (
        b'{"inputs":[{}],"parameters":{'
        + b",".join(b'"n%s":1' % (b"_" * n) for n in range(int((2 * size) ** 0.5)))
        + b"}}"
    ),
}


def seconds(body: bytes) -> float:
    """Return the CPU time of decoding a body in every way, the better of two runs."""
    times = []
    for _ in range(2):
        start = process_time()
        decode_all(body)
        times.append(process_time() - start)
    return min(times)


@pytest.mark.parametrize("kind", HOSTILE)
def test_time_grows_with_size_and_no_faster(kind: str) -> None:
    """Eight times the body takes no more than about eight times as long; 64 times would be quadratic."""
    small, large = HOSTILE[kind](1 << 15), HOSTILE[kind](1 << 18)
    assert seconds(large) < 24 * max(seconds(small), 0.002)


def test_a_body_of_the_largest_size_is_read() -> None:
    """A text of 4 MiB, the limit of a body, arrives whole."""
    text = "x" * (4 << 20)
    body = json.dumps({"inputs": [{"content": text}]}).encode()
    decoded = decode_alpha1(parse(body), component="llm", policy=POLICIES[0], documented=True, record=Record())
    assert decoded.request.messages[0].text == text
