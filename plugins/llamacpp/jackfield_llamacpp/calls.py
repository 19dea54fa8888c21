"""Reading a reply that is bound to ``schemas.reply_format`` while it is being written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from uuid import uuid4

from jackfield import TextPart, ToolCallPart

__all__ = ["CallReader"]

_CALL = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:')
_REPLY = re.compile(r'\s*\{\s*"reply"\s*:\s*(?=\S)')
_CHARACTER = re.compile(r'[^"\\]+|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}')
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB]..")


class _State(Enum):
    HEAD = "before anything that can be told"
    ARGUMENTS = "in a call's arguments"
    TEXT = "in a reply that is text"
    JSON = "in a reply that has a schema of its own"
    DONE = "behind the value"


class CallReader:
    """Turns ``{"name": ..., "arguments": ...}`` into a tool call and ``{"reply": ...}`` into text, piece by piece.

    The engine keeps to the schema, and so to the order of its properties; only a reply that was cut short ends early.

    Args:
        stops: texts at which a reply that is text ends. The engine can't know them here, as they may stand in the JSON
            around the text.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(filter(None, stops))
        self._state = _State.HEAD
        self._buffer = ""
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._held = ""
        self._cut = False
        self._called = False

    @property
    def called(self) -> bool:
        """Whether the reply is a whole tool call."""
        return self._called and self._state is _State.DONE

    def feed(self, text: str) -> Iterator[TextPart | ToolCallPart]:
        """Read on, and give what the reply's next piece amounts to."""
        if self._state is _State.HEAD:
            self._buffer += text
            if head := _CALL.match(self._buffer):
                self._state, self._called = _State.ARGUMENTS, True
                yield ToolCallPart(position=0, id=f"call_{uuid4().hex}", name=json.loads(head[1], strict=False))
            elif head := _REPLY.match(self._buffer):
                quoted = self._buffer[head.end()] == '"'
                self._state = _State.TEXT if quoted else _State.JSON
            else:
                return
            text = self._buffer[head.end() + (self._state is _State.TEXT) :]
            self._buffer = ""
        if self._state is _State.ARGUMENTS:
            if arguments := self._value(text):
                yield ToolCallPart(position=0, arguments=arguments)
        elif self._state in {_State.TEXT, _State.JSON}:
            read = self._string(text) if self._state is _State.TEXT else self._value(text)
            if read := self._until_stop(read):
                yield TextPart(read)

    def _value(self, text: str) -> str:
        """Return what of ``text`` belongs to a JSON value, up to the brace that closes the object around it."""
        taken = []
        for character in text:
            if self._quoted:
                self._quoted = self._escaped or character != '"'
                self._escaped = character == "\\" and not self._escaped
            elif character == '"':
                self._quoted = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                if self._depth == 0:
                    self._state = _State.DONE
                    break
                self._depth -= 1
            elif self._depth == 0 and character.isspace():
                continue
            taken.append(character)
        return "".join(taken)

    def _string(self, text: str) -> str:
        """Return the characters of a JSON string that ``text`` completes."""
        text, end, last = self._buffer + text, 0, ""
        while match := _CHARACTER.match(text, end):
            end, last = match.end(), match[0]
        if text[end : end + 1] == '"':
            self._state = _State.DONE
        elif _HIGH_SURROGATE.fullmatch(last):
            end -= len(last)  # the other half is yet to come
        self._buffer = text[end:]
        read: str = json.loads(f'"{text[:end]}"', strict=False)
        # Half a pair can't be encoded; it becomes a replacement character.
        return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _until_stop(self, text: str) -> str:
        """Hold back what may begin a stop text, and end at one."""
        if self._cut:
            return ""
        self._held += text
        if found := [at for stop in self._stops if (at := self._held.find(stop)) >= 0]:
            self._cut, kept = True, min(found)
        elif self._state is _State.DONE:
            kept = len(self._held)
        else:
            tails = (size for stop in self._stops for size in range(1, len(stop)) if self._held.endswith(stop[:size]))
            kept = len(self._held) - max(tails, default=0)
        taken, self._held = self._held[:kept], self._held[kept:]
        return taken
