"""What a plugin implements to find personal data in a text: a ``Scrubber``.

The policy (what is scrubbed, when, on which thread, and what happens when it fails) is the scrub stages'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from jackfield.components import Component
from jackfield.settings import Settings

__all__ = ["ScrubStream", "Scrubber", "Span"]

SettingsT = TypeVar("SettingsT", bound=Settings)


class Span(Struct, frozen=True, gc=False):
    """A piece of a text that must not be seen.

    Attributes:
        start: where it begins, in characters from 0.
        end: where it ends; the character there is not part of it.
        entity: what it is, such as ``EMAIL_ADDRESS``.
        replacement: what stands there instead; None for the label ``<ENTITY>``.
    """

    start: int
    end: int
    entity: str
    replacement: str | None = None

    @property
    def label(self) -> str:
        """The text to put in its place."""
        return f"<{self.entity}>" if self.replacement is None else self.replacement


class ScrubStream(Protocol):
    """Scrubs a text while it is being written: all that ``feed`` and ``end`` give is the scrubbed whole."""

    def feed(self, text: str) -> tuple[str, Sequence[Span]]:
        """Take the next piece; give what is settled by now, scrubbed, and the spans that were replaced in it."""

    def end(self) -> tuple[str, Sequence[Span]]:
        """Give the rest."""


class Scrubber(Component[SettingsT]):
    """A component that finds personal data (``scrubber.*``). One method is enough; it is called from several threads.

    ``start`` is where heavy libraries are imported. A scrubber that no manifest names is made without that, and started
    when it is first needed.
    """

    inline_limit: int = 16384
    """Characters up to which the methods may run on the event loop; longer texts go to a thread. 0 for always."""

    @property
    def digest(self) -> str:
        """What decides over its findings, in a short text: it is part of the cache's keys."""
        return f"{type(self).__module__}.{type(self).__qualname__}:{self.settings.model_dump_json()}"

    def find(self, text: str) -> Sequence[Span]:
        """Return what must be replaced; spans may touch and overlap, and come in any order."""
        raise NotImplementedError

    def stream(self) -> ScrubStream | None:
        """Begin to scrub a text whose end isn't known; None if that can't be done, and the text is held to its end."""
        return None
