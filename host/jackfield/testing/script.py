"""What a fake upstream is to answer, in the host's own terms; a dialect writes it as its API does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from jackfield.events import Choice, Result, Usage
from jackfield.messages import ConversationRequest, Part, ReasoningPart, TextPart, ToolCall
from jackfield.testing.upstream import Exchange, hang

if TYPE_CHECKING:
    from jackfield.events import FinishReason
    from jackfield.testing.dialect import Dialect

__all__ = ["Cut", "Fail", "Hang", "Raw", "Refused", "Reply", "Say", "Script", "obliging", "say"]


@dataclass(frozen=True)
class Say:
    """A reply.

    Attributes:
        result: what the model answers; a ``model`` that is empty is the one that was asked.
        finish: the finish reason in the API's own word; empty for its usual word for the choice's reason.
    """

    result: Result
    finish: str = ""


@dataclass(frozen=True)
class Fail:
    """A refusal.

    Attributes:
        status: the HTTP status.
        message: the API's own words; ``retry_after`` seconds go into the header ``Retry-After``.
    """

    status: int
    message: str = "that can't be done"
    retry_after: int | None = None


@dataclass(frozen=True)
class Hang:
    """Silence until the client leaves, after the first pieces of a stream if there are any.

    Attributes:
        begun: whose stream to begin; None to send nothing at all. A reply in one piece is never begun.
    """

    begun: Result | None = None


@dataclass(frozen=True)
class Cut:
    """A connection that breaks in the middle of a reply.

    Attributes:
        begun: the reply; a stream stops before its end, a whole body after its first byte.
    """

    begun: Result


@dataclass(frozen=True)
class Raw:
    """A body of status 200 that need not be of the API, such as a proxy's page."""

    body: bytes
    content_type: str = "text/html"


Reply: TypeAlias = Say | Fail | Hang | Cut | Raw


class Refused(Exception):
    """A request that the real API would refuse; a dialect raises it while it reads.

    Args:
        message: the API's words for it.
        status: the HTTP status.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def say(
    text: str = "",
    *calls: ToolCall,
    reasoning: str = "",
    signature: str = "",
    finish_reason: FinishReason | None = None,
    finish: str = "",
    usage: Usage | None = None,
) -> Say:
    """Make a reply of one choice.

    Args:
        text: what the model says.
        calls: the tools it calls.
        reasoning: its thinking, which comes first.
        signature: the opaque data that belongs to the thinking.
        finish_reason: why it ends; ``tool_calls`` with calls and ``stop`` without unless given.
        finish: the same in the API's own word, where a test is about that word.
        usage: the tokens; 11 read and 7 written unless given.
    """
    parts: list[Part] = []
    if reasoning or signature:
        parts.append(ReasoningPart(reasoning, signature))
    if text:
        parts.append(TextPart(text))
    reason = finish_reason or ("tool_calls" if calls else "stop")
    return Say(Result((Choice(tuple(parts), calls, reason),), "", usage or Usage(11, 7, 18)), finish)


def obliging(asked: ConversationRequest) -> Reply:
    """Answer as a willing model does: repeat the last message, or call the tools that must be called."""
    choice = asked.tool_choice
    if asked.tools and choice not in {"", "auto", "none"}:
        called = [tool.name for tool in asked.tools] if choice in {"required", "any"} else [choice]
        calls = tuple(ToolCall(f"call_{number}", name, '{"city": "Bremen"}') for number, name in enumerate(called))
        answer = Choice(tool_calls=calls, finish_reason="tool_calls")
    else:
        last = asked.messages[-1].text if asked.messages else ""
        answer = Choice((TextPart(f"You said: {last}"),))
    read = len(asked.messages)
    usage = Usage(read, 7, read + 7, cached_tokens=1, reasoning_tokens=2)
    return Say(Result((answer,) * (asked.settings.n or 1), "", usage))


@dataclass
class Script:
    """A ``Behaviour``: answers in a dialect, each request with the next reply of a list.

    Attributes:
        dialect: how to read requests and to write replies.
        then: answers when the list is used up.
        replies: what to answer next; a test may add to it at any time.
        asked: what was asked so far, in the host's terms.
        refused: what was asked and is not of the API, each with the reason.
    """

    dialect: Dialect
    then: Callable[[ConversationRequest], Reply] = obliging
    replies: deque[Reply] = field(default_factory=deque)
    asked: list[ConversationRequest] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            asked = self.dialect.read(exchange)
        except Refused as error:
            self.refused.append(error.message)
            await self._fail(exchange, Fail(error.status, error.message))
            return
        self.asked.append(asked)
        await self.answer(exchange, asked, self.replies.popleft() if self.replies else self.then(asked))

    async def answer(self, exchange: Exchange, asked: ConversationRequest, reply: Reply) -> None:
        """Give one reply to one request."""
        match reply:
            case Say():
                await self._say(exchange, asked, reply)
            case Fail():
                await self._fail(exchange, reply)
            case Raw():
                await exchange.send(200, reply.body, {"Content-Type": reply.content_type})
            case Hang():
                if reply.begun is not None and asked.stream:
                    pieces = self.dialect.pieces(Say(reply.begun), exchange)
                    kind = self.dialect.stream_type
                    await exchange.send_events(pieces[: _begun(pieces)], whole=False, content_type=kind)
                await hang(exchange)
            case Cut():
                await self._cut(exchange, asked, reply)

    async def _say(self, exchange: Exchange, asked: ConversationRequest, reply: Say) -> None:
        if asked.stream:
            await exchange.send_events(self.dialect.pieces(reply, exchange), content_type=self.dialect.stream_type)
        else:
            await exchange.send(200, self.dialect.whole(reply, exchange))

    async def _fail(self, exchange: Exchange, reply: Fail) -> None:
        headers = {} if reply.retry_after is None else {"Retry-After": str(reply.retry_after)}
        await exchange.send(
            reply.status, self.dialect.failure(reply), {**headers, **self.dialect.failure_headers(reply)}
        )

    async def _cut(self, exchange: Exchange, asked: ConversationRequest, reply: Cut) -> None:
        if asked.stream:
            pieces = self.dialect.pieces(Say(reply.begun), exchange)
            kind = self.dialect.stream_type
            await exchange.send_events(pieces[: _begun(pieces)], whole=False, content_type=kind)
        else:
            await exchange.send_raw(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
            )
        exchange.writer.close()


def _begun(pieces: Sequence[bytes]) -> int:
    """How many pieces show a client that the reply has begun, and not that it has ended."""
    return max(1, len(pieces) // 2)
