"""The conformance kit."""

from __future__ import annotations

from jackfield.testing import ConversationKit


class TestEcho(ConversationKit):
    type_name = "conversation.echo"
