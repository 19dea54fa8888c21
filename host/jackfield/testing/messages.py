"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec

from jackfield.events import Choice, FinishReason, Usage
from jackfield.messages import (
    ConversationRequest,
    GenerationSettings,
    Message,
    Part,
    ReasoningPart,
    ResponseFormat,
    Role,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.testing.dialect import Dialect, cut
from jackfield.testing.script import Fail, Refused, Say
from jackfield.testing.upstream import Exchange

__all__ = ["Messages", "named_events"]

_ERRORS: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "none": "none", "any": "required"}


class Messages(Dialect):
    """``POST /v1/messages`` of Anthropic's API reference; an endpoint has no path of its own."""

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }

    def read(self, exchange: Exchange) -> ConversationRequest:
        """Say what was asked; see ``Dialect.read``. The key, the version header and ``max_tokens`` are required."""
        if not exchange.target.partition("?")[0].endswith("/v1/messages"):
            raise Refused("Not found", 404)
        if not exchange.headers.get("x-api-key") and not exchange.headers.get("authorization"):
            raise Refused("x-api-key header is required", 401)
        if "anthropic-version" not in exchange.headers:
            raise Refused("anthropic-version: header is required")
        body = exchange.body
        for name in ("model", "max_tokens", "messages"):
            if not body.get(name):
                raise Refused(f"{name}: Field required")
        system = [Message(role="system", parts=tuple(_texts(body["system"])))] if body.get("system") else []
        choice = body.get("tool_choice") or {}
        stop = body.get("stop_sequences")
        return ConversationRequest(
            component="",
            messages=(*system, *_read_messages(body["messages"])),
            tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
            tool_choice=choice.get("name") or _CHOICES.get(choice.get("type", ""), ""),
            response_format=_format(body),
            settings=GenerationSettings(
                temperature=body.get("temperature"),
                max_tokens=body["max_tokens"],
                top_p=body.get("top_p"),
                top_k=body.get("top_k"),
                stop=tuple(stop) if stop else None,
            ),
            model=body["model"],
            stream=bool(body.get("stream")),
        )

    def whole(self, reply: Say, exchange: Exchange) -> Any:
        """Write a reply in one piece; see ``Dialect.whole``. The API gives one choice."""
        choice = reply.result.choices[0]
        return {**self._head(reply, exchange), "content": _blocks(choice), "stop_reason": self.word(reply)} | (
            {"usage": _usage(reply.result.usage or Usage())}
        )

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Write a reply as a stream of named events; see ``Dialect.pieces``."""
        usage = _usage(reply.result.usage or Usage())
        head = {**self._head(reply, exchange), "usage": {**usage, "output_tokens": 1}}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": head}]
        for index, block in enumerate(_blocks(reply.result.choices[0])):
            empty, deltas = _streamed(block)
            events.append({"type": "content_block_start", "index": index, "content_block": empty})
            if index == 0:
                events.append({"type": "ping"})
            events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
            events.append({"type": "content_block_stop", "index": index})
        ending = {"stop_reason": self.word(reply), "stop_sequence": None}
        events.append({"type": "message_delta", "delta": ending, "usage": {"output_tokens": usage["output_tokens"]}})
        return named_events([*events, {"type": "message_stop"}])

    def failure(self, reply: Fail) -> Any:
        """Write the body of a refusal; see ``Dialect.failure``."""
        kind = _ERRORS.get(reply.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": reply.message}, "request_id": "req_1"}

    def _head(self, reply: Say, exchange: Exchange) -> dict[str, Any]:
        model = reply.result.model or exchange.body["model"]
        head: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
        return {**head, "stop_reason": None, "stop_sequence": None}


def named_events(events: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Write events as server-sent events that are named by their ``type``."""
    return [b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event)) for event in events]


