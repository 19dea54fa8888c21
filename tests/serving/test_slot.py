"""A worker's place: how soon it is taken again, and what it is told when it hears again."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys

import pytest

from jackfield.serving.channel import Channel, read_frame
from jackfield.serving.frames import Extended, decode_for_parent, decode_for_worker, encode
from jackfield.serving.slot import Slot
from jackfield.serving.spawn import how_it_ended


def test_waits_double_up_to_ten_seconds() -> None:
    """A worker that dies at once is replaced after 0.1 s, then later and later; a long life is forgiven at once."""
    slot = Slot(1)
    waits = [slot.wait_before_next(0.5) for _ in range(2000)]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits[-1] == 10.0
    assert slot.wait_before_next(60.0) == 0.0
    assert slot.wait_before_next(0.5) == 0.1


def test_a_congested_worker_is_told_the_newest_only() -> None:
    """States that were superseded while a worker hung are not sent to it."""

    async def main(process: subprocess.Popen[bytes]) -> None:
        ours, theirs = socket.socketpair()
        slot = Slot(1)
        channel = Channel(decode_for_parent, lambda _: None, slot.relieved)
        with ours, theirs:
            theirs.settimeout(10)
            slot.begin(process, channel)
            await channel.open(ours)
            slot.tell("extended", encode(Extended(0, {})))
            slot.attached = True
            for version in range(1, 10):
                slot.tell("extended", encode(Extended(version, {"key": "x" * 2_000_000})))
            versions = []
            for _ in range(2):
                data = await asyncio.to_thread(read_frame, theirs)
                assert data is not None
                frame = decode_for_worker(data)
                assert isinstance(frame, Extended)
                versions.append(frame.version)
            assert versions == [1, 9]
            channel.close()
            await channel.lost.wait()

    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        asyncio.run(main(process))


@pytest.mark.parametrize(
    ("code", "text"), [(0, "exit code 0"), (7, "exit code 7"), (-signal.SIGSEGV, "SIGSEGV"), (-64, "SIGRTMAX")]
)
def test_ends_are_named(code: int, text: str) -> None:
    """The log names the exit code, or the signal."""
    if code == -64 and not hasattr(signal, "SIGRTMAX"):
        text = "signal 64"
    assert how_it_ended(code) == text
