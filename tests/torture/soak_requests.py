"""The requests of the suite `soak`: every kind with the reply that must come, byte for byte where it says no time."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from raw_client import Answer, get, post

__all__ = ["FIRST", "KINDS", "LEAVING", "Kind"]

FIRST = 1_000_000
"""The first request's number: all have seven digits, so that a request's length doesn't depend on it."""

_VARIES = re.compile(rb'"(?:id|requestId)":"[^"]*"|"(?:created|overheadMs|age)":[0-9.]+')
_PROMPTS = 500
_MARK = b"7777777"


def _alpha2(name: str, *more: str, text: str = "question 7777777", stream: bool = False) -> bytes:
    body = '{"inputs":[{"messages":[{"ofUser":{"content":[{"text":"%s"}]}}]}]%s}'
    said = body % (text, ',"stream":true' if stream else "")
    return post(f"/v1.0-alpha2/conversation/{name}/converse", said.encode(), *more)


def _alpha1(name: str) -> bytes:
    return post(f"/v1.0-alpha1/conversation/{name}/converse", b'{"inputs":[{"content":"question 7777777"}]}')


def _openai(name: str, *, stream: bool = False) -> bytes:
    body = '{"model":"%s","messages":[{"role":"user","content":"question 7777777"}]%s}'
    return post("/v1/chat/completions", (body % (name, ',"stream":true' if stream else "")).encode())


def _unique(number: int) -> int:
    return number


def _again(number: int) -> int:
    return FIRST + number % _PROMPTS


@dataclass
class Kind:
    """One kind of request.

    Attributes:
        name: what to call it.
        share: how many of 1,000 requests are of it.
        template: the request, with a number in it that stands for its own.
        status: the reply's status.
        told: the reply tells the number.
        number: which number a request says.
        expected: the reply without what varies; learnt from the first one, which is looked at closely.
    """

    name: str
    share: int
    template: bytes
    status: int = 200
    told: bool = True
    number: Callable[[int], int] = _unique
    expected: bytes = b""

    def request(self, number: int) -> bytes:
        """Write the request of a number."""
        return self.template.replace(_MARK, b"%d" % self.number(number))

    def learn(self, answer: Answer, number: int) -> str:
        """Take the reply's form from the first one; gives what is wrong with it."""
        said = b"%d" % self.number(number)
        seen = _VARIES.sub(b"", answer.body)
        if answer.status != self.status or (self.told and said not in _joined(seen)):
            return f"{answer.status} {answer.body.decode()}"
        self.expected = seen.replace(said, _MARK)
        return ""

    def wrong(self, answer: Answer, number: int) -> str:
        """What is wrong with a reply; nothing if it is the one that must come."""
        expected = self.expected.replace(_MARK, b"%d" % self.number(number))
        if answer.status == self.status and _VARIES.sub(b"", answer.body) == expected:
            return ""
        return f"{answer.status} {answer.body.decode(errors='replace')} instead of {self.status} {expected.decode()}"


def _joined(seen: bytes) -> bytes:
    """Put a stream's pieces together, as far as a number may be cut."""
    return b"".join(re.findall(rb'"content":"([^"]*)"', seen)) or seen


KINDS = (
    Kind("alpha2", 380, _alpha2("echo")),
    Kind("alpha1", 120, _alpha1("echo"), status=202),
    Kind("cached, the same again", 150, _alpha2("kept"), number=_again),
    Kind("cached, new", 30, _alpha2("kept")),
    Kind("proxied", 120, _alpha2("llm")),
    Kind("stream", 60, _alpha2("echo", stream=True)),
    Kind("stream, proxied", 40, _alpha2("llm", stream=True)),
    Kind("OpenAI", 50, _openai("echo")),
    Kind("OpenAI, stream", 10, _openai("llm", stream=True)),
    Kind("bad: no JSON", 5, post("/v1.0-alpha2/conversation/echo/converse", b'{"inputs": [7777777'), 400, told=False),
    Kind("bad: no such component", 5, _alpha2("nobody"), 400, told=False),
    Kind("bad: no such path", 5, get("/v1.0/nothing/7777777"), 404, told=False),
    Kind("bad: no such model", 5, _openai("nobody"), 404, told=False),
)
"""Requests that wait for their replies."""

LEAVING = {
    "leaves within its request": _alpha2("llm")[:-20],
    "leaves before the reply": _alpha2("llm"),
    "leaves within a stream": _alpha2("llm", text="endless 7777777", stream=True),
}
"""Clients that leave; the last of them after the first piece."""
