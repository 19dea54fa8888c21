"""The conversation endpoints: from a request's bytes to a reply's."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from time import perf_counter

from starlette.types import Receive, Scope, Send

from jackfield.catalog.instance import ConversationInstance
from jackfield.errors import ComponentNotFound, HostFault, InvokeError, RequestError, error_code
from jackfield.faults import is_fault
from jackfield.frontends.dialect import JSON_TYPE, SSE_TYPE, Call, Dialect, Exchange, Refusal
from jackfield.frontends.host_view import HostView
from jackfield.headers import Headers
from jackfield.host import Host
from jackfield.http.body import ClientLeft, closing, read_body
from jackfield.http.client import ClientWatch, Lookout
from jackfield.http.facts import DEBUG, add_facts, add_overhead
from jackfield.http.replies import JSON, Header
from jackfield.http.streaming import StreamedReply
from jackfield.http.wire import encode_error
from jackfield.messages import ConversationRequest, Record
from jackfield.plugins.culprit import culprit, raised_at

__all__ = ["ConversationEndpoint"]

_log = logging.getLogger("jackfield.http")
_NAMES_EVENTS = re.compile(
    rb"(?:^|,)\s*%b\s*(?!;\s*q=0(?:\.0*)?\s*(?:,|$))(?=[,;]|$)" % SSE_TYPE.encode(), re.IGNORECASE
)
"""An ``Accept`` that lists Server-Sent Events, and not as what must not come (``q=0``)."""
_LEFT = 499
_LONGEST_ID = 128
_LAST_WORDS = 1.0


class ConversationEndpoint:
    """Answers the conversation requests of one API.

    Args:
        host: whose components answer.
        dialect: how requests are read and replies written.
        view: what the dialect may see of the host.
    """

    def __init__(self, host: Host, dialect: Dialect, view: HostView) -> None:
        self._host = host
        self._view = view
        self._dialect = dialect
        self._name = dialect.name
        self._success = dialect.success
        self._limit = host.options.max_body_size
        self._silence = host.options.body_timeout
        self._heartbeat = host.options.heartbeat
        self._lookout = Lookout()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens to it."""
        host = self._host
        sent: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _request_id(sent) or host.new_request_id()
        record = Record(request_id=request_id, api=self._name, component=scope.get("jackfield.name", ""))
        headers: list[Header] = [(b"x-request-id", request_id.encode())]
        watch = ClientWatch(self._lookout, receive, self._silence)
        host.running.add(watch.task)
        try:
            reply = await self._answer(scope, receive, send, headers=headers, sent=sent, record=record, watch=watch)
            if reply is not None:
                # A server tells of a client that has left, and of a reply that has been sent, in the same words.
                watch.stop()
                add_facts(headers, record, debug=DEBUG in sent)
                add_overhead(headers, record)
                headers.append((b"content-length", b"%d" % len(reply)))
                await send({"type": "http.response.start", "status": record.status, "headers": headers})
                await send({"type": "http.response.body", "body": reply})
        except asyncio.CancelledError as error:
            self._judged(error, watch, record)  # the client doesn't read, and the host stops
        finally:
            host.running.discard(watch.task)
            watch.stop()
        record.total_seconds = perf_counter() - record.started
        host.finished(record)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        sent: Mapping[bytes, bytes],
        headers: list[Header],
        record: Record,
        watch: ClientWatch,
    ) -> bytes | None:
        """Give a whole reply's body, its status and headers set; None if it was streamed, or if nobody waits for it."""
        try:
            body = await read_body(receive, watch, announced=_length(sent), limit=self._limit)
            call = Call(
                body=body,
                headers=Headers(scope["headers"]),
                record=record,
                component=record.component,
                accepts_events=b"accept" in sent and _NAMES_EVENTS.search(sent[b"accept"]) is not None,
                host=self._view,
            )
            exchange = self._dialect.read(call)
            record.component = exchange.component
            try:
                instance = self._host.catalog.conversation(record.component)
            except ComponentNotFound:
                instance = await self._host.started(record.component)
            instance.acquire()
            try:
                request = exchange.request(instance.overrides)
                if request.stream:
                    outgoing = StreamedReply(
                        send, headers, record, debug=DEBUG in sent, status=self._success, ending=watch.stop
                    )
                    await self._stream(outgoing, request, exchange, instance, watch)
                    return None
                reply = exchange.reply(await instance.answer(request))
            finally:
                instance.release()
        except BaseException as error:  # noqa: BLE001  what isn't this request's own is raised again
            failure = self._judged(error, watch, record)
            if failure is None:
                return None
            headers += closing(error, scope)
            return self._refused(failure, record, headers)
        record.status = self._success
        headers.append(JSON)
        return reply

    async def _stream(
        self,
        outgoing: StreamedReply,
        request: ConversationRequest,
        exchange: Exchange,
        instance: ConversationInstance,
        watch: ClientWatch,
    ) -> None:
        """Send a streamed reply; raises only as long as nothing of it has left."""
        record = request.record
        try:
            with self._lookout.looking(outgoing.heartbeat(self._heartbeat)):
                await outgoing.send(instance.handler(request), exchange.stream())
        except BaseException as error:
            if not outgoing.started:
                raise
            failure = self._judged(error, watch, record)
            if failure is None:
                return
            failure.named(record.component)
            record.error_code = error_code(failure).code
            try:
                async with asyncio.timeout(_LAST_WORDS if self._host.cutting else None):
                    await outgoing.break_off(failure)
            except TimeoutError:
                pass  # it doesn't read, and the host is about to end

    def _judged(self, error: BaseException, watch: ClientWatch, record: Record) -> RequestError | None:
        """Tell what the caller is told of an exception; None if there is no caller any more.

        Raises:
            BaseException: the exception itself, if it isn't meant for this request.
        """
        if isinstance(error, RequestError):
            return error
        if isinstance(error, asyncio.CancelledError) and not is_fault(error):
            if watch.left:
                watch.forgive()
            elif self._host.cutting:
                watch.forgive()
                return InvokeError("the host is stopping and the reply took too long", component=record.component)
            else:
                raise error
        elif not isinstance(error, ClientLeft):
            if not is_fault(error):
                raise error
            about = {"component": record.component, "plugin": self._plugin_at(error)}
            _log.error("a request failed unexpectedly", extra=about, exc_info=error)
            return HostFault(type(error).__name__)
        record.status = _LEFT
        return None

    def _plugin_at(self, error: BaseException) -> str | None:
        """Name the plugin whose code an error has come from."""
        return culprit(raised_at(error), self._host.plugins.records).plugin or None

    def _refused(self, error: RequestError, record: Record, headers: list[Header]) -> bytes:
        """Write an error as the dialect does; gives the reply's body."""
        error.named(record.component)
        record.error_code = error_code(error).code
        try:
            refusal = self._dialect.refuse(error)
        except BaseException as fault:
            if not is_fault(fault):
                raise
            about = {"api": self._name, "plugin": self._plugin_at(fault)}
            _log.exception("an error could not be told", extra=about)
            refusal = Refusal(500, encode_error(error))
        record.status = refusal.status
        headers.append(JSON if refusal.media_type == JSON_TYPE else (b"content-type", refusal.media_type.encode()))
        headers += [(name.encode(), value.encode()) for name, value in refusal.headers]
        return refusal.body


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