def _read_messages(written: Sequence[Mapping[str, Any]]) -> Iterable[Message]:
    waiting: list[str] = []
    for position, message in enumerate(written):
        role, content = message["role"], message["content"]
        if role not in {"user", "assistant"}:
            raise Refused(f"messages.{position}.role: Input should be 'user' or 'assistant'")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks or any(block["type"] == "text" and not block["text"] for block in blocks):
            raise Refused(f"messages.{position}: text content blocks must be non-empty")
        results = [block for block in blocks if block["type"] == "tool_result"]
        if sorted(waiting) != sorted(block["tool_use_id"] for block in results):
            raise Refused(
                f"messages.{position}: each `tool_use` block must have a corresponding `tool_result` block in the next"
                " message"
            )
        for block in results:
            parts = tuple(_texts(block.get("content") or ""))
            yield Message(role="tool", parts=parts, tool_call_id=block["tool_use_id"])
        rest = [block for block in blocks if block["type"] != "tool_result"]
        waiting = [block["id"] for block in rest if block["type"] == "tool_use"]
        if rest:
            yield _message(role, rest)


def _message(role: Role, blocks: Sequence[Mapping[str, Any]]) -> Message:
    parts: list[Part] = []
    calls: list[ToolCall] = []
    for block in blocks:
        if block["type"] == "text":
            parts.append(TextPart(block["text"]))
        elif block["type"] == "thinking":
            parts.append(ReasoningPart(block["thinking"], block["signature"]))
        elif block["type"] == "redacted_thinking":
            parts.append(ReasoningPart("", block["data"]))
        elif block["type"] == "tool_use":
            if not isinstance(block["input"], dict):
                raise Refused("tool_use.input: Input should be a valid dictionary")
            calls.append(ToolCall(block["id"], block["name"], msgspec.json.encode(block["input"]).decode()))
        else:
            raise Refused(f"Input tag '{block['type']}' is not known")
    return Message(role=role, parts=tuple(parts), tool_calls=tuple(calls))


def _texts(content: Any) -> list[TextPart]:
    if isinstance(content, str):
        return [TextPart(content)] if content else []
    return [TextPart(block["text"]) for block in content if block["type"] == "text"]


def _tool(written: Mapping[str, Any]) -> Tool:
    schema = written.get("input_schema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise Refused("tools.0.custom.input_schema.type: Field required")
    return Tool(name=written["name"], description=written.get("description", ""), parameters=schema)


def _format(body: Mapping[str, Any]) -> ResponseFormat | None:
    """Read the structured output of models that have it; older ones are told to call a tool."""
    written = (body.get("output_config") or {}).get("format") or body.get("output_format")
    return ResponseFormat(schema=written["schema"]) if written else None


def _blocks(choice: Choice) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in choice.parts:
        if isinstance(part, TextPart):
            blocks.append({"type": "text", "text": part.text})
        elif part.text:
            blocks.append({"type": "thinking", "thinking": part.text, "signature": part.signature})
        else:
            blocks.append({"type": "redacted_thinking", "data": part.signature})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": msgspec.json.decode(call.arguments or "{}")}
        for call in choice.tool_calls
    ]
    return blocks


def _streamed(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a block as it starts, and what is added to it."""
    match block["type"]:
        case "text":
            texts = [{"type": "text_delta", "text": piece} for piece in cut(block["text"])]
            return {**block, "text": ""}, texts
        case "thinking":
            thinking = [{"type": "thinking_delta", "thinking": piece} for piece in cut(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*thinking, signed]
        case "tool_use":
            written = msgspec.json.encode(block["input"]).decode() if block["input"] else ""
            pieces = ["", *cut(written, 4)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        case _:
            return dict(block), []


def _usage(usage: Usage) -> dict[str, Any]:
    """Write the tokens; those read from the prompt cache are counted apart, as the API does."""
    cached = usage.cached_tokens or 0
    return {
        "input_tokens": usage.prompt_tokens - cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.completion_tokens,
    }
