"""The conversation endpoints: from a request's bytes to a reply's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Protocol, TypeAlias

from starlette.types import Receive, Scope, Send

from jackfield.errors import ComponentNotFound, InvokeError, RequestError, error_code
from jackfield.events import Result
from jackfield.headers import Headers
from jackfield.host import Host
from jackfield.http.body import ClientLeft, closing, read_body
from jackfield.http.client import ClientWatch, Lookout
from jackfield.http.facts import DEBUG, add_facts
from jackfield.http.replies import JSON
from jackfield.http.strict_json import parse
from jackfield.http.wire import encode_error
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

__all__ = ["ConversationEndpoint", "Dialect", "Encode"]

_log = logging.getLogger("jackfield.http")
_LEFT = 499
_LONGEST_ID = 128

Encode: TypeAlias = Callable[[ConversationRequest, Result], bytes]
"""Writes the reply to a request."""


class Dialect(Protocol):
    """One version of the API: how its bytes are read and written."""

    @property
    def name(self) -> str:
        """The version's name in records."""

    @property
    def success(self) -> int:
        """The HTTP status of a reply that is no error."""

    def decode(
        self, body: bytes, component: str, policy: OverridePolicy, record: Record, headers: Headers
    ) -> tuple[ConversationRequest, Encode]:
        """Read a request; give it and what writes its reply."""


class ConversationEndpoint:
    """Answers the conversation requests of one API version.

    Args:
        host: whose components answer.
        dialect: how requests are read and replies written.
    """

    def __init__(self, host: Host, dialect: Dialect) -> None:
        self._host = host
        self._dialect = dialect
        self._limit = host.options.max_body_size
        self._silence = host.options.body_timeout
        self._lookout = Lookout()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens to it."""
        host = self._host
        sent = dict(scope["headers"])
        request_id = _request_id(sent) or host.new_request_id()
        record = Record(request_id=request_id, api=self._dialect.name, component=scope["jackfield.name"])
        headers = [JSON, (b"x-request-id", request_id.encode())]
        watch = ClientWatch(self._lookout, receive, self._silence)
        host.running.add(watch.task)
        try:
            body = await read_body(receive, watch, announced=_length(sent), limit=self._limit)
            reply = await self._answer(body, record, Headers(scope["headers"]))
            status = self._dialect.success
        except RequestError as error:
            error.named(record.component)
            reply, status = encode_error(error), error_code(error).http_status
            record.error_code = error_code(error).code
            headers += closing(error, scope)
        except ClientLeft:
            status = _LEFT
        except asyncio.CancelledError:
            if watch.left:
                watch.forgive()
                status = _LEFT
            elif host.cutting:
                watch.forgive()
                cut = InvokeError("the host is stopping and the reply took too long", component=record.component)
                reply, status, record.error_code = encode_error(cut), 500, error_code(cut).code
            else:
                raise
        except Exception as error:  # noqa: BLE001  whatever it is, one request fails and nothing else
            _log.exception("a request failed unexpectedly", extra={"component": record.component})
            reply = b'{"errorCode":"ERROR","message":"internal error: %s"}' % type(error).__name__.encode()
            status, record.error_code = 500, "ERROR"
        finally:
            host.running.discard(watch.task)
            watch.stop()
        record.status = status
        if status != _LEFT:
            add_facts(headers, record, debug=DEBUG in sent)
            headers.append((b"content-length", b"%d" % len(reply)))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": reply})
        record.total_seconds = perf_counter() - record.started
        host.finished(record)

    async def _answer(self, body: bytes, record: Record, headers: Headers) -> bytes:
        try:
            instance = self._host.catalog.conversation(record.component)
        except ComponentNotFound:
            parse(body)  # a body that is no JSON is told before a component that isn't there
            instance = await self._host.started(record.component)
        instance.acquire()
        try:
            request, encode = self._dialect.decode(body, record.component, instance.overrides, record, headers)
            return encode(request, await instance.answer(request))
        finally:
            instance.release()


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """Return the caller's own id for its request; empty if it has none, or one that is no short text."""
    sent = headers.get(b"x-request-id")
    if sent is None or len(sent) > _LONGEST_ID or not sent.isascii():
        return ""
    text = sent.decode()
    return text if text.isprintable() else ""


def _length(headers: Mapping[bytes, bytes]) -> int | None:
    announced = headers.get(b"content-length", b"")
    return int(announced) if announced.isdigit() else None
