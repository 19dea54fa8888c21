"""A host for tests of apps: it really listens, and answers what the test says."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.components import Conversation
from jackfield.errors import ProviderError
from jackfield.events import Delta, Event, FinishReason, Usage
from jackfield.hookspecs import RegisterComponents, hookimpl
from jackfield.messages import ConversationRequest, TextPart, ToolCall
from jackfield.settings import Settings
from jackfield.testing.building import manifest_text
from jackfield.testing.dialect import cut
from jackfield.testing.running import RunningHost
from jackfield.testing.script import Fail, Hang, Reply, Say, obliging, say

__all__ = ["CannedHost", "canned_host", "host"]

_TYPE = "conversation.canned"


@dataclass
class CannedHost:
    """A running host whose component ``llm`` answers what a test says, over every API that the host has.

    Replies are given in the order in which they were asked for; without one the model repeats what it is told, and
    calls the tools that it must call.

    Attributes:
        url: the host's address, such as ``http://127.0.0.1:40123``.
        asked: what it was asked so far.
        running: the host itself; ``running.converse("llm")`` asks it over HTTP.
    """

    running: RunningHost
    asked: list[ConversationRequest] = field(default_factory=list)
    _replies: deque[tuple[Reply, float, float]] = field(default_factory=deque)

    @property
    def url(self) -> str:
        """The host's address."""
        return f"http://127.0.0.1:{self.running.port}"

    def add(self, name: str) -> None:
        """Serve one more component of this name; it takes its replies from the same list.

        Args:
            name: the component's name. The call returns when the component answers.
        """
        (self.running.folder / f"{name}.yaml").write_text(manifest_text(_TYPE, {}, name=name), encoding="utf-8")
        while name not in self._serving():
            self.running.host.rescan()

    def _serving(self) -> set[str]:
        listed = self.running.request("GET", "/v1.0/metadata").json["components"]
        return {component["name"] for component in listed}

    def reply(
        self,
        text: str = "",
        *calls: ToolCall,
        delay: float = 0.0,
        pace: float = 0.0,
        finish_reason: FinishReason | None = None,
        usage: Usage | None = None,
    ) -> None:
        """Answer the next request with a text, calls, or both.

        Args:
            text: what the model says.
            calls: the tools it calls.
            delay: seconds before the reply begins.
            pace: seconds between the pieces of a streamed reply, which are of five characters.
            finish_reason: why it ends; ``tool_calls`` with calls and ``stop`` without unless given.
            usage: the tokens.
        """
        self._replies.append((say(text, *calls, finish_reason=finish_reason, usage=usage), delay, pace))

    def call_tool(self, name: str, arguments: Mapping[str, Any], *, id: str = "call_1", delay: float = 0.0) -> None:  # noqa: A002
        """Answer the next request with one call of a tool.

        Args:
            name: the tool.
            arguments: what becomes the call's JSON.
            id: the call's id.
            delay: seconds before the reply begins.
        """
        self.reply("", ToolCall(id, name, json.dumps(dict(arguments))), delay=delay)

    def fail(
        self,
        status: int = 500,
        message: str = "that can't be done",
        *,
        retry_after: int | None = None,
        delay: float = 0.0,
    ) -> None:
        """Answer the next request with a provider's error.

        Args:
            status: the provider's HTTP status.
            message: its words.
            retry_after: seconds after which it wants to be asked again.
            delay: seconds before.
        """
        self._replies.append((Fail(status, message, retry_after), delay, 0.0))

    def hang(self) -> None:
        """Leave the next request without an answer, until the app gives up."""
        self._replies.append((Hang(), 0.0, 0.0))

    def module(self) -> ModuleType:
        """Return the plugin that answers."""

        class Canned(Conversation[Settings]):
            """Answers what the test says."""

            async def stream(component, request: ConversationRequest) -> AsyncGenerator[Event, None]:  # noqa: N805
                async for event in self._answer(request):
                    yield event

        @hookimpl
        def register_components(register: RegisterComponents) -> None:
            register.conversation(_TYPE, Canned)

        module = ModuleType("canned")
        module.register_components = register_components  # type: ignore[attr-defined]
        return module

    async def _answer(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        self.asked.append(request)
        reply, delay, pace = self._replies.popleft() if self._replies else (obliging(request), 0.0, 0.0)
        await asyncio.sleep(delay)
        if isinstance(reply, Fail):
            raise ProviderError(reply.message, status=reply.status, retry_after=reply.retry_after)
        if not isinstance(reply, Say):
            await asyncio.Event().wait()
            return
        for event in replace(reply.result, model="canned").events():
            if isinstance(event, Delta) and isinstance(event.part, TextPart) and request.stream:
                for piece in cut(event.part.text):
                    yield Delta(TextPart(piece), event.index)
                    await asyncio.sleep(pace)
            else:
                yield event


def canned_host(folder: Path, **options: Any) -> Generator[CannedHost, None, None]:
    """Run a host in ``folder`` until the generator is closed; ``options`` are those of ``HostOptions``."""
    running = RunningHost(folder, options=options)
    canned = CannedHost(running)
    running.plugins = (canned.module(),)
    (folder / "llm.yaml").write_text(manifest_text(_TYPE, {}), encoding="utf-8")
    with running:
        yield canned


@pytest.fixture
def host(tmp_path: Path) -> Generator[CannedHost, None, None]:
    """A running host with canned replies; see ``CannedHost``."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    yield from canned_host(folder)
