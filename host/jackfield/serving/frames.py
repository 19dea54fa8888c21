"""What parent and workers tell each other.

Documents and the environment hold secrets: they travel over this channel alone, never on a command line, and no
``repr`` shows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jackfield.logs import LogSettings
from jackfield.options import HostOptions
from jackfield.serving.network import Network

__all__ = [
    "Applied",
    "ComponentReport",
    "Difference",
    "Extended",
    "Failed",
    "FromParent",
    "FromWorker",
    "GoodDocument",
    "Hello",
    "Loaded",
    "MetadataSet",
    "Report",
    "Rescan",
    "SetMetadata",
    "Start",
    "Stop",
    "StopAll",
    "View",
    "WorkerView",
    "decode_for_parent",
    "decode_for_worker",
    "encode",
    "plain",
]


class Frame(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One message."""


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


class Hello(Frame, frozen=True):
    """From a worker, first: its event loop runs, so that it can be stopped and told things."""


class Loaded(Frame, frozen=True):
    """From a worker: its plugins are loaded; ``faults`` has those that don't work, with the reasons."""

    faults: dict[str, str]


class Report(Frame, frozen=True):
    """From a worker: what has changed since its last report. The first one is complete.

    Attributes:
        number: counts a worker's reports from 1.
        generation: its catalog's.
        missing: what keeps it from being ready; empty if it is.
        changed: components that are new or stand otherwise than before.
        removed: names of those that are gone.
        documents: the texts that the serving components were built from, as far as they are new.
        resiliencies: all Resiliency manifests that apply, in their order; None if they are the same as before.
    """

    number: int
    generation: int
    missing: str
    changed: tuple[ComponentReport, ...] = ()
    removed: tuple[str, ...] = ()
    documents: tuple[GoodDocument, ...] = ()
    resiliencies: tuple[GoodDocument, ...] | None = None


class SetMetadata(Frame, frozen=True):
    """From a worker: have every worker know this value; ``request`` comes back in ``MetadataSet``."""

    request: int
    key: str
    value: str


class Applied(Frame, frozen=True):
    """From a worker: it shows the ``Extended`` of this version."""

    version: int


class StopAll(Frame, frozen=True):
    """From a worker: the whole host is to stop, at once if ``force``, and to end with ``code``."""

    force: bool
    code: int


class Failed(Frame, frozen=True):
    """From a worker, last: it can't start, for a reason that won't go away by itself."""

    cause: str


class Start(Frame, frozen=True):
    """From the parent, first: all that a worker needs to know.

    Attributes:
        worker: its number, from 1.
        options: the host's options, without the environment.
        environment: the environment as components may see it, as the operating system has it.
        network: how to serve.
        sockets: the inherited descriptors that listen.
        logs: how to log.
        generation: the generation to go on from; 0 for the first worker of this number.
        documents: what to serve where the folder doesn't say better.
        renews: build everything and report, and take connections only when the first ``View`` has come.
    """

    worker: int
    options: HostOptions
    environment: dict[bytes, bytes]
    network: Network
    sockets: tuple[int, ...]
    logs: LogSettings
    generation: int = 0
    documents: tuple[GoodDocument, ...] = ()
    renews: bool = False

    def __repr__(self) -> str:
        return f"Start(worker={self.worker}, generation={self.generation}, documents={len(self.documents)})"


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


class View(Frame, frozen=True):
    """From the parent: how all workers stand.

    Attributes:
        ready: every worker has been ready; once true it stays.
        workers: in the order of their numbers.
        differences: by component name; those that stand the same everywhere are left out.
    """

    ready: bool
    workers: tuple[WorkerView, ...]
    differences: dict[str, Difference]


class Extended(Frame, frozen=True):
    """From the parent: the metadata document's ``extended`` values, all of them."""

    version: int
    values: dict[str, str]


class MetadataSet(Frame, frozen=True):
    """From the parent: every worker shows the value of this ``SetMetadata``."""

    request: int


class Rescan(Frame, frozen=True):
    """From the parent: look at the folders now."""


class Stop(Frame, frozen=True):
    """From the parent: stop gracefully."""


FromWorker = Hello | Loaded | Report | SetMetadata | Applied | StopAll | Failed
FromParent = Start | View | Extended | MetadataSet | Rescan | Stop


def plain(text: str) -> str:
    """Make a text encodable: a file's name may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _encode_other(value: object) -> object:
    if isinstance(value, Path):
        return os.fsencode(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


def _decode_other(kind: type, value: Any) -> Path:
    if issubclass(kind, Path):
        return Path(os.fsdecode(value))
    raise NotImplementedError(kind.__name__)


_FROM_WORKER: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
_FROM_PARENT: msgspec.msgpack.Decoder[FromParent] = msgspec.msgpack.Decoder(FromParent, dec_hook=_decode_other)


def encode(frame: FromWorker | FromParent) -> bytes:
    """Encode a frame as MessagePack."""
    return msgspec.msgpack.encode(frame, enc_hook=_encode_other)


def decode_for_parent(data: bytes) -> FromWorker:
    """Decode what a worker sent.

    Raises:
        msgspec.MsgspecError: this is no such frame.
    """
    return _FROM_WORKER.decode(data)


def decode_for_worker(data: bytes) -> FromParent:
    """Decode what the parent sent.

    Raises:
        msgspec.MsgspecError: this is no such frame.
    """
    return _FROM_PARENT.decode(data)
