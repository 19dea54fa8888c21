"""The conformance kit, against a server with the rules of DeepSeek's thinking mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jackfield import FinishReason
from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Refused

KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format", "temperature"),
    *("max_tokens", "top_p", "stop", "presence_penalty", "frequency_penalty", "thinking", "n"),
}


class DeepSeek(ChatCompletions):
    """DeepSeek's API: it thinks unless told not to, and then has rules of its own."""

    path: ClassVar[str] = ""
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = ChatCompletions.finish_reasons

    def read(self, exchange: Exchange) -> Any:
        """Refuse what DeepSeek's server refuses or passes over in silence."""
        body = exchange.body
        for name in body.keys() - KNOWN:
            raise Refused(f"{name} is not known")
        if (body.get("response_format") or {}).get("type") == "json_schema":
            raise Refused("This response_format type is unavailable now")
        if (body.get("thinking") or {"type": "enabled"})["type"] == "enabled":
            if isinstance(body.get("tool_choice"), dict) or body.get("tool_choice") == "required":
                raise Refused("Thinking mode does not support this tool_choice")
            called = any(message.get("tool_calls") for message in body["messages"])
            for message in body["messages"]:
                if called and message["role"] == "assistant" and not message.get("reasoning_content"):
                    raise Refused("The `reasoning_content` in the thinking mode must be passed back to the API.")
        return super().read(exchange)


class TestDeepSeek(ConversationKit):
    type_name = "conversation.deepseek"
    dialect = DeepSeek
    metadata: ClassVar[Mapping[str, Any]] = {"key": "sk-test-0123456789"}
    live: ClassVar[Mapping[str, str]] = {"key": "DEEPSEEK_API_KEY"}


class TestThinking(ConversationKit):
    """A model that thinks, as the manifest names it."""

    type_name = "conversation.deepseek"
    dialect = DeepSeek
    metadata: ClassVar[Mapping[str, Any]] = {"key": "sk-test-0123456789", "model": "deepseek-v4-pro"}
