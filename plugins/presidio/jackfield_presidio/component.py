"""The component type ``scrubber.presidio``."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jackfield import Build, Scrubber, ScrubStream, Span
from jackfield_presidio.operators import Replacements
from jackfield_presidio.settings import PresidioSettings

if TYPE_CHECKING:
    from jackfield_presidio.engine import Engine
    from jackfield_presidio.spans import Finding

__all__ = ["FINDINGS", "PresidioScrubber"]

FINDINGS = "1"
"""The version of what is found: it rises whenever a text may be scrubbed otherwise than before."""
_PIECE = 16384


class PresidioScrubber(Scrubber[PresidioSettings]):
    """Finds personal data and secrets with Microsoft Presidio, by form and check digits, without a language model."""

    Settings = PresidioSettings

    def __init__(self, build: Build[PresidioSettings]) -> None:
        super().__init__(build)
        self._replacements = Replacements(build.settings)
        self._engine: Engine | None = None
        self._whole = bool(build.settings.patterns) or build.settings.ner
        if self._whole:
            self.inline_limit = 0

    @property
    def digest(self) -> str:
        """What decides over its findings: the settings, the key of the hashes and the version of the findings."""
        key = self.settings.hash_key.get_secret_value()
        told = f"{FINDINGS}\n{key}\n{self.settings.model_dump_json(exclude={'hash_key'})}"
        return f"presidio:{hashlib.sha256(told.encode()).hexdigest()[:32]}"

    async def start(self) -> None:
        """Import Presidio and make its engine, in a thread.

        Raises:
            ImportError: the language model that the settings name isn't installed.
        """
        if self._engine is None:
            self._engine = await asyncio.to_thread(_engine, self.settings)

    async def close(self) -> None:
        """End the language model's thread, if there is one."""
        if self._engine is not None and self._engine.people is not None:
            self._engine.people.close()

    def find(self, text: str) -> Sequence[Span]:
        """Return what must be replaced, from left to right and without overlaps.

        Raises:
            RuntimeError: the scrubber hasn't been started.
            TimeoutError: a custom pattern took longer than its limit.
        """
        from jackfield_presidio.scanner import Scanner

        engine = self._ready()
        scanner = Scanner(engine.search)
        findings: list[Finding] = []
        for start in range(0, len(text) or 1, _PIECE):
            for finding in scanner.feed(text[start : start + _PIECE], final=start + _PIECE >= len(text)):
                if finding.entity:
                    findings.append(finding)
                else:
                    findings[-1] = findings[-1]._replace(end=finding.end)
        if engine.has_whole:
            findings = engine.settle([*findings, *engine.search_whole(text)])
        return [self._span(finding, text[finding.start : finding.end]) for finding in findings]

    def stream(self) -> ScrubStream | None:
        """Begin to scrub a text whose end isn't known; None with custom patterns or names, which need the whole."""
        from jackfield_presidio.stream import PresidioStream

        return None if self._whole else PresidioStream(self._ready().search, self._span)

    def _ready(self) -> Engine:
        if self._engine is None:
            raise RuntimeError(f"the scrubber {self.name} was used before it was started; await its start() first")
        return self._engine

    def _span(self, finding: Finding, text: str) -> Span:
        from jackfield_presidio.scanner import WINDOW

        replacement = self._replacements.replacement(finding.entity, text[:WINDOW])
        return Span(finding.start, finding.end, finding.entity, replacement)


def _engine(settings: PresidioSettings) -> Engine:
    from jackfield_presidio.engine import Engine

    return Engine(settings)
