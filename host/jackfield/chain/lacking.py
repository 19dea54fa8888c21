"""What a request asks for and its provider can't do is refused, never left out in silence."""

from __future__ import annotations

from typing import Any

from jackfield.components import Conversation
from jackfield.errors import InvalidParameters
from jackfield.messages import ConversationRequest

__all__ = ["refuse_lacking"]

_HINTS = frozenset({"prompt_cache_key", "safety_identifier", "user"})
"""Members of OpenAI's API that change no reply: for whom a provider keeps statistics and caches. Elsewhere they are
left out, and the record says so."""


def refuse_lacking(request: ConversationRequest, component: Conversation[Any]) -> None:
    """Refuse tools and structures that the component's type ``lacks``, and settings that it doesn't take.

    Raises:
        InvalidParameters: the request asks for one of them; the text says which, and why there is none.
    """
    if request.extra and not component.takes_extra:
        if names := ", ".join(sorted(request.extra.keys() - _HINTS)):
            cause = f"{names}: this component's provider has no such setting; leave it out, or ask another"
            raise InvalidParameters(cause, component=component.name)
        ignored = request.record.ignored
        request.record.ignored = (*ignored, *(name for name in sorted(request.extra) if name not in ignored))
    wanted = {
        "structured_output": request.response_format is not None,
        "tools": bool(request.tools) and request.tool_choice != "none",
    }
    for name, is_wanted in wanted.items():
        if is_wanted and (reason := component.lacks.get(name)):
            told = name.replace("_", " ")
            cause = f"this component's provider has no {told}: {reason}; ask without, or ask another component"
            raise InvalidParameters(cause, component=component.name)
