"""What becomes of a request that a tool must be called for, if none is."""

from __future__ import annotations

from jackfield.errors import ProviderError
from jackfield.messages import ConversationRequest

__all__ = ["call_is_due", "no_call"]


def call_is_due(request: ConversationRequest) -> bool:
    """Say whether the model has been told to call some tool."""
    return bool(request.tools) and request.tool_choice in {"required", "any"}


def no_call(request: ConversationRequest) -> ProviderError:
    """Make daprd's error for a model that was told to call a tool and did nothing (contract sheet, section 10.4)."""
    return ProviderError(
        f"LLM returned empty response with no tool calls despite {len(request.tools)} tools being available"
    )
