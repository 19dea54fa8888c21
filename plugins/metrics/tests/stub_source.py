"""A plugin for the hosts of these tests: a provider that does what it is told, and a scrubber."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

from jackfield import (
    Conversation,
    ConversationRequest,
    DaprSettings,
    Delta,
    Event,
    Finish,
    ProviderError,
    RegisterComponents,
    Scrubber,
    Settings,
    Span,
    TextPart,
    Usage,
    hookimpl,
)


class Stub(Conversation[DaprSettings]):
    """Answers, fails when the text says so, or fails once."""

    Settings = DaprSettings

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer."""
        text = request.messages[-1].text
        if "fail" in text or ("flaky" in text and request.record.attempts < 2):
            raise ProviderError("a text that must not be shown: " + text, status=500)
        yield Delta(TextPart("fine"))
        yield Finish("stop", model="stub-1")
        yield Usage(3, 5, 8)


class Finder(Scrubber[Settings]):
    """Finds codes."""

    def find(self, text: str) -> Sequence[Span]:
        """Return the codes."""
        return [Span(*match.span(), "CODE") for match in re.finditer(r"CODE-\d+", text)]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register both."""
    register.conversation("conversation.stub", Stub)
    register.scrubber("scrubber.stub", Finder, default=True)
