"""A built component and its leases."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jackfield.chain.handler import Handler
from jackfield.chain.unary import Answer, unary
from jackfield.components import Component
from jackfield.faults import is_fault
from jackfield.logs import frames
from jackfield.manifests.component import ComponentManifest
from jackfield.overrides import OverridePolicy

__all__ = ["ConversationInstance", "Instance", "close_quietly"]

_log = logging.getLogger("jackfield.catalog")
_CLOSE_LIMIT = 10.0


@dataclass(eq=False, kw_only=True)
class Instance:
    """A component as it was built from one version of its manifest.

    An instance is retired when the catalog no longer names it, and closed when its last lease ends: a reload never
    cuts a running reply. A reference from another component is a lease too.

    Attributes:
        manifest: the manifest it was built from.
        component: the plugin's object.
        fingerprint: what was read from secret stores for it, as a digest; another one calls for a new build.
        references: the instances it was built upon.
    """

    manifest: ComponentManifest
    component: Component[Any]
    fingerprint: bytes
    references: tuple[Instance, ...] = ()
    leases: int = 0
    retired: bool = False
    closing: asyncio.Task[None] | None = field(default=None, repr=False)
    _closed: Callable[[Instance], None] | None = field(default=None, init=False, repr=False)

    def acquire(self) -> None:
        """Take a lease: the instance stays open until it is released."""
        self.leases += 1

    def release(self) -> None:
        """Give a lease back."""
        self.leases -= 1
        if self.retired and not self.leases:
            self._start_closing()

    def retire(self, closed: Callable[[Instance], None] | None = None) -> None:
        """Have the instance closed as soon as nothing uses it.

        Args:
            closed: called with the instance when it has closed; it may be forgotten then.
        """
        if not self.retired:
            self.retired = True
            self._closed = closed
            if not self.leases:
                self._start_closing()

    async def closed(self) -> None:
        """Wait until a retired instance has closed."""
        if self.closing is not None:
            await self.closing

    def _start_closing(self) -> None:
        if self.closing is None:
            self.closing = asyncio.get_running_loop().create_task(self._close())
            if self._closed is not None:
                closed = self._closed
                self.closing.add_done_callback(lambda _: closed(self))

    async def _close(self) -> None:
        try:
            await close_quietly(self.component)
        finally:
            for reference in self.references:
                reference.release()


@dataclass(eq=False, kw_only=True)
class ConversationInstance(Instance):
    """A built conversation component.

    Attributes:
        handler: its folded chain.
        entry: its chain as a router enters it, from scrub-in on and without the wrap stages.
        overrides: which settings a request may override.
        stages: what stands in its chain, the outermost first, for people to read.
        answer: the unary form of the chain.
    """

    handler: Handler
    entry: Handler
    stages: tuple[str, ...] = ()
    overrides: OverridePolicy
    answer: Answer = field(init=False)

    def __post_init__(self) -> None:
        self.answer = unary(self.handler)


async def close_quietly(component: Component[Any]) -> None:
    """Close a component; what goes wrong is logged, because nobody can act on it any more."""
    try:
        async with asyncio.timeout(_CLOSE_LIMIT):
            await component.close()
    except BaseException as error:
        if not is_fault(error):
            raise
        _log.warning(
            "a component did not close cleanly",
            extra={
                "component": component.name,
                "plugin": component.plugin,
                "error": type(error).__name__,
                "at": frames(error),
            },
        )
