"""A provider whose stream a test writes, and a client that reads a streamed reply event by event."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

from running import RunningHost

from jackfield import Conversation, ConversationRequest, Event, RegisterComponents, Settings, hookimpl

__all__ = ["Signal", "Sse", "Streaming", "sse_events", "streamed", "streaming_plugin"]

Streaming: TypeAlias = Callable[[ConversationRequest], AsyncGenerator[Event, None]]
PATIENCE = 20.0


def streaming_plugin(**streams: Streaming) -> ModuleType:
    """Make a plugin with a component type ``conversation.NAME`` for each stream."""

    def kind(stream: Streaming) -> type[Conversation[Settings]]:
        class Scripted(Conversation[Settings]):
            async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
                async with aclosing(stream(request)) as events:
                    async for event in events:
                        yield event

        return Scripted

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        for name, stream in streams.items():
            register.conversation(f"conversation.{name}", kind(stream))

    module = ModuleType("scripted")
    vars(module)["register_components"] = register_components
    return module


class Signal:
    """What a test sets in its thread, and a provider waits for in the host's."""

    def __init__(self) -> None:
        self.awaited = threading.Event()

    async def wait(self) -> None:
        """Wait until it is set; tells the test that it is waited for."""
        self._loop, self._set = asyncio.get_running_loop(), asyncio.Event()
        self.awaited.set()
        await self._set.wait()

    def set(self) -> None:
        """Set it, once somebody waits."""
        assert self.awaited.wait(PATIENCE)
        self._loop.call_soon_threadsafe(self._set.set)


@dataclass
class Sse:
    """One event of a stream; ``name`` is empty for a plain message, and ``comment`` holds a comment's text."""

    name: str = ""
    data: Any = None
    comment: str = ""


def sse_events(response: http.client.HTTPResponse) -> Iterator[Sse]:
    """Give the events of a streamed reply as they arrive, comments too, to its end."""
    event = Sse()
    for line in iter(response.readline, b""):
        text = line.decode().removesuffix("\n")
        field, _, value = text.partition(": ")
        if not text:
            yield event
            event = Sse()
        elif field == "event":
            event.name = value
        elif field == "data":
            event.data = json.loads(value)
        else:
            assert not field, f"no line of a stream: {text!r}"
            event.comment = value
    assert event == Sse(), "the stream ends within an event"


@contextmanager
def streamed(
    host: RunningHost, name: str, text: str = "hello", *, body: dict[str, Any] | None = None, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    """Ask for a streamed reply; gives it as soon as its headers are there."""
    said = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}], "stream": True, **(body or {})}
    connection = host.connection()
    try:
        sent = {header.replace("_", "-"): value for header, value in headers.items()}
        connection.request("POST", f"/v1.0-alpha2/conversation/{name}/converse", json.dumps(said), sent)
        yield connection.getresponse()
    finally:
        connection.close()
