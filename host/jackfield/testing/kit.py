"""The conformance kit for conversation providers."""

from __future__ import annotations

from jackfield.testing.checks.messages import MessageChecks

__all__ = ["ConversationKit"]


class ConversationKit(
    MessageChecks,
):
    """Checks a provider; subclass it in a test module and set the class attributes.

    ::

        class TestExample(ConversationKit):
            type_name = "conversation.example"
            dialect = ChatCompletions
            metadata = {"key": "test-key"}
            absent = {"structured_output": "the API has none"}
    """
