"""The base of every component that asks a server over HTTP, with JSON bodies and replies whole or as events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import msgspec

from jackfield.components import Build, Conversation
from jackfield.errors import InvalidParameters, InvokeError, ProviderError, ProviderUnreachable
from jackfield.events import Delta, Event, Finish, Result
from jackfield.messages import ConversationRequest, ReasoningPart
from jackfield.upstream.advice import advice
from jackfield.upstream.environment import proxy_for, trust
from jackfield.upstream.forced import call_is_due, no_call
from jackfield.upstream.reply import Reply
from jackfield.upstream.settings import UpstreamSettings
from jackfield.version import __version__

if TYPE_CHECKING:
    from yarl import URL

    from jackfield.upstream.client import Upstream

__all__ = ["UpstreamConversation"]

_SHORTEST_HIDDEN: Final = 6
_encode: Final = msgspec.json.Encoder().encode

SettingsT = TypeVar("SettingsT", bound=UpstreamSettings)


class UpstreamConversation(Conversation[SettingsT]):
    """A component with a server behind it.

    Derive from it for an API of its own: set the class attributes and implement ``url``, ``headers``, ``body``,
    ``read_result`` and ``read_stream``. Model and endpoint are the manifest's, else the environment's, else the
    type's default; a component without an endpoint can't be built, nor one without a key where its settings require
    one.
    """

    Settings: ClassVar[type[UpstreamSettings]] = UpstreamSettings

    model_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may name the model; the first that is set counts."""

    default_endpoint: ClassVar[str] = ""
    """The base address if neither manifest nor environment gives one."""

    endpoint_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may give the base address; the first that is set counts."""

    def __init__(self, build: Build[SettingsT]) -> None:
        super().__init__(build)
        self.environment = build.environment
        self.model = self.settings.model or self._from_environment(self.model_variables) or self.default_model
        endpoint = self.settings.endpoint or self._from_environment(self.endpoint_variables) or self.default_endpoint
        if not endpoint:
            raise ValueError(
                "no endpoint; add an item `name: endpoint` with the server's base address to spec.metadata"
            )
        self.endpoint = self.settings.base_address(endpoint)
        if self.Settings.needs_key() and not self.settings.key.get_secret_value():
            raise ValueError(
                "the API key is missing; add an item `name: key` with a value, a secretKeyRef or an envRef to"
                " spec.metadata (for a server that asks for none, any text will do)"
            )
        self._upstream: Upstream | None = None
        self._url: URL | None = None

    def _from_environment(self, names: tuple[str, ...]) -> str:
        return next((value for name in names if (value := self.environment.get(name, "").strip())), "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} model={self.model!r} endpoint={self.endpoint!r}>"

    def url(self, model: str) -> str:
        """Return the address to post to; ``model`` matters where the address names it."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Return the headers of every call, those of the manifest apart; asked once, at start."""
        raise NotImplementedError

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> Any:
        """Return the body of one call: whatever msgspec writes as JSON.

        Raises:
            InvalidParameters: the request asks for what this API has not.
        """
        raise NotImplementedError

    async def read_result(self, reply: Reply, request: ConversationRequest, model: str) -> Result:
        """Read a whole reply.

        Args:
            reply: what the server sends; the caller closes it.
            request: what was asked.
            model: the model that was asked.

        Raises:
            InvokeError: the reply is none, or did not arrive whole.
        """
        raise NotImplementedError

    def read_stream(self, reply: Reply, request: ConversationRequest, model: str) -> AsyncGenerator[Event, None]:
        """Read a reply as it is written; arguments and errors are those of ``read_result``."""
        raise NotImplementedError

    def advice(self, error: ProviderError, model: str) -> str:
        """Return what to do about a refusal, such as ``check key``; empty where that is not known.

        It is added to the provider's words. Override it for what this API means by its statuses.
        """
        return advice(error.status, error.detail, model)

    async def start(self) -> None:
        """Open the pool of connections.

        Raises:
            ValueError: proxy or certificates can't be used; the text names the variable or setting.
        """
        from yarl import URL

        from jackfield.upstream.client import Upstream

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
                answer = await self.read_result(reply, request, model)
            finally:
                reply.close()
        except InvokeError as error:
            raise self._told(error, model) from None
        if call_is_due(request) and not any(choice.tool_calls or choice.text for choice in answer.choices):
            raise no_call(request)
        return answer

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request as it is written; see ``Conversation.stream``."""
        model = request.model or self.model
        call_due = call_is_due(request)
        try:
            reply = await self._post(request, model, stream=True)
            try:
                async with aclosing(self.read_stream(reply, request, model)) as events:
                    async for event in events:
                        if call_due and isinstance(event, Finish):
                            raise no_call(request)
                        if isinstance(event, Delta) and not isinstance(event.part, ReasoningPart):
                            call_due = False
                        yield event
            finally:
                reply.close()
        except InvokeError as error:
            raise self._told(error, model) from None

    async def _post(self, request: ConversationRequest, model: str, *, stream: bool) -> Reply:
        upstream, url = self._upstream, self._url
        if upstream is None or url is None:
            raise ProviderUnreachable("the component is not running")
        body = self.body(request, model, stream=stream)
        if request.extra and self.takes_extra:
            body = msgspec.to_builtins(body) | request.extra
        if model in {".", ".."}:  # in an address they are steps, however they are written
            raise InvalidParameters(f"there is no model of the name {model!r}")
        return await upstream.post(url if model == self.model else self.url(model), _encode(body))

    def _told(self, error: InvokeError, model: str) -> InvokeError:
        """Add what to do, and take the key and the headers' values out: the provider may quote what it was sent."""
        if isinstance(error, ProviderError) and (todo := self.advice(error, model)):
            error.detail = f"{error.detail.rstrip('. ')}; {todo}"
        hidden = [self.settings.key.get_secret_value(), *self.settings.headers.values()]
        for value in sorted(hidden, key=len, reverse=True):  # one may be a part of another
            if len(value) >= _SHORTEST_HIDDEN:
                error.detail = error.detail.replace(value, "***")
        error.args = (error.detail,)
        return error
