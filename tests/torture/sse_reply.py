"""A streamed reply of alpha2, taken apart."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

__all__ = ["SseEvent", "events_of", "words_of"]


class SseEvent(NamedTuple):
    """One event: its name, empty for a piece of a choice, and its data."""

    name: str
    data: Any


def events_of(body: bytes) -> list[SseEvent]:
    """Take a stream apart; comments are left out.

    Raises:
        ValueError: the data of an event is no JSON, or there is another line than ``event`` and ``data``.
    """
    found = []
    for block in body.decode().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith(":")]
        if not lines:
            continue
        fields = dict(line.split(": ", 1) for line in lines)
        if not {"data"} <= fields.keys() <= {"data", "event"}:
            raise ValueError(f"an event with {sorted(fields)}")
        found.append(SseEvent(fields.get("event", ""), json.loads(fields["data"])))
    return found


def words_of(events: list[SseEvent]) -> str:
    """Join what the model says."""
    pieces = [choice for event in events if not event.name for choice in event.data["outputs"][0]["choices"]]
    return "".join(choice["delta"].get("content", "") for choice in pieces)
