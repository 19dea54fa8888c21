"""The stage around a component: a span and measurements for each conversation, and the trace's context on its way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from time import perf_counter

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from jackfield import ChainBuild, ConversationRequest, Delta, Event, Finish, Handler, Result, collect, unary
from jackfield.upstream import outgoing_headers
from jackfield_otel.attributes import (
    Attributes,
    described,
    error_type,
    message_json,
    provider_of,
    reply_json,
    request_attributes,
)
from jackfield_otel.telemetry import Telemetry

__all__ = ["TraceStage"]

_OPERATION = "chat"
_HEADERS = ("traceparent", "tracestate")
_W3C = TraceContextTextMapPropagator()


class TraceStage:
    """A wrap stage: it sees what the provider would see, masked where that was asked for.

    Args:
        build: the component.
        telemetry: the host's.
    """

    def __init__(self, build: ChainBuild, telemetry: Telemetry) -> None:
        self._provider = provider_of(build)
        self._model = str(getattr(build.component, "model", "") or "")
        self._telemetry = telemetry

    def __call__(self, handler: Handler) -> Handler:
        """Wrap a handler."""
        return _Traced(handler, self._provider, self._model, self._telemetry)


class _Traced:
    """A ``Handler``."""

    def __init__(self, handler: Handler, provider: str, model: str, telemetry: Telemetry) -> None:
        self._handler = handler
        self._answer = unary(handler)
        self._provider = provider
        self._model = model
        self._telemetry = telemetry

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        return self._stream(request) if request.stream else self._one(request)

    async def answer(self, request: ConversationRequest) -> Result:
        """Answer a request without ``stream``."""
        conversation = self._begin(request)
        token = outgoing_headers.set(conversation.headers)
        try:
            result = await self._answer(request)
            conversation.whole(result)
        except BaseException as error:
            conversation.failed(error)
            raise
        finally:
            outgoing_headers.reset(token)
            conversation.end()
        return result

    async def _one(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield await self.answer(request)

    async def _stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        conversation = self._begin(request)
        try:
            async with aclosing(self._handler(request)) as events:
                # What calls the provider runs before the first event: a retry or another target comes no later.
                token = outgoing_headers.set(conversation.headers)
                try:
                    event = await anext(events, None)
                finally:
                    outgoing_headers.reset(token)
                if event is not None:
                    conversation.event(event)
                    yield event
                    async for event in events:
                        conversation.event(event)
                        yield event
            await conversation.gather()
        except BaseException as error:
            conversation.failed(error)
            raise
        finally:
            conversation.end()

    def _begin(self, request: ConversationRequest) -> _Conversation:
        return _Conversation(request, self._provider, request.model or self._model, self._telemetry)


class _Conversation:
    """One conversation's span and measurements."""

    def __init__(self, request: ConversationRequest, provider: str, model: str, telemetry: Telemetry) -> None:
        self._request = request
        self._telemetry = telemetry
        self._common: Attributes = described(_OPERATION, provider, model)
        self._began = perf_counter()
        self._first = 0.0
        self._reasons: list[str] = []
        self._seen: list[Event] = []
        attributes = self._common | request_attributes(request)
        if telemetry.content:
            attributes["gen_ai.input.messages"] = message_json(request.messages)
        self._span: Span = telemetry.tracer.start_span(
            f"{_OPERATION} {model}".rstrip(), _parent(request), SpanKind.CLIENT, attributes
        )
        self.headers: Mapping[str, str] = _headers(self._span)

    def whole(self, result: Result) -> None:
        """Take in a reply in one piece."""
        self._reasons = [choice.finish_reason for choice in result.choices]
        if self._telemetry.content:
            choices = [(choice.parts, choice.tool_calls, choice.finish_reason) for choice in result.choices]
            self._span.set_attribute("gen_ai.output.messages", reply_json(choices))

    def event(self, event: Event) -> None:
        """Take in a piece."""
        if type(event) is Delta and not self._first:
            self._first = perf_counter() - self._began
        elif type(event) is Finish:
            self._reasons.append(event.reason)
        if self._telemetry.content:
            self._seen.append(event)

    async def gather(self) -> None:
        """Put what was said together, at the end of a stream."""
        if self._seen:
            seen, self._seen = self._seen, []

            async def again() -> AsyncGenerator[Event, None]:
                for event in seen:
                    yield event

            reasons = self._reasons
            self.whole(await collect(again()))
            self._reasons = reasons

    def failed(self, error: BaseException) -> None:
        """Note what went wrong, by its kind: its text is the caller's."""
        if isinstance(error, GeneratorExit) and self._reasons:
            return  # the reply was whole, and its reader wants no more of it
        self._common["error.type"] = error_type(error)
        self._span.set_attribute("error.type", self._common["error.type"])
        self._span.set_status(Status(StatusCode.ERROR))

    def end(self) -> None:
        """Send the span and the measurements on their way."""
        record, span, telemetry = self._request.record, self._span, self._telemetry
        if record.model:
            self._common["gen_ai.response.model"] = record.model
            span.set_attribute("gen_ai.response.model", record.model)
        if self._reasons:
            span.set_attribute("gen_ai.response.finish_reasons", self._reasons)
        if self._first:
            span.set_attribute("gen_ai.response.time_to_first_chunk", self._first)
            telemetry.first.record(self._first, self._common)
        for name, value in (("cache", record.cache), ("served_by", record.served_by), ("attempts", record.attempts)):
            if value:
                span.set_attribute(f"jackfield.{name}", value)
        for kind, number in (("input", record.prompt_tokens), ("output", record.completion_tokens)):
            if number is not None:
                span.set_attribute(f"gen_ai.usage.{kind}_tokens", number)
                telemetry.tokens.record(number, self._common | {"gen_ai.token.type": kind})
        telemetry.duration.record(perf_counter() - self._began, self._common)
        span.end()


def _parent(request: ConversationRequest) -> Context:
    """Return the trace that the caller's headers name; an empty context begins a new one."""
    carried = {name: value for name in _HEADERS if (value := request.headers.get(name))}
    return _W3C.extract(carried, Context()) if carried else Context()


def _headers(span: Span) -> dict[str, str]:
    headers: dict[str, str] = {}
    _W3C.inject(headers, set_span_in_context(span, Context()))
    return headers
