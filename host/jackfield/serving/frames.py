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
from jackfield.serving.reports import ComponentReport, Difference, GoodDocument, WorkerView

__all__ = [
    "Alive",
    "Applied",
    "Extended",
    "Failed",
    "FromParent",
    "FromWorker",
    "Hello",
    "Loaded",
    "MetadataSet",
    "Report",
    "Rescan",
    "RunServices",
    "ServicesEnded",
    "ServicesReport",
    "SetMetadata",
    "Start",
    "Stop",
    "StopAll",
    "View",
    "decode_for_parent",
    "decode_for_worker",
    "encode",
    "plain",
]


class Frame(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """One message."""


class Hello(Frame, frozen=True):
    """From a worker, first: its event loop runs, so that it can be stopped and told things."""


class Alive(Frame, frozen=True):
    """From a worker, once a second: its event loop runs."""


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


class ServicesEnded(Frame, frozen=True):
    """From a worker that had the services which run once: they have ended, so that another may run them."""


class ServicesReport(Frame, frozen=True):
    """From a worker that has the services which run once: how they stand.

    Attributes:
        tried: each has started, or failed to, or takes long.
        missing: the needed ones that don't run; empty if all do.
    """

    tried: bool
    missing: str


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
        workers: how many workers there are.
        group: a name that all workers of this host share, and no other host has.
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
    workers: int = 1
    group: str = ""

    def __repr__(self) -> str:
        return f"Start(worker={self.worker}, generation={self.generation}, documents={len(self.documents)})"


class View(Frame, frozen=True):
    """From the parent: how all workers stand.

    Attributes:
        ready: every worker has been ready; once true it stays.
        workers: in the order of their numbers.
        differences: by component name; those that stand the same everywhere are left out.
        services: how the services that run once stand, wherever they run; once tried it stays.
    """

    ready: bool
    workers: tuple[WorkerView, ...]
    differences: dict[str, Difference]
    services: ServicesReport = ServicesReport(tried=False, missing="")


class Extended(Frame, frozen=True):
    """From the parent: the metadata document's ``extended`` values, all of them."""

    version: int
    values: dict[str, str]


class MetadataSet(Frame, frozen=True):
    """From the parent: every worker shows the value of this ``SetMetadata``."""

    request: int


class Rescan(Frame, frozen=True):
    """From the parent: look at the folders now."""


class RunServices(Frame, frozen=True):
    """From the parent: run the services that run in one worker alone."""


class Stop(Frame, frozen=True):
    """From the parent: stop gracefully."""


FromWorker = Hello | Alive | Loaded | Report | SetMetadata | Applied | ServicesReport | ServicesEnded | StopAll | Failed
FromParent = Start | View | Extended | MetadataSet | Rescan | RunServices | Stop


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
