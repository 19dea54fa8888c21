"""What every call passes before a method sees it: the token, and whether there is such a method.

These are handlers that are asked for a call's method, the first and the last of all. An interceptor would do the same
for 25 us a call.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hmac import compare_digest
from typing import Any

import grpc

from jackfield_grpc.status import NO_TOKEN, NOT_AVAILABLE, WRONG_TOKEN, Refusal

__all__ = ["Guard", "NotAvailable"]

_TOKEN = "dapr-api-token"  # noqa: S105  the key, not a token


class Guard(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its types alone
    """Turns away calls without the right token, whatever their method is.

    Args:
        token: what ``dapr-api-token`` must hold; empty asks for nothing. Compared in constant time.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._missing = _refuse(NO_TOKEN)
        self._wrong = _refuse(WRONG_TOKEN)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Give what refuses the call; None lets it pass."""
        if not self._token:
            return None
        sent = dict(handler_call_details.invocation_metadata or ()).get(_TOKEN)
        if sent is None:
            return self._missing
        right = compare_digest(sent if isinstance(sent, bytes) else sent.encode(), self._token)
        return None if right else self._wrong


class NotAvailable(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Answers every method, so that it must be the last that is asked."""

    def __init__(self) -> None:
        self._unavailable = _refuse(NOT_AVAILABLE)

    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        """Give what refuses the call."""
        return self._unavailable


def _refuse(refusal: Refusal) -> grpc.RpcMethodHandler[bytes, bytes]:
    """Make a method that answers any kind of call with an error, without reading what is sent."""

    async def refuse(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await context.abort(refusal.code, refusal.text, refusal.trailers)

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(refuse)
    return handler
