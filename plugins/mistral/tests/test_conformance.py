"""The conformance kit, against a server with Mistral's own names and its rules for ids and messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import msgspec

from jackfield import FinishReason
from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Fail, Refused, Say

KNOWN = {
    *("model", "messages", "stream", "tools", "tool_choice", "response_format", "temperature", "max_tokens", "top_p"),
    *("top_k", "stop", "random_seed", "n", "presence_penalty", "frequency_penalty", "metadata", "prompt_mode"),
}
AFTER = {
    None: {"system", "user", "assistant"},
    "system": {"system", "user", "assistant"},
    "user": {"system", "user", "assistant"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}


class Mistral(ChatCompletions):
    """Mistral's API: nothing unknown, ids of nine characters, roles in their order, thinking as a part."""

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        **ChatCompletions.finish_reasons,
        "model_length": "length",
    }

    def read(self, exchange: Exchange) -> Any:
        """Refuse what Mistral's server refuses, and read the rest by OpenAI's names."""
        body = exchange.body
        for name in body.keys() - KNOWN:
            raise Refused(f"Extra inputs are not permitted: {name}", 422)
        _check(body.get("messages") or [])
        if "random_seed" in body:
            body["seed"] = body.pop("random_seed")
        if body.get("tool_choice") == "any":
            body["tool_choice"] = "required"
        return super().read(replace(exchange, data=msgspec.json.encode(body)))

    def whole(self, reply: Say, exchange: Exchange) -> Any:
        """Write thinking as a part of the content."""
        whole = super().whole(reply, exchange)
        for choice in whole["choices"]:
            choice["message"] = _with_parts(choice["message"])
        return whole

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Stream with usage at the end, whether or not it was asked for."""
        body = {**exchange.body, "stream_options": {"include_usage": True}}
        events = super().pieces(reply, replace(exchange, data=msgspec.json.encode(body)))
        return [_rewritten(event) for event in events]

    def failure(self, reply: Fail) -> Any:
        """Write an error without a wrapper."""
        return {"object": "error", "message": reply.message, "type": "invalid_request_error", "code": "3230"}


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    before: str | None = None
    for message in messages:
        role = message["role"]
        if role not in AFTER[before]:
            raise Refused(f"Unexpected role '{role}' after role '{before}'")
        for given in [call["id"] for call in message.get("tool_calls") or ()] + [message.get("tool_call_id", "a" * 9)]:
            if not re.fullmatch("[a-zA-Z0-9]{9}", given):
                raise Refused(f"Tool call id was {given} but must be a-z, A-Z, 0-9, with a length of 9.")
        if role == "assistant" and not message.get("content") and not message.get("tool_calls"):
            raise Refused("Assistant message must have either content or tool_calls, but not none.")
        before = role
    if before == "assistant" and not messages[-1].get("prefix"):
        raise Refused("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant")


def _with_parts(message: dict[str, Any]) -> dict[str, Any]:
    thought = message.pop("reasoning_content", "")
    if thought:
        said = [{"type": "text", "text": message["content"]}] if message.get("content") else []
        message["content"] = [{"type": "thinking", "thinking": [{"type": "text", "text": thought}]}, *said]
    return message


def _rewritten(event: bytes) -> bytes:
    data = event.removeprefix(b"data: ").strip()
    if data == b"[DONE]":
        return event
    chunk = msgspec.json.decode(data)
    for choice in chunk["choices"]:
        choice["delta"] = _with_parts(choice["delta"])
    return b"data: %s\n\n" % msgspec.json.encode(chunk)


class TestMistral(ConversationKit):
    type_name = "conversation.mistral"
    dialect = Mistral
    metadata: ClassVar[Mapping[str, Any]] = {"key": "mistral-test-0123456789"}
    live: ClassVar[Mapping[str, str]] = {"key": "MISTRAL_API_KEY"}
