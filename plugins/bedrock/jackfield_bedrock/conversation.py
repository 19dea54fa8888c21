"""``conversation.aws.bedrock``: every model that Bedrock's Converse API reaches (contract sheet, section 10.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from jackfield import (
    Build,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    InvokeError,
    ProviderUnreachable,
    ReasoningPart,
    Result,
)
from jackfield.upstream import call_is_due, no_call
from jackfield_bedrock.defaults import BEDROCK_MODEL
from jackfield_bedrock.errors import Place, cut_off, failure
from jackfield_bedrock.replies import result
from jackfield_bedrock.requests import Call, build_call
from jackfield_bedrock.settings import BedrockSettings
from jackfield_bedrock.streams import StreamReader

if TYPE_CHECKING:
    from jackfield_bedrock.runtime import EventStream, Runtime, RuntimeClient

__all__ = ["BedrockConversation"]

_log = logging.getLogger("jackfield.bedrock")

_SECRET_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
)
_SHORTEST_HIDDEN: Final = 6


class BedrockConversation(Conversation[BedrockSettings]):
    """A component that a model of Amazon Bedrock answers for.

    Credentials are the manifest's access key, else those of ``assumeRoleArn``, else those of AWS's default chain.
    """

    Settings = BedrockSettings
    default_model: ClassVar[str] = BEDROCK_MODEL

    def __init__(self, build: Build[BedrockSettings]) -> None:
        super().__init__(build)
        self.model = self.settings.model or self.default_model
        self._environment = build.environment
        self._runtime: Runtime | None = None
        self._hidden = _secrets(self.settings, build.environment)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} model={self.model!r}>"

    async def start(self) -> None:
        """Load AWS's client, find region and credentials, and open the pool of connections.

        Raises:
            ValueError: region, profile, credentials or certificates are missing or can't be used.
        """
        settings = self.settings
        if settings.trust_anchor_arn or settings.trust_profile_arn:
            _log.warning(
                "trustAnchorArn and trustProfileArn have no effect, as in daprd; use assumeRoleArn or a profile with a"
                " credential_process",
                extra={"component": self.name},
            )
        if settings.static and settings.assume_role_arn:
            _log.warning(
                "assumeRoleArn has no effect beside accessKey and secretKey, which come first",
                extra={"component": self.name},
            )
        self._runtime = await asyncio.to_thread(_prepare, settings, self._environment)
        await self._runtime.open(self.name, self._environment)

    async def close(self) -> None:
        """Close the pool; harmless if it was never opened, and a second time."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.close()

    async def converse(self, request: ConversationRequest) -> Result:
        """Answer a request in one piece; see ``Conversation.converse``."""
        call = self._call(request)
        client, place = self._client(call)
        # aiohttp leaves the reader of a body that breaks the rules of HTTP waiting; this ends the wait.
        with self._told(place):
            async with asyncio.timeout(place.connect_seconds + 2 * place.silence_seconds):
                reply = await client.converse(**call.parameters)
            answer = result(reply, call)
        if call_is_due(request) and not any(choice.tool_calls or choice.text for choice in answer.choices):
            raise no_call(request)
        return answer

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request as it is written; see ``Conversation.stream``."""
        call = self._call(request)
        client, place = self._client(call)
        call_due = call_is_due(request)
        with self._told(place):
            reply = await client.converse_stream(**call.parameters)
        async with aclosing(self._events(reply["stream"], call, place)) as events:
            async for event in events:
                if call_due and isinstance(event, Finish):
                    raise no_call(request)
                if isinstance(event, Delta) and not isinstance(event.part, ReasoningPart):
                    call_due = False
                yield event

    async def _events(self, stream: EventStream, call: Call, place: Place) -> AsyncGenerator[Event, None]:
        reader = StreamReader(call)
        source = cast("AsyncGenerator[dict[str, Any], None]", aiter(stream))
        try:
            async with aclosing(source):
                while True:
                    with self._told(place, begun=True):
                        async with asyncio.timeout(2 * place.silence_seconds):
                            item = await anext(source, None)
                        read = None if item is None else list(reader.read(item))
                    if read is None:
                        break
                    for event in read:
                        yield event
        finally:
            stream.close()
        if not reader.complete:
            raise cut_off(place)
        for event in reader.finish():
            yield event

    def _call(self, request: ConversationRequest) -> Call:
        return build_call(
            request,
            model=request.model or self.model,
            additional=self.settings.additional_model_request_fields,
        )

    def _client(self, call: Call) -> tuple[RuntimeClient, Place]:
        runtime = self._runtime
        if runtime is None or runtime.client is None:
            raise ProviderUnreachable("the component is not running")
        place = Place(
            runtime.address,
            runtime.region,
            call.model,
            self.settings.connect_timeout,
            self.settings.silence_timeout,
        )
        return runtime.client, place

    @contextmanager
    def _told(self, place: Place, *, begun: bool = False) -> Iterator[None]:
        """Turn AWS's errors into the host's, without anything secret."""
        try:
            yield
        except InvokeError as error:
            raise self._without_secrets(error) from None
        except Exception as error:
            meaning = failure(error, place, begun=begun)
            if meaning is None:
                raise
            raise self._without_secrets(meaning) from None

    def _without_secrets(self, error: InvokeError) -> InvokeError:
        for value in self._hidden:
            error.detail = error.detail.replace(value, "***")
        error.args = (error.detail,)
        return error


def _prepare(settings: BedrockSettings, environment: Mapping[str, str]) -> Runtime:
    from jackfield_bedrock.runtime import prepare

    return prepare(settings, environment)


def _secrets(settings: BedrockSettings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what no error may show; what AWS says may quote what it was sent."""
    own = [secret.get_secret_value() for secret in (settings.access_key, settings.secret_key, settings.session_token)]
    values = {*own, *(environment.get(name, "") for name in _SECRET_VARIABLES)}
    return tuple(sorted((value for value in values if len(value) >= _SHORTEST_HIDDEN), key=len, reverse=True))
