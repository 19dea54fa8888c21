"""The base of every component that speaks the chat completions API.

A provider's plugin derives from ``CompatibleConversation``, sets the class attributes, and overrides what its server
does differently: ``url``, ``headers``, ``dialect``, ``body``, ``opaque``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Final, TypeVar

from jackfield import Build, ConversationRequest, Event, FinishReason, Result
from jackfield.upstream import LARGEST_REPLY, Reply, UpstreamConversation, cut_off, read_events
from jackfield_openai.dialect import COMPATIBLE, Dialect
from jackfield_openai.replies import FINISH_REASONS, decode_chunk, decode_reply, result
from jackfield_openai.requests import build_body
from jackfield_openai.settings import CompatibleSettings
from jackfield_openai.streams import StreamReader
from jackfield_openai.tools import answer_tool
from jackfield_openai.wire import ChatBody, ReplyCall

__all__ = ["CompatibleConversation"]

_DONE: Final = b"[DONE]"

SettingsT = TypeVar("SettingsT", bound=CompatibleSettings)


class CompatibleConversation(UpstreamConversation[SettingsT]):
    """A component whose server speaks OpenAI's chat completions API."""

    Settings: ClassVar[type[CompatibleSettings]] = CompatibleSettings

    takes_extra: ClassVar[bool] = True

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = FINISH_REASONS
    """The meanings of the server's finish reasons; any other is ``stop``, or ``tool_calls`` where there are calls."""

    body_type: ClassVar[type[ChatBody]] = ChatBody
    """The struct of a request's body."""

    def __init__(self, build: Build[SettingsT]) -> None:
        super().__init__(build)
        self._dialect = self.dialect(self.model)

    def url(self, model: str) -> str:  # noqa: ARG002
        """Return the address to post to; ``model`` matters where the address names it."""
        return f"{self.endpoint}/chat/completions"

    def headers(self) -> dict[str, str]:
        """Return the headers of every call, those of the manifest apart; asked once, at start."""
        key = self.settings.key.get_secret_value()
        return {"Authorization": f"Bearer {key}"} if key else {}

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the server understands when it is asked for ``model``."""
        return COMPATIBLE

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body of one call; override it to fill members of your own ``body_type``."""
        return build_body(
            request, model=model, dialect=self._dialect_of(model), stream=stream, body_type=self.body_type
        )

    def opaque(self, call: ReplyCall, details: Sequence[Mapping[str, Any]]) -> str:  # noqa: ARG002
        """Return the signed or encrypted data that the server wants back with a call.

        Args:
            call: a call of the reply, or in a stream a piece of one.
            details: the message's ``reasoning_details``, with the first call only; in a stream, all of them, once the
                calls are over and with an empty call.

        Returns:
            The data with the provider's name in front of it, as a router may take it elsewhere; empty if there is none.
        """
        return ""

    def _dialect_of(self, model: str) -> Dialect:
        return self._dialect if model == self.model else self.dialect(model)

    async def read_result(self, reply: Reply, request: ConversationRequest, model: str) -> Result:
        """Read a whole reply; see ``UpstreamConversation.read_result``."""
        return result(
            decode_reply(await reply.read(LARGEST_REPLY)),
            model=model,
            reasons=self.finish_reasons,
            answer=answer_tool(request, self._dialect_of(model)),
            opaque=self.opaque,
        )

    async def read_stream(self, reply: Reply, request: ConversationRequest, model: str) -> AsyncGenerator[Event, None]:
        """Read a reply as it is written; a server that answers in one piece all the same is understood too."""
        media = reply.content_type
        if media in {"application/json", "text/html"}:
            whole = await self.read_result(reply, request, model)
            for event in whole.events():
                yield event
            return
        answer = answer_tool(request, self._dialect_of(model))
        reader = StreamReader(model=model, reasons=self.finish_reasons, answer=answer, opaque=self.opaque)
        async with aclosing(read_events(reply, last=_DONE)) as items:
            async for data in items:
                if data == _DONE:
                    break
                for event in reader.read(decode_chunk(data)):
                    yield event
            else:
                if not reader.complete:
                    raise cut_off(media, begun=reader.started)
        for event in reader.finish():
            yield event
        await reply.skip_tail()
