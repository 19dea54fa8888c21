"""What ``repr`` shows: it ends up in logs and tracebacks, so neither secrets nor what people write."""

from __future__ import annotations

import pytest
from building import builder_of

from jackfield import (
    Build,
    Choice,
    ConversationRequest,
    Delta,
    Message,
    ReasoningPart,
    Result,
    Settings,
    TextPart,
    ToolCall,
    ToolCallPart,
)
from jackfield.options import HostOptions

SECRET = "sesame"


@pytest.mark.parametrize(
    "thing",
    [
        ConversationRequest(component="c", messages=(Message(role="user", parts=(TextPart(SECRET),)),)),
        Message(role="assistant", tool_calls=(ToolCall("1", "look", f'{{"for": "{SECRET}"}}'),)),
        Message(role="assistant", parts=(ReasoningPart(SECRET, SECRET),)),
        Result(choices=(Choice((TextPart(SECRET),), (ToolCall("1", "look", SECRET),)),)),
        Delta(TextPart(SECRET)),
        Delta(ReasoningPart(SECRET)),
        Delta(ToolCallPart(0, "1", "look", SECRET)),
        Build("c", "conversation.c", Settings(), {"KEY": SECRET}),
        builder_of([], {"KEY": SECRET}),
        HostOptions(environment={"KEY": SECRET}, api_token=SECRET),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_no_repr_shows_what_is_not_for_logs(thing: object) -> None:
    """Whoever logs a request, a reply or a build by accident tells neither texts nor keys."""
    assert SECRET not in repr(thing)
