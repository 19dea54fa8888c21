"""What a worker has to tell the parent after its catalog changed: the difference to what it told before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from jackfield.catalog.catalog import Catalog, Entry
from jackfield.manifests.documents import Document
from jackfield.manifests.folder import FileState, Scan
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.serving.frames import Report, plain
from jackfield.serving.reports import ComponentReport, GoodDocument

__all__ = ["Reporter", "scan_of"]


class Reporter:
    """Remembers what has been told."""

    def __init__(self) -> None:
        self._number = 0
        self._entries: Mapping[str, Entry] = {}
        self._told: dict[str, ComponentReport] = {}
        self._documents: dict[str, GoodDocument] = {}
        self._resiliencies: tuple[GoodDocument, ...] | None = None
        self._last: tuple[int, str] | None = None

    def report(
        self, catalog: Catalog, missing: str, resiliencies: tuple[ResiliencyManifest, ...] = ()
    ) -> Report | None:
        """Make the next report; None if there is nothing new.

        Args:
            catalog: what serves now.
            missing: what keeps this worker from being ready.
            resiliencies: the Resiliency manifests that apply.
        """
        changed: list[ComponentReport] = []
        documents: list[GoodDocument] = []
        for name, entry in catalog.entries.items():
            if self._entries.get(name) is entry:
                continue
            component, document = _component(entry), _document(entry)
            if self._told.get(name) != component:
                changed.append(component)
                self._told[name] = component
            if document is not None and self._documents.get(name) != document:
                documents.append(document)
                self._documents[name] = document
        removed = tuple(self._told.keys() - catalog.entries.keys())
        for name in removed:
            del self._told[name]
            self._documents.pop(name, None)
        self._entries = catalog.entries
        applied = tuple(_good(manifest.name, manifest.file, manifest.document) for manifest in resiliencies)
        news = None if applied == self._resiliencies else applied
        if not documents and news is None and (catalog.generation, missing) == self._last:
            return None
        self._resiliencies = applied
        self._last = (catalog.generation, missing)
        self._number += 1
        return Report(self._number, catalog.generation, missing, tuple(changed), removed, tuple(documents), news)


def _component(entry: Entry) -> ComponentReport:
    return ComponentReport(
        entry.name,
        entry.manifest.type_name,
        plain(entry.manifest.place),
        entry.state.value,
        entry.instance.manifest.digest if entry.instance is not None else "",
        tuple(plain(str(problem)) for problem in entry.problems),
    )


def _document(entry: Entry) -> GoodDocument | None:
    """The text that serves, at the place where it was seen last: trouble in that file then concerns it."""
    if entry.instance is None:
        return None
    built, newest = entry.instance.manifest, entry.manifest
    return _good(entry.name, newest.file, (newest if newest.digest == built.digest else built).document)


def _good(name: str, file: str, document: Document) -> GoodDocument:
    return GoodDocument(name, os.fsencode(file), document.line, document.text)


def scan_of(documents: tuple[GoodDocument, ...]) -> Scan:
    """Make the scan that a folder with these documents would give."""
    states: dict[str, FileState] = {}
    for good in documents:
        file = os.fsdecode(good.file)
        state = states.get(file, FileState(file))
        parsed = parse_document(Document(good.text, good.line), file=file)
        if parsed.manifest is not None:
            states[file] = replace(state, documents=(*state.documents, parsed.manifest))
        elif parsed.resiliency is not None:
            states[file] = replace(state, resiliencies=(*state.resiliencies, parsed.resiliency))
    return Scan(states, {})
