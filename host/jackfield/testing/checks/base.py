"""What every check of the kit uses: the provider under test, opened beside a fake upstream."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any, ClassVar

from jackfield.catalog.instance import ConversationInstance
from jackfield.chain.forms import collect
from jackfield.errors import Problem
from jackfield.events import Event, Result
from jackfield.messages import ConversationRequest, Message, Role, TextPart
from jackfield.testing.building import Parts, built
from jackfield.testing.checking import CAPABILITIES, Check
from jackfield.testing.dialect import Dialect
from jackfield.testing.script import Reply, Script
from jackfield.testing.upstream import FakeUpstream

__all__ = ["Checks", "Opened", "asking", "said"]


def said(*texts: str, role: Role = "user", **members: Any) -> Message:
    """Make a message of text parts."""
    return Message(role=role, parts=tuple(TextPart(text) for text in texts), **members)


def asking(*messages: Message, **members: Any) -> ConversationRequest:
    """Make a request; of one user message if none is given."""
    return ConversationRequest(component="llm", messages=messages or (said("hello"),), **members)


@dataclass
class Opened:
    """A component that serves, and the upstream it calls.

    Attributes:
        instance: the component with its chain.
        problems: the warnings of its manifest.
        upstream: the server; its port is 0 if the provider has no upstream.
        script: what the server answers.
    """

    instance: ConversationInstance
    problems: tuple[Problem, ...]
    upstream: FakeUpstream
    script: Script

    @property
    def asked(self) -> ConversationRequest:
        """What the upstream was asked last, in the host's terms."""
        assert not self.script.refused, f"the API would refuse this: {'; '.join(self.script.refused)}"
        assert self.script.asked, "the provider did not ask its upstream"
        return self.script.asked[-1]

    async def converse(self, *messages: Message, **members: Any) -> Result:
        """Ask in one piece, through the whole chain."""
        return await self.instance.answer(asking(*messages, **members))

    async def stream(self, *messages: Message, **members: Any) -> list[Event]:
        """Ask for a stream, and return all of its events."""
        request = asking(*messages, stream=True, **members)
        async with aclosing(self.instance.handler(request)) as events:
            return [event async for event in events]

    async def collected(self, *messages: Message, **members: Any) -> Result:
        """Ask for a stream, and gather it."""
        return await collect(self.instance.handler(asking(*messages, stream=True, **members)))


class Checks:
    """The attributes that a subclass sets, and how the provider under test is opened."""

    type_name: ClassVar[str] = ""
    """The component type under test."""

    dialect: ClassVar[type[Dialect] | None] = None
    """The API that the fake upstream speaks; None for a provider that calls none."""

    metadata: ClassVar[Mapping[str, Any]] = {}
    """The items of ``spec.metadata`` of a manifest that works; the fake upstream's address is added as ``endpoint``."""

    absent: ClassVar[Mapping[str, str]] = {}
    """What the provider can't do, by capability (see ``CAPABILITIES``), each with the reason."""

    live: ClassVar[Mapping[str, str]] = {}
    """Items of ``spec.metadata`` with the environment variables that hold their real values, for ``--live``."""

    plugin: ClassVar[ModuleType | None] = None
    """The plugin's module; None finds the type among the installed plugins."""

    environment: ClassVar[Mapping[str, str]] = {}
    """What the component sees of the process's environment."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name in cls.absent:
            if name not in CAPABILITIES:
                near = get_close_matches(name, CAPABILITIES, 1) or list(CAPABILITIES)
                raise TypeError(f"{cls.__name__}.absent: there is no capability {name!r}; did you mean {near[0]}?")

    def why_absent(self, check: Check) -> str:
        """Say why a check can't be made; empty if it can."""
        if check.upstream and self.dialect is None:
            return self.absent.get(check.capability, "the provider has no upstream that could be scripted")
        return self.absent.get(check.capability, "")

    def endpoint(self, address: str) -> dict[str, Any]:
        """Return the metadata that sends the provider to the fake upstream; override it where that is not ``endpoint``.

        Args:
            address: the server's address, such as ``http://127.0.0.1:40123``.
        """
        return {"endpoint": address + (self.dialect.path if self.dialect else "")}

    @property
    def parts(self) -> Parts:
        """What the component is built from."""
        if not self.type_name:
            raise TypeError(f"{type(self).__name__} must set type_name, such as 'conversation.example'")
        return Parts(self.type_name, self.plugin, self.environment)

    @asynccontextmanager
    async def opened(self, *replies: Reply, without: str = "", **metadata: Any) -> AsyncGenerator[Opened, None]:
        """Open the provider beside an upstream.

        Args:
            replies: what the upstream answers, in this order; after them it is ``obliging``.
            without: an item of the metadata to leave out.
            metadata: items to add or to replace.
        """
        script = Script((self.dialect or _NoDialect)(), replies=deque(replies))
        async with FakeUpstream(script) as upstream:
            items = dict(self.metadata)
            if self.dialect is not None:
                items |= self.endpoint(upstream.address)
            items |= metadata
            items.pop(without, None)
            async with built(self.parts, items) as (instance, problems):
                yield Opened(instance, problems, upstream, script)


class _NoDialect(Dialect):
    """Stands where a provider has no upstream; nobody asks it."""

    def read(self, exchange: Any) -> ConversationRequest:
        raise NotImplementedError

    whole = pieces = failure = read  # type: ignore[assignment]
