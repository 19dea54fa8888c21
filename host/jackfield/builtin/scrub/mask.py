"""Masking of messages and replies: which of their fields hold text, and which don't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from jackfield import Choice, InvokeError, Message, Part, ReasoningPart, Result, Span, TextPart, ToolCall
from jackfield.builtin.scrub.arguments import masked_arguments
from jackfield.builtin.scrub.spans import masked, settled

__all__ = ["Mask", "size_of", "unknown"]


def unknown(kind: object) -> InvokeError:
    """Make the error for something whose text, if it has any, nobody here knows where to find."""
    cause = f"scrubbing was asked for, and the host's scrubbing can't treat {type(kind).__name__}"
    return InvokeError(f"{cause}; leave it out, or leave out the scrub flag")


def size_of(parts: Iterable[Part], calls: Iterable[ToolCall]) -> int:
    """Count the characters to be scrubbed.

    Raises:
        InvokeError: a part is of a kind that can't be scrubbed.
    """
    size = sum(len(call.arguments) for call in calls)
    for part in parts:
        if type(part) is not TextPart and type(part) is not ReasoningPart:
            raise unknown(part)
        size += len(part.text)
    return size


class Mask:
    """Masks texts, and counts what it has masked.

    Args:
        find: the scrubber's method.
    """

    def __init__(self, find: Callable[[str], Sequence[Span]]) -> None:
        self._find = find
        self.entities: list[str] = []

    def text(self, text: str) -> str:
        """Mask one text."""
        return self._pieces((text,))[0]

    def arguments(self, arguments: str) -> str:
        """Mask the string values in a tool call's arguments."""
        return masked_arguments(arguments, self.text) if arguments else arguments

    def message(self, message: Message, digest: str) -> Message:
        """Mask a message's parts, each on its own, and its tool calls, and mark it as treated."""
        return replace(
            message,
            parts=tuple(part if not part.text else replace(part, text=self.text(part.text)) for part in message.parts),
            tool_calls=self._calls(message.tool_calls),
            scrubbed=(*message.scrubbed, digest),
        )

    def result(self, result: Result) -> Result:
        """Mask a whole reply."""
        return replace(result, choices=tuple(map(self._choice, result.choices)))

    def _choice(self, choice: Choice) -> Choice:
        # Who reads the reply sees all its text as one, and so does a stream's scrubber: an entity may lie across parts.
        parts = list(choice.parts)
        for kind in (TextPart, ReasoningPart):
            places = [place for place, part in enumerate(parts) if type(part) is kind]
            for place, text in zip(places, self._pieces([parts[place].text for place in places]), strict=True):
                parts[place] = replace(parts[place], text=text)
        return replace(choice, parts=tuple(parts), tool_calls=self._calls(choice.tool_calls))

    def _calls(self, calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
        return tuple(replace(call, arguments=self.arguments(call.arguments)) for call in calls)

    def _pieces(self, pieces: Sequence[str]) -> Sequence[str]:
        text = "".join(pieces)
        spans = settled(self._find(text), len(text)) if text else []
        self.entities += [span.entity for span in spans]
        return masked(pieces, spans) if spans else pieces
