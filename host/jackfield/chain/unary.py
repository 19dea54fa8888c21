"""Asking a chain for a reply in one piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeAlias

from jackfield.chain.handler import Handler
from jackfield.errors import InvokeError
from jackfield.events import Result
from jackfield.messages import ConversationRequest

__all__ = ["Answer", "unary"]

Answer: TypeAlias = Callable[[ConversationRequest], Awaitable[Result]]
"""Answers a request that doesn't want a stream. Raises what the chain raises."""


def unary(handler: Handler) -> Answer:
    """Make the unary form of a chain: a function that gives a request's ``Result``, for requests without ``stream``.

    A handler may bring it itself, as the attribute ``answer``. The host's own do: a generator for one event, which the
    event loop has to keep track of, would cost as much as the rest of the chain. A handler without one is iterated.
    """
    own: Answer | None = getattr(handler, "answer", None)
    if own is not None:
        return own

    async def answer(request: ConversationRequest) -> Result:
        result: Result | None = None
        # The one event is not the end: the loop runs to the chain's own, so that nothing is left to close.
        async with aclosing(handler(request)) as events:
            async for event in events:
                if isinstance(event, Result):
                    result = event
        if result is None:
            raise InvokeError("the component gave no result")
        return result

    return answer
