"""Asking a chain for a reply in one piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from jackfield.chain.handler import Handler
from jackfield.chain.provider import ProviderHandler
from jackfield.errors import InvokeError
from jackfield.events import Result
from jackfield.messages import ConversationRequest

__all__ = ["Answer", "unary"]

Answer: TypeAlias = Callable[[ConversationRequest], Awaitable[Result]]
"""Answers a request that doesn't want a stream. Raises what the chain raises."""


def unary(handler: Handler) -> Answer:
    """Make the unary form of a chain.

    Where no stage stands before the provider, that is a call of the provider: a generator for one event, which the
    event loop has to keep track of, would cost as much as the rest of the chain.
    """
    if isinstance(handler, ProviderHandler):
        return handler.answer

    async def answer(request: ConversationRequest) -> Result:
        result: Result | None = None
        # The one event is not the end: the loop runs to the chain's own, so that nothing is left to close.
        async for event in handler(request):
            if isinstance(event, Result):
                result = event
        if result is None:
            raise InvokeError("the component gave no result")
        return result

    return answer
