"""The conformance kit, against a server that knows what Hugging Face's reference names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Fail, Refused

KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format", "temperature"),
    *("max_tokens", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "n"),
}


class HuggingFace(ChatCompletions):
    """The router: an error is a text."""

    def read(self, exchange: Exchange) -> Any:
        """Refuse what the reference doesn't name."""
        for name in exchange.body.keys() - KNOWN:
            raise Refused(f"unknown field {name}", 422)
        return super().read(exchange)

    def failure(self, reply: Fail) -> Any:
        """Write an error as a text."""
        return {"error": reply.message}


class TestHuggingFace(ConversationKit):
    type_name = "conversation.huggingface"
    dialect = HuggingFace
    metadata: ClassVar[Mapping[str, Any]] = {"key": "hf_test0123456789"}
    live: ClassVar[Mapping[str, str]] = {"key": "HF_TOKEN"}
