"""What the tests share: the model's file, and components that use it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import click
import pytest
from click.testing import CliRunner

from jackfield import (
    Build,
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    GenerationSettings,
    Message,
    TextPart,
    ToolCallPart,
    Usage,
)
from jackfield_llamacpp.catalogue import find
from jackfield_llamacpp.commands import pull_command
from jackfield_llamacpp.component import LlamaCppConversation
from jackfield_llamacpp.pool import EnginePool
from jackfield_llamacpp.settings import LlamaCppSettings
from jackfield_llamacpp.store import models_folder

pytest_plugins = ["jackfield.testing"]

Serve: TypeAlias = Callable[..., AbstractAsyncContextManager[LlamaCppConversation]]
Ask: TypeAlias = Callable[..., ConversationRequest]


class Reply:
    """A whole reply, put together from its events."""

    def __init__(self, events: list[Event]) -> None:
        deltas = [event for event in events if isinstance(event, Delta)]
        self.events = events
        self.finishes = [event for event in events if isinstance(event, Finish)]
        self.usages = [event for event in events if isinstance(event, Usage)]
        self.text = "".join(delta.part.text for delta in deltas if isinstance(delta.part, TextPart))
        calls = [delta.part for delta in deltas if isinstance(delta.part, ToolCallPart)]
        self.call_names = [part.name for part in calls if part.name]
        self.call_ids = [part.id for part in calls if part.id]
        self.call_arguments = "".join(part.arguments for part in calls)


@pytest.fixture(scope="session")
def model_file() -> Path:
    """The real model, fetched as a user would if it is missing; without it the tests that need it fail."""
    outcome = CliRunner().invoke(pull_command(), ["smollm2"])
    assert outcome.exit_code == 0, outcome.output
    return models_folder(os.environ) / find("smollm2").file_name


@pytest.fixture
def pool() -> EnginePool:
    """The engines of one test."""
    return EnginePool()


@pytest.fixture
def serve(model_file: Path, pool: EnginePool) -> Serve:
    """Make a component that is started and closed around the block; a slot of one, unless asked otherwise."""

    @asynccontextmanager
    async def served(**settings: Any) -> AsyncIterator[LlamaCppConversation]:
        component = LlamaCppConversation(build(**{"parallel": 1, **settings}), pool)
        try:
            await component.start()
            yield component
        finally:
            await component.close()

    return served


def build(environment: dict[str, str] | None = None, **settings: Any) -> Build[LlamaCppSettings]:
    """A build as the host makes it."""
    return Build(
        name="llm",
        type_name="conversation.llamacpp",
        settings=LlamaCppSettings(**settings),
        environment=dict(os.environ) if environment is None else environment,
    )


@pytest.fixture
def built() -> Callable[..., Build[LlamaCppSettings]]:
    """``build``, for tests that start no engine."""
    return build


@pytest.fixture
def ask() -> Ask:
    """Make a streamed request of one user message."""

    def request(text: str, *, system: str = "", **fields: Any) -> ConversationRequest:
        settings = {name: fields.pop(name) for name in GenerationSettings.__struct_fields__ if name in fields}
        messages = [Message(role="user", parts=(TextPart(text),))]
        if system:
            messages.insert(0, Message(role="system", parts=(TextPart(system),)))
        return ConversationRequest(
            component="llm",
            messages=tuple(messages),
            settings=GenerationSettings(**settings),
            stream=True,
            **fields,
        )

    return request


@pytest.fixture
def read() -> Callable[[Conversation[Any], ConversationRequest], Any]:
    """Read a whole reply."""

    async def whole(component: Conversation[Any], request: ConversationRequest) -> Reply:
        return Reply([event async for event in component.stream(request)])

    return whole


@pytest.fixture
def group() -> click.Group:
    """A command group such as the host's."""
    return click.Group("jackfield")
