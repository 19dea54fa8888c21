"""From the engine's thread to the events of a reply."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from jackfield import Delta, Finish, ProviderError, ReasoningPart, TextPart, Usage
from jackfield_llamacpp.mailbox import End, Mailbox, Piece, Text, Tokens
from jackfield_llamacpp.replies import Reply


def test_text_joins_while_nobody_reads() -> None:
    """Text of one choice and kind lies as one piece; order is kept, and an error comes after what was written."""

    def write(box: Mailbox) -> None:
        for index, text, reasoning in [
            (0, "a", True),
            (0, "b", True),
            (0, "c", False),
            (1, "d", False),
            (0, "e", False),
        ]:
            box.put_text(index, text, reasoning=reasoning)
        box.put(End(0, "stop"))
        box.end(ProviderError("ouch"))

    async def run() -> list[Any]:
        box = Mailbox()
        thread = threading.Thread(target=write, args=(box,))
        thread.start()
        thread.join()
        pieces = await box.get()
        with pytest.raises(ProviderError, match="ouch"):
            await box.get()
        return pieces

    assert asyncio.run(run()) == [
        Text(0, True, ["a", "b"]),
        Text(0, False, ["c"]),
        Text(1, False, ["d"]),
        Text(0, False, ["e"]),
        End(0, "stop"),
    ]


def test_a_closed_loop_stops_the_writer() -> None:
    """When the reader's loop is gone, the writer is told to stop instead of failing."""

    async def run() -> Mailbox:
        return Mailbox()

    box = asyncio.run(run())
    box.put_text(0, "a", reasoning=False)
    assert box.stopped


def test_events_of_a_reply() -> None:
    """Thinking is a part of its own, an unknown reason counts as stop, and tokens of the choices are summed."""
    reply = Reply(2, model="m", reader=None)
    counts = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}}
    pieces: list[Piece] = [
        Text(0, True, ["h", "m"]),
        Text(1, False, ["Yes"]),
        Tokens(counts),
        End(1, "length"),
        End(0, "new"),
        Tokens(counts),
    ]
    events = [event for piece in pieces for event in reply.read(piece)]
    assert events == [Delta(ReasoningPart("hm"), 0), Delta(TextPart("Yes"), 1)]
    assert list(reply.close()) == [
        Finish("stop", 0, "m"),
        Finish("length", 1, "m"),
        Usage(prompt_tokens=7, completion_tokens=4, total_tokens=11, cached_tokens=3),
    ]


def test_a_reply_without_end_is_an_error() -> None:
    """A reply that stops in the middle is never passed off as a whole one."""
    reply = Reply(1, model="m", reader=None)
    assert list(reply.read(Text(0, False, ["The cap"]))) != []
    with pytest.raises(ProviderError, match="before the reply was whole"):
        list(reply.close())
