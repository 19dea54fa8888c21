"""What Dapr's conversation API says of values, however they travel: JSON and protobuf follow the same rules."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.messages import Message, Role, TextPart, Tool

__all__ = ["KNOWN_ROLES", "alpha1_message", "chosen_tool"]

_ROLES: dict[str, Role] = {
    "": "user",
    "user": "user",
    "human": "user",
    "generic": "user",
    "system": "system",
    "developer": "developer",
    "assistant": "assistant",
    "ai": "assistant",
    "tool": "user",
    "function": "user",
}
_RESULT_ROLES = frozenset({"tool", "function"})
_RESULT_MARK = "Tool result: "
KNOWN_ROLES = tuple(sorted(role for role in _ROLES if role))
"""The roles of alpha1's inputs, in any case (contract sheet, section 1.3, step 4)."""
_ALTERNATIVES = "'auto', 'none', 'required', or a specific tool name matching the tools available to be used"


def alpha1_message(content: str, role: str, index: int, *, scrub: bool) -> Message:
    """Make the message of one of alpha1's inputs.

    A role that isn't known is a user's. A ``tool`` or ``function`` input names no call that it answers: it becomes a
    user message that begins with ``Tool result: ``.

    Args:
        content: its text.
        role: in any case; empty if not given.
        index: the input's position, from 0.
        scrub: it is to be scrubbed.
    """
    name = role.lower()
    if name in _RESULT_ROLES:
        content = _RESULT_MARK + content
    return Message(role=_ROLES.get(name, "user"), parts=(TextPart(content),), input=index, scrub=scrub)


def chosen_tool(choice: str, tools: Sequence[Tool], doubts: list[str]) -> str:
    """Apply the rules of alpha2's tool choice (contract sheet, section 1.4, step 9).

    Without tools there is nothing to choose, and only ``required`` is an error.

    Args:
        choice: as the request has it; empty if it has none.
        tools: the request's.
        doubts: gets a text if the choice can't be used.

    Returns:
        What ``ConversationRequest.tool_choice`` is to be.
    """
    if not tools:
        if choice == "required":
            doubts.append(f"tool choice must be {_ALTERNATIVES}")
        return ""
    if choice and choice not in {"auto", "none", "required"} and all(choice != tool.name for tool in tools):
        doubts.append(f"tool choice selected was not found. Must be {_ALTERNATIVES}")
    return choice or "auto"
