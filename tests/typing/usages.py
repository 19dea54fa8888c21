"""What plugin authors write with the names that ``jackfield`` exports, for type checkers to read.

mypy and basedpyright check this file strictly; ``test_usages.py`` sees that no exported name is missing in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import assert_type

import click
from pydantic import Field

import jackfield
from jackfield import (
    Answer,
    BreakerChange,
    BreakerOpen,
    Build,
    ByteSize,
    CacheStore,
    CatalogChange,
    ChainBuild,
    Choice,
    Component,
    ComponentChange,
    ConfigurationError,
    Conversation,
    ConversationRequest,
    DaprSettings,
    Delta,
    Duration,
    Event,
    Finish,
    FinishReason,
    GenerationSettings,
    Handler,
    Headers,
    InvalidParameters,
    InvalidSetting,
    InvokeError,
    JackfieldError,
    Message,
    NoSuchComponent,
    Overloaded,
    Part,
    PluginError,
    PolicySettings,
    ProviderError,
    ProviderTimeout,
    ProviderUnreachable,
    ReasoningPart,
    Record,
    RegisterComponents,
    RegisterObservers,
    RequestError,
    ResponseFormat,
    Result,
    Role,
    RoutingStrategy,
    Scrubber,
    ScrubberMissing,
    ScrubStages,
    ScrubStream,
    Secret,
    SecretNotFound,
    SecretStore,
    Settings,
    Span,
    Stage,
    StoreHealth,
    StringList,
    Supply,
    Target,
    TextPart,
    Tool,
    ToolCall,
    ToolCallPart,
    Usage,
    collect,
    hookimpl,
    is_fault,
    unary,
)

assert_type(jackfield.__version__, str)


# Settings


class ModelSettings(DaprSettings):
    key: Secret
    model: str = "small"
    patience: Duration = 10.0
    largest: ByteSize = 64 << 20
    regions: StringList = Field(default_factory=list)


class OwnSettings(Settings):
    greeting: str = "hello"


def read_settings(settings: ModelSettings) -> None:
    assert_type(settings.key.get_secret_value(), str)
    assert_type(settings.patience, float)
    assert_type(settings.largest, int)
    assert_type(settings.regions, list[str])


# Providers


class Whole(Conversation[ModelSettings]):
    Settings = ModelSettings
    lacks = {"structured_output": "the API has none"}
    default_model = "small"

    def __init__(self, build: Build[ModelSettings]) -> None:
        super().__init__(build)
        assert_type(self.settings, ModelSettings)
        self.region = build.environment.get("REGION", "")
        self.store = build.reference("replies", Kept, setting="store")
        assert_type(self.store, Kept)

    async def start(self) -> None:
        if not self.settings.key.get_secret_value():
            raise ConfigurationError(f"{self.name}: the key is missing; add an item `name: key` to spec.metadata")

    async def converse(self, request: ConversationRequest) -> Result:
        if request.response_format is not None:
            raise InvalidParameters("this API follows no schema; ask another component")
        read_request(request)
        call = ToolCall(id="call-1", name="weather", arguments="{}", opaque="signed")
        choice = Choice(parts=(TextPart("hello"),), tool_calls=(call,), finish_reason="tool_calls")
        assert_type(choice.text, str)
        usage = Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
        return Result(choices=(choice,), model=request.model or self.settings.model, usage=usage)

    async def close(self) -> None:
        await asyncio.sleep(0)


class Streamed(Conversation[Settings]):
    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        yield Delta(ReasoningPart("thinking"))
        yield Delta(TextPart("hel"), index=0)
        yield Delta(ToolCallPart(0, id="call-1", name="weather", arguments="{"))
        reason: FinishReason = "stop"
        yield Finish(reason)
        yield Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)


def read_request(request: ConversationRequest) -> None:
    assert_type(request.messages, tuple[Message, ...])
    assert_type(request.tools, tuple[Tool, ...])
    assert_type(request.settings, GenerationSettings)
    assert_type(request.settings.temperature, float | None)
    assert_type(request.response_format, ResponseFormat | None)
    assert_type(request.headers, Headers)
    assert_type(request.headers.get("accept-language"), str)
    assert_type(request.record, Record)
    for message in request.messages:
        role: Role = message.role
        assert role
        assert_type(message.text, str)
        for part in message.parts:
            read_part(part)


def read_part(part: Part) -> str:
    match part:
        case TextPart(text) | ReasoningPart(text):
            return text
        case _:
            raise InvalidParameters("a part of this kind can't be sent")


def fail(kind: str) -> RequestError:
    errors: dict[str, RequestError] = {
        "busy": Overloaded("no room for one more"),
        "late": ProviderTimeout("no answer within 10 s"),
        "gone": ProviderUnreachable("the connection broke"),
        "other": InvokeError("it went wrong"),
    }
    return errors.get(kind) or ProviderError("the key is wrong; mend it", status=401, retry_after=None)


def judge(error: JackfieldError | BaseException) -> bool:
    if isinstance(error, BreakerOpen | ScrubberMissing):
        return False
    return is_fault(error) and not isinstance(error, PluginError | NoSuchComponent)


# Stores, scrubbers, strategies


class Vault(SecretStore[OwnSettings]):
    Settings = OwnSettings

    async def get(self, name: str) -> Mapping[str, str]:
        if name != self.settings.greeting:
            raise SecretNotFound(f"{self.name} has no secret {name!r}")
        return {name: "value"}

    async def changed(self) -> bool:
        return False


class Kept(CacheStore[Settings]):
    timeout = 0.1
    shared = True

    async def get(self, key: str) -> bytes | None:
        return None

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        assert_type(self.health, StoreHealth)

    async def lease(self, key: str, holder: str, seconds: float) -> bool:
        return True

    async def release(self, key: str, holder: str) -> None:
        return


class Open(ScrubStream):
    def feed(self, text: str) -> tuple[str, Sequence[Span]]:
        return text, ()

    def end(self) -> tuple[str, Sequence[Span]]:
        return "", [Span(0, 1, "NAME")]


class Names(Scrubber[Settings]):
    def find(self, text: str) -> Sequence[Span]:
        return [Span(0, len(text), "NAME", replacement="somebody")]

    def stream(self) -> ScrubStream | None:
        return Open()


class Reversed(RoutingStrategy):
    def order(self, request: ConversationRequest, targets: Sequence[Target]) -> Iterable[Target]:
        return sorted(targets, key=lambda target: target.name, reverse=True)


# Stages


class Polite:
    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.inner: Answer = unary(handler)

    def __call__(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        return self.handler(request)

    async def answer(self, request: ConversationRequest) -> Result:
        return await self.inner(request)


def limited(handler: Handler) -> Handler:
    async def inner(request: ConversationRequest) -> AsyncGenerator[Event, None]:
        async with aclosing(handler(request)) as events:
            async for event in events:
                yield event

    return inner


async def gathered(handler: Handler, request: ConversationRequest) -> Result:
    return await collect(handler(request))


# Hooks


@hookimpl
def register_components(register: RegisterComponents) -> None:
    make: Callable[[Build[ModelSettings]], Whole] = Whole
    register.conversation("conversation.whole", Whole, factory=make)
    register.conversation("conversation.streamed", Streamed)
    register.secret_store("secretstores.vault", Vault)
    register.cache_store("cache.kept", Kept, default=True)
    register.scrubber("scrubber.names", Names)
    register.strategy("reversed", Reversed)


@hookimpl
def provide_scrubber(build: ChainBuild) -> ScrubStages | None:
    return ScrubStages(Polite, limited) if build.name == "polite" else None


@hookimpl(trylast=True)
def provide_cache(build: ChainBuild) -> Stage | None:
    assert_type(build.policies, PolicySettings)
    supply = build.supply(Kept, None, setting="cache")
    assert_type(supply, Supply[Kept] | None)
    if supply is None:
        return None
    waiting: Awaitable[None] = supply.wait()
    assert_type(supply.component, Kept)
    del waiting
    return limited


@hookimpl
def provide_router(build: ChainBuild) -> Stage | None:
    if "other" not in build.spec:
        raise InvalidSetting("other", "it is missing; name another component")
    target = build.target("other", setting="other")
    return lambda _: target


@hookimpl
def wrap_handler(build: ChainBuild) -> Stage | None:
    component: Component[Settings] = build.component
    return None if component.capabilities else limited


@hookimpl
def register_observers(register: RegisterObservers) -> None:
    def observe(record: Record) -> None:
        assert_type(record.request_id, str)

    def reloaded(change: CatalogChange) -> None:
        changes: tuple[ComponentChange, ...] = change.components
        assert_type(changes[0].state, str)

    def tripped(change: BreakerChange) -> None:
        assert_type(change.state, str)

    register.request_finished(observe)
    register.catalog_changed(reloaded)
    register.breaker_changed(tripped)


@hookimpl
def register_commands(cli: click.Group) -> None:
    @cli.command("greet")
    def greet() -> None:
        click.echo("hello")

    del greet
