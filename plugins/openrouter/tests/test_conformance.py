"""The conformance kit, against a server with OpenRouter's reasoning and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from jackfield import Choice, Message
from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Fail, Refused, Say, event_stream

KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format", "temperature"),
    *("max_tokens", "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "provider", "reasoning"),
    "n",
}


class OpenRouter(ChatCompletions):
    """OpenRouter's API: a request that must be kept to says so, or a provider may pass over it."""

    path: ClassVar[str] = "/api/v1"

    def read(self, exchange: Exchange) -> Any:
        """Refuse what OpenRouter doesn't know, and what it would leave to the provider."""
        body = exchange.body
        for name in body.keys() - KNOWN:
            raise Refused(f"{name} would be ignored")
        strict = (body.get("provider") or {}).get("require_parameters", False)
        if body.get("response_format") is not None and not strict:
            raise Refused("response_format may be ignored")
        return super().read(exchange)

    def read_message(self, message: Mapping[str, Any]) -> Message:
        """Read a message, with what was encrypted at its first call."""
        read = super().read_message(message)
        for detail in message.get("reasoning_details") or ():
            first, *others = read.tool_calls
            read = replace(read, tool_calls=(replace(first, opaque=detail["data"]), *others))
        return read

    def whole(self, reply: Say, exchange: Exchange) -> Any:
        """Write encrypted reasoning beside the calls that it belongs to."""
        whole = super().whole(reply, exchange)
        for choice, said in zip(whole["choices"], reply.result.choices, strict=True):
            choice["message"]["reasoning_details"] = _encrypted(said)
        return whole

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Stream with comments while the provider is slow, and encrypted reasoning before the calls."""
        details = [
            {"choices": [{"index": index, "delta": {"reasoning_details": _encrypted(said)}}]}
            for index, said in enumerate(reply.result.choices)
        ]
        first, *others = super().pieces(reply, exchange)
        return [b": OPENROUTER PROCESSING\n\n", first, *event_stream(details, done=False), *others]

    def failure(self, reply: Fail) -> Any:
        """Write an error with its status, and the provider's words beside it."""
        return {"error": {"code": reply.status, "message": reply.message, "metadata": {"provider_name": "Some"}}}


def _encrypted(choice: Choice) -> list[dict[str, Any]]:
    data = [call.opaque for call in choice.tool_calls if call.opaque]
    return [{"type": "reasoning.encrypted", "data": text, "format": "google-gemini-v1", "index": 0} for text in data]


class TestOpenRouter(ConversationKit):
    type_name = "conversation.openrouter"
    dialect = OpenRouter
    metadata: ClassVar[Mapping[str, Any]] = {"key": "sk-or-test-0123456789"}
    live: ClassVar[Mapping[str, str]] = {"key": "OPENROUTER_API_KEY"}
