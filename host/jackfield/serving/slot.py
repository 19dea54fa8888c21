"""One worker as the parent keeps it: its process, its end of the channel, and what it still has to be told."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field

from jackfield.serving.channel import Channel
from jackfield.serving.frames import FromWorker

__all__ = ["Slot"]

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 10.0
_SETTLED = 10.0
"""Seconds that a process has to live for its end not to count as one of a row."""


@dataclass(eq=False)
class Slot:
    """A worker's place, which outlives its processes.

    Attributes:
        worker: its number, from 1.
        process: the process that runs, or ran last.
        channel: leads to it.
        exited: set when the process has ended.
        attached: its event loop runs, so that it hears.
        started: it has reported, so that it serves.
        applied: the version of the ``extended`` values that it shows.
        failed: why it can't start, if it said so.
        faults: the plugins that don't work in it, with the reasons.
        renews: its process is to take another's place, and serves once it is told to.
        heard: something has come from it since ``kill_stuck`` looked last.
        silent: seconds for which nothing has come from it, as ``kill_stuck`` counts them.
        begun: a process has been started, and nobody has looked into its end.
        unsent: encoded frames, by kind, that wait until the channel is no longer congested; the newest counts.
    """

    worker: int
    process: subprocess.Popen[bytes] | None = None
    channel: Channel[FromWorker] | None = None
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    attached: bool = False
    started: bool = False
    applied: int = 0
    failed: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    renews: bool = False
    heard: bool = False
    silent: float = 0.0
    begun: bool = False
    unsent: dict[str, bytes] = field(default_factory=dict, repr=False)
    _failures: int = 0

    def begin(self, process: subprocess.Popen[bytes], channel: Channel[FromWorker]) -> None:
        """Take a new process."""
        self.process, self.channel = process, channel
        self.exited = asyncio.Event()
        self.attached = self.started = False
        self.silent = 0.0
        self.begun = True
        self.applied, self.failed, self.faults = 0, "", {}
        self.unsent.clear()

    @property
    def pid(self) -> int:
        """The process's id; 0 if none has been started."""
        return self.process.pid if self.process is not None else 0

    @property
    def running(self) -> bool:
        """Whether its process has been started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End its process at once."""
        if self.process is not None:
            self.process.kill()

    def tell(self, kind: str, data: bytes) -> None:
        """Send an encoded frame as soon as the worker keeps up; a newer one of the same kind replaces it."""
        if self.channel is None or not self.attached:
            return
        if self.channel.congested:
            self.unsent[kind] = data
        else:
            self.channel.write(data)

    def relieved(self) -> None:
        """Send what had to wait."""
        unsent, self.unsent = self.unsent, {}
        for kind, data in unsent.items():
            self.tell(kind, data)

    def wait_before_next(self, lived: float) -> float:
        """Seconds to wait before the next process: none after a long life, then from 0.1 s, doubling, to 10 s.

        Args:
            lived: how long the last one lived, in seconds.
        """
        if lived >= _SETTLED:
            self._failures = 0
            return 0.0
        self._failures += 1
        # The exponent has a limit of its own: a float has one too.
        return min(_FIRST_WAIT * 2.0 ** min(self._failures - 1, 20), _LONGEST_WAIT)
