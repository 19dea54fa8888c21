"""``conversation.anthropic``: Anthropic's Messages API, and the same on Microsoft Foundry."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar

from jackfield import Build, ConversationRequest, Event, ProviderError, Result
from jackfield.upstream import LARGEST_REPLY, Reply, UpstreamConversation, cut_off, read_events
from jackfield_anthropic.defaults import API_VERSION, ENDPOINT, MODEL
from jackfield_anthropic.dialect import Dialect, claude_dialect
from jackfield_anthropic.failures import advice
from jackfield_anthropic.replies import decode_event, decode_reply, result
from jackfield_anthropic.requests import build_body
from jackfield_anthropic.settings import AnthropicSettings
from jackfield_anthropic.streams import StreamReader
from jackfield_anthropic.structure import answer_tool
from jackfield_anthropic.thinking import Thinking, thinking_config
from jackfield_anthropic.wire import MessagesBody

__all__ = ["AnthropicConversation"]


class AnthropicConversation(UpstreamConversation[AnthropicSettings]):
    """A component that Claude answers for; a server elsewhere that speaks the Messages API is understood too."""

    Settings = AnthropicSettings
    default_model: ClassVar[str] = MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("ANTHROPIC_MODEL",)
    default_endpoint: ClassVar[str] = ENDPOINT
    endpoint_variables: ClassVar[tuple[str, ...]] = ("ANTHROPIC_BASE_URL",)

    def __init__(self, build: Build[AnthropicSettings]) -> None:
        super().__init__(build)
        if not self.settings.endpoint and not self.endpoint.endswith("/v1"):
            self.endpoint += "/v1"  # The variable is the official packages', which add this themselves.
        self._thinking = Thinking.parse(self.settings.thinking)
        self._dialect = self.dialect(self.model)
        thinking_config(self._thinking, self._dialect, self.model)

    def url(self, model: str) -> str:  # noqa: ARG002
        """Return the API's one address; the model is named in the body, also on Foundry."""
        return f"{self.endpoint}/messages"

    def headers(self) -> dict[str, str]:
        """Return the key and the version of the API."""
        return {"x-api-key": self.settings.key.get_secret_value(), "anthropic-version": API_VERSION}

    def dialect(self, model: str) -> Dialect:
        """Return what a model understands; override it for a server with models of its own."""
        return claude_dialect(model, foundry=self.settings.foundry)

    def _dialect_of(self, model: str) -> Dialect:
        return self._dialect if model == self.model else self.dialect(model)

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> MessagesBody:
        """Return the body of one call; see ``UpstreamConversation.body``."""
        dialect = self._dialect_of(model)
        return build_body(request, model=model, dialect=dialect, thinking=self._thinking, stream=stream)

    def _answer(self, request: ConversationRequest, model: str) -> str:
        tool = answer_tool(request, self._dialect_of(model))
        return tool.name if tool else ""

    async def read_result(self, reply: Reply, request: ConversationRequest, model: str) -> Result:
        """Read a whole reply; see ``UpstreamConversation.read_result``."""
        decoded = decode_reply(await reply.read(LARGEST_REPLY))
        return result(decoded, model=model, answer=self._answer(request, model))

    async def read_stream(self, reply: Reply, request: ConversationRequest, model: str) -> AsyncGenerator[Event, None]:
        """Read a reply as it is written; a server that answers in one piece all the same is understood too."""
        media = reply.content_type
        if media in {"application/json", "text/html"}:
            whole = await self.read_result(reply, request, model)
            for event in whole.events():
                yield event
            return
        reader = StreamReader(model=model, answer=self._answer(request, model))
        async with aclosing(read_events(reply)) as items:
            async for data in items:
                for event in reader.read(decode_event(data)):
                    yield event
                if reader.over:
                    break
        if not reader.complete:
            raise cut_off(media, begun=reader.started)
        for event in reader.finish():
            yield event
        await reply.skip_tail()

    def advice(self, error: ProviderError, model: str) -> str:
        """Return what to do about a refusal; see ``UpstreamConversation.advice``."""
        return advice(error.status) or super().advice(error, model)
