"""The conformance kit."""

from __future__ import annotations

from jackfield.testing import ConversationKit

pytest_plugins = ["jackfield.testing"]


class TestEcho(ConversationKit):
    type_name = "conversation.echo"
