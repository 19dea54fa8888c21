"""What parent and workers tell each other of documents, components and workers, within their frames."""

from __future__ import annotations

import os

import msgspec

__all__ = ["ComponentReport", "Difference", "GoodDocument", "WorkerView"]


class GoodDocument(msgspec.Struct, frozen=True, array_like=True):
    """The text that a serving component was built from, or of a Resiliency manifest that applies.

    Attributes:
        name: the component's name, or the manifest's.
        file: the path of its file, as the file system has it.
        line: the line of the file on which the text begins.
        text: the document.
    """

    name: str
    file: bytes
    line: int
    text: str

    def __repr__(self) -> str:
        return f"GoodDocument({self.name!r}, {os.fsdecode(self.file)!r}, {self.line})"


class ComponentReport(msgspec.Struct, frozen=True, array_like=True):
    """How one component stands in one worker.

    Attributes:
        name: its name.
        type_name: its component type.
        source: ``file:line`` of its newest readable manifest.
        state: a ``State`` of the catalog.
        digest: of the manifest that serves; empty if nothing does.
        problems: why the state is what it is.
    """

    name: str
    type_name: str
    source: str
    state: str
    digest: str
    problems: tuple[str, ...] = ()


class WorkerView(msgspec.Struct, frozen=True, array_like=True):
    """One worker as the parent sees it.

    Attributes:
        worker: its number.
        pid: its process's id; 0 while there is none.
        state: ``starting``, ``serving`` or ``restarting``.
        generation: its catalog's, or its predecessor's until it has said.
        seen: the number of its last report.
        missing: what keeps it from being ready; empty once it or a predecessor was.
    """

    worker: int
    pid: int
    state: str
    generation: int
    seen: int
    missing: str


class Difference(msgspec.Struct, frozen=True, array_like=True):
    """A component that doesn't stand the same in all workers.

    Attributes:
        worst: how it stands where it stands worst; its state is ``reloading`` if it is only a version behind.
        states: by worker number.
        serves: true if some version of it serves in every worker.
    """

    worst: ComponentReport
    states: dict[int, str]
    serves: bool
