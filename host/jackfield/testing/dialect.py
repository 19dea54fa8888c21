"""What a fake upstream has to know of an API; a plugin with an API of its own brings its own ``Dialect``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jackfield.events import FinishReason
from jackfield.messages import ConversationRequest
from jackfield.testing.script import Fail, Say
from jackfield.testing.upstream import EVENT_STREAM, Exchange

__all__ = ["Dialect"]


class Dialect(ABC):
    """One API: reads its requests into the host's terms and writes the host's replies as the API does.

    All methods are pure: sending, hanging and breaking off is the server's part.
    """

    path: ClassVar[str] = ""
    """What follows the server's address in a manifest's ``endpoint``, such as ``/v1``."""

    stream_type: ClassVar[str] = EVENT_STREAM
    """The content type of a streamed reply."""

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {}
    """The API's finish reasons with their meanings. The first of each meaning is what ``Say`` writes for it."""

    @abstractmethod
    def read(self, exchange: Exchange) -> ConversationRequest:
        """Say what was asked.

        Roles, texts, reasoning, tool calls and results, tools, tool choice (``any`` and its like as ``required``), the
        response format, settings, model and ``stream`` are read back; ``component`` is empty.

        Raises:
            Refused: the real API would refuse it.
        """

    @abstractmethod
    def whole(self, reply: Say, exchange: Exchange) -> Any:
        """Write a reply in one piece: bytes, or what becomes JSON."""

    @abstractmethod
    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Write a reply as a stream, in pieces that arrive one by one. Text and arguments are cut into several."""

    @abstractmethod
    def failure(self, reply: Fail) -> Any:
        """Write the body of a refusal: bytes, or what becomes JSON."""

    def failure_headers(self, reply: Fail) -> Mapping[str, str]:  # noqa: ARG002
        """Return headers that a refusal has beside ``Retry-After``."""
        return {}

    def word(self, reply: Say, index: int = 0) -> str:
        """Return the API's word for why a choice ends."""
        reason = reply.result.choices[index].finish_reason
        return reply.finish or next(
            (word for word, meaning in self.finish_reasons.items() if meaning == reason), reason
        )


def cut(text: str, size: int = 5) -> list[str]:
    """Cut a text into the pieces that a stream carries."""
    return [text[start : start + size] for start in range(0, len(text), size)]
