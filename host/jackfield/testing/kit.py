"""The conformance kit for conversation providers."""

from __future__ import annotations

from jackfield.testing.checks.discovery import DiscoveryChecks
from jackfield.testing.checks.errors import ErrorChecks
from jackfield.testing.checks.lifecycle import LifecycleChecks
from jackfield.testing.checks.live import LiveChecks
from jackfield.testing.checks.messages import MessageChecks
from jackfield.testing.checks.metadata import MetadataChecks
from jackfield.testing.checks.replies import ReplyChecks
from jackfield.testing.checks.secrets import SecretChecks
from jackfield.testing.checks.structure import StructureChecks
from jackfield.testing.checks.tools import ToolChecks

__all__ = ["ConversationKit"]


class ConversationKit(
    LiveChecks,
    LifecycleChecks,
    SecretChecks,
    ErrorChecks,
    ReplyChecks,
    StructureChecks,
    ToolChecks,
    MessageChecks,
    MetadataChecks,
    DiscoveryChecks,
):
    """Checks a provider; subclass it in a test module and set the class attributes.

    ::

        class TestExample(ConversationKit):
            type_name = "conversation.example"
            dialect = ChatCompletions
            metadata = {"key": "test-key"}
    """
