"""What makes a method of the kit a check: its title, the capability it is about, and how an absent one is told."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol

import pytest

__all__ = ["ABSENT", "CAPABILITIES", "Check", "check", "check_of"]

ABSENT: Final = "absent: "
"""How the reason of a skipped check begins."""

CAPABILITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cancellation": "the upstream's connection closes when the caller leaves",
        "finish_reasons": "replies say why they end",
        "max_tokens": "a reply's length can be limited",
        "model": "a manifest names the model",
        "opaque": "signed data of one turn returns in the next",
        "parallel_calls": "one reply calls several tools",
        "reasoning": "thinking comes apart from the answer",
        "streaming": "replies arrive as they are written",
        "structured_output": "a reply follows a JSON Schema",
        "system": "system and developer messages are instructions",
        "tool_choice": "a request says whether tools are called",
        "tool_choice_by_name": "a request names the tool to call",
        "tools": "a model calls tools and reads their results",
        "usage": "replies tell their tokens",
    }
)
"""What a provider may lack, by the name under which its class's ``lacks`` declares it."""


@dataclass(frozen=True)
class Check:
    """One row of the conformance table.

    Attributes:
        title: what holds, in a few words.
        capability: the capability it is about; empty for what every provider must do.
        upstream: it needs a fake upstream, so a provider without a dialect can't be checked for it.
        live: it runs against the real provider, and only there.
    """

    title: str
    capability: str = ""
    upstream: bool = True
    live: bool = False


class _Kit(Protocol):
    def why_absent(self, check: Check) -> str:
        """Say why a check can't be made; empty if it can."""


def check(
    title: str, capability: str = "", *, upstream: bool = True, live: bool = False
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Make an ``async def`` method of a kit a test that pytest runs, and a row of the table."""
    if capability and capability not in CAPABILITIES:
        raise ValueError(f"there is no capability {capability!r}; known are {', '.join(CAPABILITIES)}")
    described = Check(title, capability, upstream, live)

    def decorate(method: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        @functools.wraps(method)
        def run(self: _Kit, *args: Any, **kwargs: Any) -> None:
            if reason := self.why_absent(described):
                pytest.skip(ABSENT + reason)
            asyncio.run(_limited(method(self, *args, **kwargs)))

        run.conformance_check = described  # type: ignore[attr-defined]
        return run

    return decorate


def check_of(function: object) -> Check | None:
    """Return what makes a test function a check; None if it is none."""
    found = getattr(function, "conformance_check", None)
    return found if isinstance(found, Check) else None


async def _limited(running: Awaitable[None]) -> None:
    """Bound a check: a provider that hangs fails, whether or not the run has a time limit of its own."""
    async with asyncio.timeout(30):
        await running
