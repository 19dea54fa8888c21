"""Turning what the engine writes into the events of a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from jackfield import Delta, Event, Finish, FinishReason, ProviderError, ReasoningPart, TextPart, Usage
from jackfield_llamacpp.calls import CallReader
from jackfield_llamacpp.mailbox import End, Piece, Text, Tokens

__all__ = ["Reply"]

_REASONS = {"stop", "length", "tool_calls", "content_filter"}


class Reply:
    """Keeps a reply's choices while they are written.

    Args:
        choices: how many there are.
        model: what is said to have answered.
        reader: makes what reads one choice, where tools are in play; None where the text is the reply.
    """

    def __init__(self, choices: int, *, model: str, reader: Callable[[], CallReader] | None) -> None:
        self._model = model
        self._readers = [reader() for _ in range(choices)] if reader else []
        self._ends: list[str | None] = [None] * choices
        self._usage: Usage | None = None

    def read(self, piece: Piece) -> Iterator[Event]:
        """Give the events that a piece amounts to."""
        if isinstance(piece, End):
            self._ends[piece.index] = piece.reason
        elif isinstance(piece, Tokens):
            self._usage = _add(self._usage, piece)
        elif isinstance(piece, Text):
            text = "".join(piece.pieces)
            if piece.reasoning:
                yield Delta(ReasoningPart(text), piece.index)
            elif not self._readers:
                yield Delta(TextPart(text), piece.index)
            else:
                for part in self._readers[piece.index].feed(text):
                    yield Delta(part, piece.index)

    def close(self) -> Iterator[Event]:
        """Give the events that end the reply.

        Raises:
            ProviderError: a choice has no end.
        """
        for index, reason in enumerate(self._ends):
            if reason is None:
                raise ProviderError("the engine stopped before the reply was whole")
            called = bool(self._readers) and self._readers[index].called
            known = "tool_calls" if called else reason if reason in _REASONS else "stop"
            yield Finish(cast("FinishReason", known), index, self._model)
        if self._usage is not None:
            yield self._usage


def _add(usage: Usage | None, tokens: Tokens) -> Usage:
    """Count a choice's tokens; the engine tells them per choice, and all choices share one prompt."""
    counts = tokens.counts
    if usage is None:
        details = counts.get("prompt_tokens_details") or {}
        usage = Usage(prompt_tokens=counts["prompt_tokens"], cached_tokens=details.get("cached_tokens"))
    written = usage.completion_tokens + counts["completion_tokens"]
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=written,
        total_tokens=usage.prompt_tokens + written,
        cached_tokens=usage.cached_tokens,
    )
