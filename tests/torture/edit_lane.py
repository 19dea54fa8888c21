"""One lane of edits: a few components in a few files of the folder, edited one after another as the seed says."""

# ruff: noqa: ASYNC240  (files in memory: a thread would take longer)
from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from edit_field import Field, Probe
from edit_ledger import GONE
from edit_manifests import BAD, LAYOUTS, Bad, manifest
from edit_writing import WAYS
from figures import BrokenPromiseError

__all__ = ["Document", "Lane", "entry_of"]


_INSTANT = 0.03
"""Seconds that something may be nowhere on its way, with a margin: the host promises 50 ms."""


@dataclass(frozen=True)
class Document:
    """A component as its file has it."""

    name: str
    version: str
    kind: str = "versioned"
    of_type: str = "v1"

    @property
    def text(self) -> str:
        """Its manifest."""
        return manifest(self.name, self.version, kind=self.kind, of_type=self.of_type)


def entry_of(own: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Find a component in the metadata document's own member."""
    return next((entry for entry in own["components"] if entry["name"] == name), {"state": "absent", "problems": []})


class Lane:
    """Edits files of its own.

    Args:
        field: where the edits take place.
        folder: where the files are.
        name: the lane's name; its files and components begin with it.
        seed: what its edits are drawn from.
    """

    def __init__(self, field: Field, folder: Path, name: str, seed: int) -> None:
        self.field, self.folder, self.name = field, folder, name
        self.draw = Random(f"{seed} {name}")
        self.number = 0
        self.probes: list[Probe] = []
        self.delays = field.delays
        self._versions = 0
        self.pauses = 0
        first, second = self.folder / f"{name}-1.yaml", self.folder / f"{name}-2.yaml"
        self.fence = self.folder / f"{name}-fence.yaml"
        self.files: dict[Path, list[Document]] = {
            first: [self.document("a"), self.document("b")],
            second: [self.document("c")],
            self.fence: [self.document("fence")],
        }

    def document(self, component: str) -> Document:
        """Make a component's first document."""
        return Document(f"{self.name}-{component}", self.version())

    def version(self) -> str:
        """Make a version that never was before."""
        self._versions += 1
        return f"{self.name}.{self._versions}"

    def prepare(self) -> None:
        """Write the files before the host starts."""
        for path, documents in self.files.items():
            path.write_bytes(self.render(path))
            for document in documents:
                self.field.ledger.known(document.name, document.version)

    @property
    def paths(self) -> list[Path]:
        """The files with components but for the fence."""
        return [path for path, documents in self.files.items() if documents and path != self.fence]

    def render(self, path: Path, layout: str = "") -> bytes:
        """Write a file's documents as text."""
        text = "---\n".join(document.text for document in self.files[path])
        return LAYOUTS[layout](text, self.draw) if layout else text.encode()

    async def put(self, path: Path, data: bytes, way: str = "") -> None:
        """Put a file in its place in one of the ways."""
        gap = await WAYS[way or "written in place"](path, data, self.draw)
        self.paused(gap or 0.0, [one.name for one in self.files.get(path, ())])

    def paused(self, seconds: float, names: Iterable[str]) -> None:
        """Note for how long an edit had something nowhere: after too long a pause it may have been gone."""
        if seconds > _INSTANT:
            self.pauses += 1
            for name in names:
                self.field.ledger.may_have_gone(name)

    def begun(self, what: str, where: str, changes: Mapping[str, str]) -> tuple[str, dict[str, int]]:
        """Number an edit, and note what it changes; the one before is live in every worker."""
        self.field.ledger.settled(changes)
        self.number += 1
        self.field.edits[what] += 1
        edit = f"edit {self.number} of lane {self.name} ({what}; {where})"
        return edit, self.field.ledger.begin(edit, changes)

    async def apply(
        self, what: str, where: str, changes: Mapping[str, str], write: Callable[[], Awaitable[None]]
    ) -> None:
        """Make a valid edit, and wait until every worker follows."""
        edit, places = self.begun(what, where, changes)
        await write()
        await self.field.live(edit, places, self.probes, self.delays, since=perf_counter())

    async def unchanged(self, what: str, where: str, write: Callable[[], Awaitable[None]]) -> None:
        """Make an edit that means nothing: what follows it goes live, and nothing else was built."""
        names = [document.name for path in self.paths for document in self.files[path]]
        edit, _ = self.begun(what, where, {name: self.field.ledger.version(name) for name in names})
        before, pauses = await self._numbers(names), self.pauses
        await write()
        await self.change(self.fence, what="a fence")
        after = await self._numbers(names)
        if before != after and pauses == self.pauses:
            built = [name for name in names if before[name] != after[name]]
            raise BrokenPromiseError(f"{edit}: {', '.join(built)} was built again for it")

    async def _numbers(self, names: list[str]) -> dict[str, dict[int, int]]:
        for name in names:
            for probe in self.probes:
                await self.field.check(probe, name)
        return {name: self.field.ledger.numbers(name) for name in names}

    async def change(
        self, path: Path, *, what: str = "", layout: str = "", way: str = "", all_of_it: bool = True
    ) -> None:
        """Give components of a file new versions."""
        documents = self.files[path]
        chosen = documents if all_of_it else self.draw.sample(documents, self.draw.randint(1, len(documents)))
        changed = {document.name: self.version() for document in chosen}
        self.files[path] = [replace(one, version=changed.get(one.name, one.version)) for one in documents]
        data = self.render(path, layout)
        await self.apply(what or way or "written in place", path.name, changed, lambda: self.put(path, data, way))

    async def bad(self, path: Path, bad: Bad, way: str = "") -> None:
        """Make a bad edit: it is named, and what served goes on. The file is not mended."""
        documents = self.files[path]
        victim = self.draw.choice(documents)
        text = bad.write(victim.name, self.version())
        data = text
        if not bad.whole:
            data = b"\n---\n".join(text if one is victim else one.text.encode() for one in documents)
        held = documents if bad.whole else [victim]
        edit, _ = self.begun(f"bad: {bad.what}", path.name, {one.name: one.version for one in held})
        await self.put(path, data, way)
        await self.refused(edit, [one.name for one in held], path.name, bad.reason)

    async def refused(self, edit: str, names: list[str], file: str, reason: str) -> None:
        """Wait until the metadata document names components as stale, with file and reason; they still serve."""

        def missing(own: Mapping[str, Any]) -> str:
            for name in names:
                entry = entry_of(own, name)
                said = "; ".join(entry["problems"])
                if not (entry["state"] == "stale" and file in said and reason in said):
                    return f"{name} should be stale for {reason!r} in {file}: {entry}"
            return ""

        for probe in self.probes:
            await self.field.named(edit, probe, missing)
        for name in names:
            for probe in self.probes:
                await self.field.check(probe, name)
        self.field.refused += 1

    async def remove(self, path: Path) -> list[Document]:
        """Delete a file: its components answer the documented error."""
        documents, self.files[path] = self.files[path], []

        async def write() -> None:
            path.unlink()

        await self.apply("a file deleted", path.name, dict.fromkeys((one.name for one in documents), GONE), write)
        return documents

    async def step(self) -> None:
        """Make the next edit.

        Raises:
            NotImplementedError: the lane is of no kind.
        """
        raise NotImplementedError

    def touched(self, path: Path) -> None:
        """Give a file another time of change."""
        os.utime(path)

    def drawn_bad(self) -> Bad:
        """Draw a way to be bad."""
        return self.draw.choice(BAD)
