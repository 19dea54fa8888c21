"""The conformance kit, against a server that counts as refused what Ollama would pass over in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Refused

KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "response_format", "temperature", "max_tokens"),
    *("top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort", "n"),
}


class Ollama(ChatCompletions):
    """Ollama's compatible API."""

    def read(self, exchange: Exchange) -> Any:
        """Refuse what Ollama's page doesn't name, a tool choice other than the usual among it."""
        body = exchange.body
        for name in body.keys() - KNOWN - {"tool_choice"}:
            raise Refused(f"{name} would be ignored")
        if body.get("tool_choice") not in {None, "auto"}:
            raise Refused("tool_choice would be ignored")
        return super().read(exchange)


class TestOllama(ConversationKit):
    type_name = "conversation.ollama"
    dialect = Ollama
    metadata: ClassVar[Mapping[str, Any]] = {}
    live: ClassVar[Mapping[str, str]] = {"endpoint": "OLLAMA_ENDPOINT"}
