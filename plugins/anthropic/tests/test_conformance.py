"""The conformance kit, for Anthropic's own API and for Microsoft Foundry."""

from __future__ import annotations

from typing import Any

from jackfield.testing import ConversationKit, Messages


class TestAnthropic(ConversationKit):
    """Anthropic's own API."""

    type_name = "conversation.anthropic"
    dialect = Messages
    metadata = {"key": "sk-ant-quite-secret"}
    live = {"key": "ANTHROPIC_API_KEY"}


class TestFoundry(ConversationKit):
    """Claude on Microsoft Foundry, under a name that doesn't tell the model."""

    type_name = "conversation.anthropic"
    dialect = Messages
    metadata = {
        "key": "quite-secret-too",
        "apiType": "foundry",
        "model": "our-deployment",
    }
    live = {
        "key": "ANTHROPIC_FOUNDRY_API_KEY",
        "endpoint": "ANTHROPIC_FOUNDRY_BASE_URL",
        "model": "ANTHROPIC_FOUNDRY_MODEL",
    }

    def endpoint(self, address: str) -> dict[str, Any]:
        """Send the provider to an address of Foundry's form."""
        return {"endpoint": f"{address}/anthropic/v1"}
