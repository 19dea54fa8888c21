"""The conformance kit."""

from __future__ import annotations

from jackfield.testing import ChatCompletions, ConversationKit


class TestOpenAI(ConversationKit):
    type_name = "conversation.openai"
    dialect = ChatCompletions
    metadata = {"key": "sk-test-0123456789", "model": "gpt-test"}
