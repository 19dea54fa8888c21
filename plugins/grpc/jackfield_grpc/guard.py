"""What every call passes before a method sees it: the token, and whether there is such a method."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from hmac import compare_digest
from typing import Any

import grpc

from jackfield_grpc.status import NO_TOKEN, NOT_AVAILABLE, WRONG_TOKEN, Refusal

__all__ = ["Guard"]

_TOKEN = "dapr-api-token"  # noqa: S105  the key, not a token


class Guard(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its types alone
    """Turns away calls without the right token, and calls of methods that this server doesn't have.

    Args:
        token: what ``dapr-api-token`` must hold; empty asks for nothing. Compared in constant time.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._unavailable = _refuse(NOT_AVAILABLE)
        self._missing = _refuse(NO_TOKEN)
        self._wrong = _refuse(WRONG_TOKEN)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Give the method that was called, or what refuses the call."""
        if self._token:
            sent = dict(handler_call_details.invocation_metadata or ()).get(_TOKEN)
            if sent is None:
                return self._missing
            if not compare_digest(sent if isinstance(sent, bytes) else sent.encode(), self._token):
                return self._wrong
        found: grpc.RpcMethodHandler[Any, Any] | None = await continuation(handler_call_details)
        return self._unavailable if found is None else found


def _refuse(refusal: Refusal) -> grpc.RpcMethodHandler[bytes, bytes]:
    """Make a method that answers any kind of call with an error, without reading what is sent."""

    async def refuse(_: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        await context.abort(refusal.code, refusal.text, refusal.trailers)

    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(refuse)
    return handler
