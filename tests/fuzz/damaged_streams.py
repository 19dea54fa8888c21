"""Streams that are written in another form, or say what they should not: bytes that a provider's reader has to take."""

from __future__ import annotations

import json
import re

from hypothesis import strategies as st
from nasty import json_values, mutated_json

from jackfield_bedrock.testing.frames import event_frame

__all__ = ["SIGNS", "reevented", "reframed", "rewritten"]

SIGNS: tuple[bytes, ...] = (
    b"data: ",
    b"data:",
    b"\n\n",
    b"\r\n\r\n",
    b"\r",
    b": x\n",
    b"event: error\n",
    b"\xef\xbb\xbf",
    b"id: 1\n",
    b"retry: 0\n",
)
SIGNS += (
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"2.0",
    b'""',
    b"1e999",
    b"[" * 3000,
    b'{"a":' * 500,
    b"\xff",
    b"\x00",
    b"[DONE]",
    b"\\ud800",
)


@st.composite
def rewritten(draw: st.DrawFn, streams: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Draw a stream of events and the same in another form: line ends, comments, fields and a mark at the start."""
    stream = draw(st.sampled_from(streams))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    comments = draw(st.lists(st.sampled_from([b": ping", b":", b"id: 7", b"retry: 10", b"x", b"data2: y"]), max_size=5))
    lines = stream.split(b"\n")
    for number, comment in enumerate(comments):
        lines.insert((number * 7919) % len(lines), comment)
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return stream, mark + end.join(lines)


@st.composite
def reframed(draw: st.DrawFn, streams: tuple[tuple[bytes, ...], ...]) -> bytes:
    """Draw AWS frames whose sums are right and whose payloads are not what they should be."""
    frames = []
    for frame in draw(st.sampled_from(streams)):
        head = int.from_bytes(frame[4:8])
        headers, payload = frame[12 : 12 + head], frame[12 + head : -4]
        if draw(st.booleans()):
            with_value = draw(mutated_json((json.loads(payload),)))
            payload = json.dumps(with_value).encode()
        kind = re.search(rb":event-type\x07..([A-Za-z]+)", headers, re.DOTALL)
        names = [kind[1].decode() if kind else "metadata", "messageStop", "internalServerException", "other"]
        name = draw(st.sampled_from([names[0]] * 6 + names))
        message = draw(st.sampled_from(["event"] * 8 + ["exception", "error", "other"]))
        extra = {":exception-type": "throttlingException"} if message == "exception" else {}
        written = {":event-type": name, ":content-type": "application/json", ":message-type": message, **extra}
        frames.append(event_frame(written, payload))
    return b"".join(frames)


@st.composite
def reevented(draw: st.DrawFn, streams: tuple[tuple[bytes, ...], ...]) -> bytes:
    """Draw a stream of events whose data is JSON and not what it should be."""
    events = []
    for event in draw(st.sampled_from(streams)):
        head, mark, data = event.partition(b"data: ")
        if mark and draw(st.integers(0, 2)) == 0 and data.strip().startswith(b"{"):
            value = draw(mutated_json((json.loads(data),)) | json_values())
            data = json.dumps(value).encode() + b"\n\n"
        events += [head + mark + data] * draw(st.sampled_from([1, 1, 1, 0, 2]))
    return b"".join(events)
