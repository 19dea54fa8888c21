"""Requests that are in order, of every API, and the pieces with which they are damaged."""

from __future__ import annotations

import json

__all__ = ["ALPHA1", "ALPHA2", "HELLO", "HTTP", "HTTP_SIGNS", "NAMES", "OPENAI", "SIGNS"]

HELLO = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]}
TOOL = {"function": {"name": "look", "description": "d", "parameters": {"type": "object", "properties": {"a": {}}}}}
ALPHA2 = (
    HELLO,
    {**HELLO, "stream": True, "contextId": "c", "scrubPII": False, "temperature": 0.5, "cacheTTL": "10m"},
    {**HELLO, "tools": [TOOL], "toolChoice": "required", "parameters": {"maxTokens": {"value": 5}}},
    {**HELLO, "metadata": {"model": "m", "temperature": "0.1"}, "responseFormat": {"type": "object"}},
    {
        "inputs": [
            {
                "messages": [
                    {"ofDeveloper": {"name": "d", "content": [{"text": "be brief"}]}},
                    {"ofSystem": {"content": [{"text": "be kind"}]}},
                    {"ofUser": {"content": [{"text": "what?"}, {"text": "when?"}]}},
                    {"ofAssistant": {"toolCalls": [{"id": "1", "function": {"name": "look", "arguments": "{}"}}]}},
                    {"ofTool": {"toolId": "1", "name": "look", "content": [{"text": "found"}]}},
                ],
                "scrubPII": False,
            }
        ],
        "promptCacheRetention": "86400s",
        "n": 2,
        "stop": ["x"],
        "seed": 7,
    },
)
ALPHA1 = (
    {"inputs": [{"content": "hello", "role": "user", "scrubPII": False}], "contextID": "c", "temperature": 0.1},
    {
        "inputs": [{"content": "a"}, {"content": "b", "role": "assistant"}],
        "parameters": {"p": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "x"}},
        "metadata": {"key": "v"},
        "cacheTTL": "1h30m",
    },
)
OPENAI = (
    {"model": "echo", "messages": [{"role": "user", "content": "hello"}]},
    {"model": "echo/x", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], "stream": True},
    {
        "model": "echo",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "name": "u", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "r"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "max_completion_tokens": 5,
        "stop": "x",
        "n": 1,
        "user": "u",
    },
)
NAMES: tuple[str, ...] = (
    "inputs",
    "messages",
    "ofUser",
    "content",
    "text",
    "role",
    "tools",
    "parameters",
    "metadata",
    "stream",
    "model",
)
NAMES += (
    "max_tokens",
    "maxTokens",
    "MAX_TOKENS",
    "scrubPII",
    "scrub_pii",
    "cacheTTL",
    "value",
    "@type",
    "responseFormat",
)
SIGNS: tuple[bytes, ...] = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"null",
    b"NaN",
    b"1e999",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xef\xbb\xbf",
)
SIGNS += (b"[" * 3000, b'{"a":' * 300, b"9" * 5000, b"0.1", b"-0", b'"\\u0022"')


def _whole() -> tuple[bytes, ...]:
    body = json.dumps(HELLO).encode()
    head = b"POST /v1.0-alpha2/conversation/echo/converse HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return (
        head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks,
        b"GET /v1.0/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"PUT /v1.0/metadata/a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
    )


HTTP = _whole()
"""Whole requests, as they are on the wire."""
HTTP_SIGNS: tuple[bytes, ...] = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\x00",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
)
HTTP_SIGNS += (
    b"HTTP/2.0",
    b"HTTP/9.9",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"Upgrade: h2c\r\n",
    b"%2e%2e/",
    b"a: b\r\n" * 200,
    b"f" * 70_000,
)
