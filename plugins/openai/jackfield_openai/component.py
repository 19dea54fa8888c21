"""The base of every component that speaks the chat completions API.

A provider's plugin derives from ``CompatibleConversation``, sets the class attributes, and overrides what its server
does differently: ``url``, ``headers``, ``dialect``, ``body``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

import msgspec

from jackfield import (
    Build,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    FinishReason,
    InvokeError,
    ProviderError,
    ProviderUnreachable,
    ReasoningPart,
    Result,
    __version__,
)
from jackfield_openai.dialect import COMPATIBLE, Dialect
from jackfield_openai.environment import proxy_for, trust
from jackfield_openai.receiving import read_result, read_stream
from jackfield_openai.replies import FINISH_REASONS
from jackfield_openai.requests import build_body
from jackfield_openai.settings import CompatibleSettings, checked_endpoint
from jackfield_openai.wire import ChatBody

if TYPE_CHECKING:
    from yarl import URL

    from jackfield_openai.upstream import Reply, Upstream

__all__ = ["CompatibleConversation"]

_SHORTEST_HIDDEN: Final = 6
_encode: Final = msgspec.json.Encoder().encode

SettingsT = TypeVar("SettingsT", bound=CompatibleSettings)


class CompatibleConversation(Conversation[SettingsT]):
    """A component whose server speaks OpenAI's chat completions API.

    The order of precedence for model and endpoint is manifest, environment, default. A component that has neither
    endpoint can't be built.
    """

    Settings: ClassVar[type[CompatibleSettings]] = CompatibleSettings

    default_model: ClassVar[str] = ""
    """The model if neither manifest nor environment names one."""

    model_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may name the model; the first that is set counts."""

    default_endpoint: ClassVar[str] = ""
    """The base address if neither manifest nor environment gives one."""

    endpoint_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may give the base address; the first that is set counts."""

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = FINISH_REASONS
    """The meanings of the server's finish reasons; any other is ``stop``, or ``tool_calls`` where there are calls."""

    body_type: ClassVar[type[ChatBody]] = ChatBody
    """The struct of a request's body."""

    def __init__(self, build: Build[SettingsT]) -> None:
        super().__init__(build)
        self.environment = build.environment
        self.model = self.settings.model or self._from_environment(self.model_variables) or self.default_model
        endpoint = self.settings.endpoint or self._from_environment(self.endpoint_variables) or self.default_endpoint
        if not endpoint:
            raise ValueError(
                "no endpoint; add an item `name: endpoint` with the server's base address to spec.metadata"
            )
        self.endpoint = checked_endpoint(endpoint)
        self._upstream: Upstream | None = None
        self._url: URL | None = None
        self._dialect = self.dialect(self.model)

    def _from_environment(self, names: tuple[str, ...]) -> str:
        return next((value for name in names if (value := self.environment.get(name, "").strip())), "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} model={self.model!r} endpoint={self.endpoint!r}>"

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
        dialect = self._dialect if model == self.model else self.dialect(model)
        return build_body(request, model=model, dialect=dialect, stream=stream, body_type=self.body_type)

    async def start(self) -> None:
        """Open the pool of connections.

        Raises:
            ValueError: proxy or certificates can't be used; the text names the variable or setting.
        """
        from yarl import URL

        from jackfield_openai.upstream import Upstream

        proxy = proxy_for(self.endpoint, self.environment)
        verify = None
        if self.endpoint.startswith("https:"):
            verify = await asyncio.to_thread(trust, self.settings.ca_cert, self.environment)
        self._url = URL(self.url(self.model))
        self._upstream = Upstream(
            self.endpoint,
            self._all_headers(),
            proxy=proxy,
            trust=verify,
            connect_seconds=self.settings.connect_timeout,
            silence_seconds=self.settings.silence_timeout,
        )

    def _all_headers(self) -> dict[str, str]:
        chosen = {name.lower() for name in self.settings.headers}
        own = {
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "Accept-Encoding": "identity",
            "User-Agent": f"jackfield/{__version__}",
            **self.headers(),
        }
        return {**{name: value for name, value in own.items() if name.lower() not in chosen}, **self.settings.headers}

    async def close(self) -> None:
        """Close the pool; harmless if it was never opened, and a second time."""
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            await upstream.close()

    async def converse(self, request: ConversationRequest) -> Result:
        """Answer a request in one piece; see ``Conversation.converse``."""
        model = request.model or self.model
        try:
            reply = await self._post(request, model, stream=False)
            try:
                answer = await read_result(reply, model=model, reasons=self.finish_reasons)
            finally:
                reply.close()
        except InvokeError as error:
            raise self._without_secrets(error) from None
        if _wants_call(request) and not any(choice.tool_calls or choice.text for choice in answer.choices):
            raise _no_call(request)
        return answer

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request as it is written; see ``Conversation.stream``."""
        model = request.model or self.model
        call_due = _wants_call(request)
        try:
            reply = await self._post(request, model, stream=True)
            try:
                async with aclosing(read_stream(reply, model=model, reasons=self.finish_reasons)) as events:
                    async for event in events:
                        if call_due and isinstance(event, Finish):
                            raise _no_call(request)
                        if isinstance(event, Delta) and not isinstance(event.part, ReasoningPart):
                            call_due = False
                        yield event
            finally:
                reply.close()
        except InvokeError as error:
            raise self._without_secrets(error) from None

    async def _post(self, request: ConversationRequest, model: str, *, stream: bool) -> Reply:
        upstream, url = self._upstream, self._url
        if upstream is None or url is None:
            raise ProviderUnreachable("the component is not running")
        body = _encode(self.body(request, model, stream=stream))
        return await upstream.post(url if model == self.model else self.url(model), body)

    def _without_secrets(self, error: InvokeError) -> InvokeError:
        """Take the key and the headers' values out of what the provider said; it may quote what it was sent."""
        hidden = [self.settings.key.get_secret_value(), *self.settings.headers.values()]
        for value in sorted(hidden, key=len, reverse=True):  # one may be a part of another
            if len(value) >= _SHORTEST_HIDDEN:
                error.detail = error.detail.replace(value, "***")
        error.args = (error.detail,)
        return error


def _wants_call(request: ConversationRequest) -> bool:
    return bool(request.tools) and request.tool_choice in {"required", "any"}


def _no_call(request: ConversationRequest) -> ProviderError:
    """Make daprd's error for a model that was told to call a tool and did nothing (contract sheet, section 10.4)."""
    return ProviderError(
        f"LLM returned empty response with no tool calls despite {len(request.tools)} tools being available"
    )
