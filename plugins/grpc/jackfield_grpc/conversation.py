"""The conversation methods: from a message to a reply, or to a status."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import grpc
from dapr.proto.runtime.v1 import ai_pb2

from jackfield import ConversationRequest, Headers, Record, RequestError, Result
from jackfield.frontends import DEBUG_HEADER, HostFault, HostView, OverridePolicy, add_facts, add_overhead
from jackfield_grpc import alpha1, alpha2, replies
from jackfield_grpc.status import shortened

__all__ = ["Conversations"]

AskedT = TypeVar("AskedT", ai_pb2.ConversationRequest, ai_pb2.ConversationRequestAlpha2)
ReplyT = TypeVar("ReplyT", ai_pb2.ConversationResponse, ai_pb2.ConversationResponseAlpha2)
Decode: TypeAlias = Callable[[AskedT, OverridePolicy, Record, Headers], ConversationRequest]
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_log = logging.getLogger("jackfield.grpc")
_LEFT = 499
_LONGEST_ID = 128
_TOKEN = "dapr-api-token"  # noqa: S105  the key, not a token


class Conversations:
    """Answers the calls of both versions.

    Args:
        host: whose components answer.
    """

    def __init__(self, host: HostView) -> None:
        self._host = host

    async def alpha1(self, sent: ai_pb2.ConversationRequest, context: Context) -> ai_pb2.ConversationResponse:
        """Answer ``ConverseAlpha1``."""
        return await self._converse(sent, context, "grpc-alpha1", alpha1.decode, alpha1.encode)

    async def alpha2(
        self, sent: ai_pb2.ConversationRequestAlpha2, context: Context
    ) -> ai_pb2.ConversationResponseAlpha2:
        """Answer ``ConverseAlpha2``."""
        return await self._converse(sent, context, "grpc-alpha2", alpha2.decode, replies.encode)

    async def _converse(
        self,
        sent: AskedT,
        context: Context,
        api: str,
        decode: Decode[AskedT],
        encode: Callable[[AskedT, Result], ReplyT],
    ) -> ReplyT:
        host = self._host
        pairs = _pairs(context)
        own_id = next((value for key, value in pairs if key == b"x-request-id"), b"")
        record = Record(request_id=_request_id(own_id) or host.new_request_id(), api=api, component=sent.name)
        failure: RequestError | None = None
        reply: ReplyT | None = None
        try:
            async with host.lease(sent.name) as component:
                request = decode(sent, component.overrides, record, Headers(pairs))
                reply = encode(sent, await component.answer(request))
            record.status = 200
        except RequestError as error:
            failure = error
        except asyncio.CancelledError:
            record.status = _LEFT  # the client has left, or its deadline has passed
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, one request fails and nothing else
            _log.error("a request failed unexpectedly", extra={"component": record.component}, exc_info=error)
            failure = HostFault(type(error).__name__)
        finally:
            if failure is not None:
                code = host.error_code(failure.named(record.component))
                record.status, record.error_code = code.http_status, code.code
            record.total_seconds = perf_counter() - record.started
            host.finished(record)
        trailers = _trailers(record, debug=any(key == DEBUG_HEADER for key, _ in pairs))
        if failure is not None or reply is None:
            told = failure or HostFault("NoReply")
            status = grpc.StatusCode[host.error_code(told).grpc_status]
            await context.abort(status, shortened(told.message), trailers)
            raise AssertionError  # abort has raised
        context.set_trailing_metadata(trailers)
        return reply


def _pairs(context: Context) -> list[tuple[bytes, bytes]]:
    """Return a call's metadata as headers, without the token."""
    return [
        (key.encode(), value.encode("latin-1", "replace"))
        for key, value in context.invocation_metadata() or ()
        if isinstance(value, str) and key != _TOKEN
    ]


def _request_id(sent: bytes) -> str:
    """Return the caller's own id for its request; empty if that is no short text."""
    text = sent.decode("latin-1")
    return text if len(text) <= _LONGEST_ID and text.isascii() and text.isprintable() else ""


def _trailers(record: Record, *, debug: bool) -> tuple[tuple[str, str], ...]:
    facts = [(b"x-request-id", record.request_id.encode())]
    add_facts(facts, record, debug=debug)
    add_overhead(facts, record)
    return tuple((key.decode(), value.decode("latin-1")) for key, value in facts)
