"""The innermost handler: the last host step before a provider."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from time import perf_counter
from typing import Any

from jackfield.chain.forms import collect
from jackfield.chain.lacking import refuse_lacking
from jackfield.chain.limits import Limits
from jackfield.components import Conversation
from jackfield.errors import InvokeError, ProviderError, RequestError, ScrubberMissing
from jackfield.events import Delta, Event, Finish, Result, Usage
from jackfield.faults import is_fault
from jackfield.logs import frames
from jackfield.messages import ConversationRequest, Record

__all__ = ["ProviderHandler"]

_log = logging.getLogger("jackfield.provider")
_INSTALL_A_SCRUBBER = (
    "scrubbing was asked for, and this component has no scrubber; install jackfield-presidio (jackfield install "
    "presidio), take out what switches scrubbing off (--no-scrub, `scrubber: none`), or leave out the scrub flag"
)


class ProviderHandler:
    """Calls a provider; a ``Handler``.

    It refuses what should have been scrubbed and was not, adapts between unary and streamed, applies the manifest's
    limits, keeps the record, and turns whatever a provider raises into a ``RequestError`` without secrets.

    Args:
        component: the provider.
        limits: time and concurrency limits of the manifest; None if it sets none.
        redact: takes the component's secrets out of a text.
    """

    def __init__(self, component: Conversation[Any], *, limits: Limits | None, redact: Callable[[str], str]) -> None:
        cls = type(component)
        self._component = component
        self._limits = limits
        self._redact = redact
        self._whole = component.converse if cls.converse is not Conversation.converse else self._collected
        self._lacks = bool(cls.lacks)
        self._has_stream = cls.stream is not Conversation.stream

    async def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        if not request.stream:
            yield await self.answer(request)
            return
        self._begin(request)
        limits, record = self._limits, request.record
        if limits is not None:
            await limits.enter()
        record.attempts += 1
        started = perf_counter()
        try:
            async with aclosing(self._streamed(request)) as events:
                async for event in events:
                    _note_event(record, event)
                    yield event
        except BaseException as error:
            if not is_fault(error):
                raise
            raise self._told(error) from None
        finally:
            if limits is not None:
                limits.leave()
            record.provider_seconds += perf_counter() - started

    async def answer(self, request: ConversationRequest) -> Result:
        """Answer a request without ``stream``; ``unary`` tells when to call this."""
        # The frame is that of a streamed reply: a context manager for both would cost each request 0.4 us.
        self._begin(request)
        limits, record = self._limits, request.record
        if limits is not None:
            await limits.enter()
        record.attempts += 1
        started = perf_counter()
        try:
            reply = self._whole(request)
            result = await (reply if limits is None else limits.whole(reply))
            _note_result(record, result)
        except BaseException as error:
            if not is_fault(error):
                raise
            raise self._told(error) from None
        finally:
            if limits is not None:
                limits.leave()
            record.provider_seconds += perf_counter() - started
        return result

    def _begin(self, request: ConversationRequest) -> None:
        """Refuse what must not go out, and note who is asked."""
        refuse_unscrubbed(request)
        if self._lacks or request.extra:
            refuse_lacking(request, self._component)
        request.record.served_by = self._component.name

    async def _collected(self, request: ConversationRequest) -> Result:
        return await collect(self._component.stream(request))

    async def _streamed(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        limits = self._limits
        if not self._has_stream:
            reply = self._component.converse(request)
            result = await (reply if limits is None else limits.whole(reply))
            for event in result.events():
                yield event
            return
        finished = False
        async with (
            aclosing(self._component.stream(request)) as events,
            aclosing(events if limits is None else limits.gaps(events)) as timed,
        ):
            async for event in timed:
                finished = finished or type(event) is Finish
                yield event
        if not finished:
            raise ProviderError("the provider's reply ended before it was finished")

    def _told(self, error: BaseException) -> RequestError:
        """Make what a caller may be told. The text of a plugin's own fault may hold a message or a key: it is not."""
        if isinstance(error, RequestError):
            error.detail = self._redact(error.detail)
            error.args = (error.detail,)  # what repr shows
            return error.named(self._component.name)
        name, kind = self._component.name, type(self._component).__name__
        about = {"component": name, "plugin": self._component.plugin, "class": kind}
        about |= {"error": type(error).__name__, "at": frames(error)}
        _log.error("a plugin raised an unexpected error", extra=about)
        return InvokeError(
            f"{kind} raised {type(error).__name__}, a fault of its plugin; see the host's log", component=name
        )


def refuse_unscrubbed(request: ConversationRequest) -> None:
    """Fail closed: no message that should be scrubbed goes out as it is, and no reply comes back as it is.

    Raises:
        ScrubberMissing: no scrub stage has treated a marked message, or none waits for the reply.
    """
    if request.scrub_reply and not request.reply_scrubbed:
        raise ScrubberMissing(_INSTALL_A_SCRUBBER)
    for message in request.messages:
        if message.scrub and not message.scrubbed:
            raise ScrubberMissing(_INSTALL_A_SCRUBBER)


def _note_result(record: Record, result: Result) -> None:
    if result.model:
        record.model = result.model
    if result.usage is not None:
        record.prompt_tokens, record.completion_tokens = result.usage.prompt_tokens, result.usage.completion_tokens


def _note_event(record: Record, event: Event) -> None:
    if type(event) is Delta:
        if not record.first_event_seconds:
            record.first_event_seconds = perf_counter() - record.started
    elif type(event) is Finish:
        record.model = event.model or record.model
    elif type(event) is Usage:
        record.prompt_tokens, record.completion_tokens = event.prompt_tokens, event.completion_tokens
