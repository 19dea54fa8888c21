"""Searches regions of a text with Presidio, many at once."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from jackfield_presidio.custom import custom_finder
from jackfield_presidio.folding import BETWEEN
from jackfield_presidio.people import People
from jackfield_presidio.presidio import Analyzer, is_bitcoin
from jackfield_presidio.recognizers import default_finders, phones
from jackfield_presidio.recognizers.finder import Finder
from jackfield_presidio.scanner import Region
from jackfield_presidio.settings import ENTITIES, LANGUAGES, PresidioSettings
from jackfield_presidio.spans import Finding, settle
from jackfield_presidio.warming import SAMPLE

__all__ = ["Engine"]

_BATCH = 4096
_NUMBERS = frozenset({"US_SSN", "PHONE_NUMBER", "CREDIT_CARD", "ISBN", "ZIP_CODE", "STREET_ADDRESS"})
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")


class Engine:
    """All that is needed to search, made once: it imports Presidio and takes about a second.

    Attributes:
        people: what finds names, None if that isn't asked for.
        has_whole: whether some findings need the whole text.
    """

    def __init__(self, settings: PresidioSettings) -> None:
        regions = [region for language in settings.languages for region in LANGUAGES[language]]
        finders = default_finders(regions, is_bitcoin)
        self._allowed = frozenset(settings.allow)
        self._priority = (*(pattern.name for pattern in settings.patterns), *ENTITIES, "PERSON")
        self._local = Analyzer({entity: [finders[entity]] for entity in settings.entities}, settings.threshold)
        own: dict[str, list[Finder]] = {}
        for pattern in settings.patterns:
            own.setdefault(pattern.name, []).append(custom_finder(pattern))
        self.people = People(settings.ner_model) if settings.ner else None
        if self.people is not None:
            own.setdefault("PERSON", []).append(self.people.find)
        self.has_whole = bool(own)
        self._whole = Analyzer(own, settings.threshold)
        phones.load_plans()
        for text in SAMPLE:
            self._local.analyze(text)
        self._whole.analyze(" ".join(SAMPLE))

    def search(self, regions: Sequence[Region]) -> list[list[Finding]]:
        """Return what is found in each region, settled, with places that count from the region's start."""
        found: list[list[Finding]] = []
        batch: list[Region] = []
        size = 0
        for region in regions:
            if size > _BATCH:
                found += self._search(batch)
                batch, size = [], 0
            batch.append(region)
            size += len(region)
        return found + self._search(batch)

    def search_whole(self, text: str) -> list[Finding]:
        """Return what the operator's own patterns and the language model find."""
        findings = self._whole.analyze(text) if self.has_whole else []
        return [f for f in findings if text[f.start : f.end] not in self._allowed]

    def settle(self, findings: Sequence[Finding]) -> list[Finding]:
        """Return findings that don't overlap and cover the same."""
        return settle(findings, self._priority)

    def _search(self, regions: list[Region]) -> list[list[Finding]]:
        starts: list[int] = []
        pieces: list[str] = []
        place = 0
        for region in regions:
            starts.append(place + len(region.before))
            pieces.append(region.before + region)
            place += len(pieces[-1]) + len(BETWEEN)
        text = BETWEEN.join(pieces)
        uuids = [match.span() for match in _UUID.finditer(text)]
        found: list[list[Finding]] = [[] for _ in regions]
        for finding in self._local.analyze(text):
            number = max(0, bisect_right(starts, finding.end - 1) - 1)
            region = regions[number]
            start, end = max(0, finding.start - starts[number]), finding.end - starts[number]
            if end <= 0 or region[start:end] in self._allowed:
                continue
            if finding.entity in _NUMBERS and (
                start < region.link or any(a <= finding.start and finding.end <= b for a, b in uuids)
            ):
                continue
            found[number].append(finding._replace(start=start, end=end))
        return [self.settle(findings) for findings in found]
