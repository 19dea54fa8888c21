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
from jackfield.components import Conversation
from jackfield.errors import Problem
from jackfield.events import Event, Result
from jackfield.messages import ConversationRequest, Message, Role, TextPart
from jackfield.plugins.types import ComponentType
from jackfield.testing.building import Parts, built
from jackfield.testing.checking import CAPABILITIES, Check
from jackfield.testing.dialect import Dialect
from jackfield.testing.ports import only_this_machine
from jackfield.testing.script import Reply, Script
from jackfield.testing.upstream import FakeUpstream, hang

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
        upstream: the server; nobody asks it if the provider has no upstream.
        dialect_script: what the server answers; None if the provider has no upstream.
    """

    instance: ConversationInstance
    problems: tuple[Problem, ...]
    upstream: FakeUpstream
    dialect_script: Script | None

    @property
    def script(self) -> Script:
        """What the server answers."""
        assert self.dialect_script is not None, "the provider has no upstream"
        return self.dialect_script

    @property
    def asked(self) -> ConversationRequest:
        """What the upstream was asked last, in the host's terms."""
        assert not self.script.refused, f"the API would refuse this: {'; '.join(self.script.refused)}"
        assert self.script.asked, "the provider did not ask its upstream"
        return self.script.asked[-1]

    async def converse(self, *messages: Message, **members: Any) -> Result:
        """Ask in one piece, through the whole chain; the manifest's generation settings apply without others."""
        members.setdefault("settings", self.instance.overrides.defaults)
        return await self.instance.answer(asking(*messages, **members))

    async def stream(self, *messages: Message, **members: Any) -> list[Event]:
        """Ask for a stream, and return all of its events."""
        members.setdefault("settings", self.instance.overrides.defaults)
        request = asking(*messages, stream=True, **members)
        async with aclosing(self.instance.handler(request)) as events:
            return [event async for event in events]

    async def collected(self, *messages: Message, **members: Any) -> Result:
        """Ask for a stream, and gather it."""
        members.setdefault("settings", self.instance.overrides.defaults)
        return await collect(self.instance.handler(asking(*messages, stream=True, **members)))


class Checks:
    """The attributes that a subclass sets, and how the provider under test is opened."""

    type_name: ClassVar[str] = ""
    """The component type under test."""

    dialect: ClassVar[type[Dialect] | None] = None
    """The API that the fake upstream speaks; None for a provider that calls none."""

    metadata: ClassVar[Mapping[str, Any]] = {}
    """The items of ``spec.metadata`` of a manifest that works; the fake upstream's address is added as ``endpoint``."""

    live: ClassVar[Mapping[str, str]] = {}
    """Items of ``spec.metadata`` with the environment variables that hold their real values, for ``--live``."""

    plugin: ClassVar[ModuleType | None] = None
    """The plugin's module; None finds the type among the installed plugins."""

    environment: ClassVar[Mapping[str, str]] = {}
    """What the component sees of the process's environment."""

    @property
    def lacks(self) -> Mapping[str, str]:
        """What the provider's class says that it can't do, each with the reason.

        Raises:
            TypeError: it names a capability that there isn't.
        """
        provider = self.kind.cls
        assert issubclass(provider, Conversation)
        for name in provider.lacks:
            if name not in CAPABILITIES:
                near = get_close_matches(name, CAPABILITIES, 1)
                fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(CAPABILITIES)}"
                raise TypeError(f"{provider.__name__}.lacks: there is no capability {name!r}; {fix}")
        return provider.lacks

    def endpoint(self, address: str) -> dict[str, Any]:
        """Return the metadata that sends the provider to the fake upstream; override it where that is not ``endpoint``.

        Args:
            address: the server's address, such as ``http://127.0.0.1:40123``.
        """
        return {"endpoint": address + (self.dialect.path if self.dialect else "")}

    def why_absent(self, check: Check) -> str:
        """Say why a check can't be made; empty if it can."""
        reason = self.lacks.get(check.capability, "") if check.capability else ""
        if not reason and check.upstream and self.dialect is None:
            return "the provider has no upstream that could be scripted"
        return reason

    @property
    def parts(self) -> Parts:
        """What the component is built from."""
        if not self.type_name:
            raise TypeError(f"{type(self).__name__} must set type_name, such as 'conversation.example'")
        return Parts(self.type_name, self.plugin, self.environment)

    @property
    def kind(self) -> ComponentType:
        """The component type as its plugin registered it."""
        return self.parts.kind

    def script(self, *replies: Reply) -> Script | None:
        """Make what a fake upstream answers: some replies, and after them what is ``obliging``."""
        return None if self.dialect is None else Script(self.dialect(), replies=deque(replies))

    def items(self, address: str, *, without: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
        """Return the items of a manifest.

        Args:
            address: the fake upstream's address.
            without: items of the metadata to leave out.
            changes: items to add or to replace.
        """
        items = {name: value for name, value in self.metadata.items() if name not in without}
        return {**items, **(self.endpoint(address) if self.dialect is not None else {}), **changes}

    @asynccontextmanager
    async def opened(
        self, *replies: Reply, without: tuple[str, ...] = (), **changes: Any
    ) -> AsyncGenerator[Opened, None]:
        """Open the provider beside an upstream; nothing that it does may leave this machine.

        Args:
            replies: what the upstream answers; see ``script``.
            without: items of the metadata to leave out.
            changes: items to add or to replace.
        """
        script = self.script(*replies)
        with only_this_machine() as refused:
            async with FakeUpstream(script or hang) as upstream:
                items = self.items(upstream.address, without=without, **changes)
                async with built(self.parts, items) as (instance, problems):
                    yield Opened(instance, problems, upstream, script)
        assert not refused, f"the provider asked for {', '.join(refused)} instead of its endpoint"
