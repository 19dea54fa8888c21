"""What the workers of one host keep together: a folder with a ledger of each.

A worker holds a lock on its file while it lives. A file that nobody holds is that of a process that has ended: what it
has counted still counts, and the next worker that starts goes on with it, so that no counter ever falls and there are
never more files than there were workers at one time.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from typing import Final

from jackfield_metrics.families import FAMILIES
from jackfield_metrics.ledger import SLOTS, Series, numbers_of

__all__ = ["SharedFolder", "SharedStorage"]

_NUMBERS: Final = 8 * SLOTS
_SUFFIX: Final = ".ledger"
_PREFIX: Final = "jackfield-metrics-"
_ABANDONED: Final = 3600.0
"""Seconds after which a folder that no process holds is taken for that of a host that was killed."""


class SharedStorage:
    """A ledger's file: the numbers, and behind them a line of JSON for each series. See ``Storage``.

    Args:
        descriptor: the file, open and locked; it is closed by ``close``.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, _NUMBERS)
        self.values = memoryview(self._map).cast("d")
        self.known: Mapping[Series, int] = {}
        self.known, self._end = _series(descriptor)

    def note(self, series: Series, place: int) -> None:
        """Write a series' line, in one call: a process that is killed leaves a whole one or a part that is passed."""
        name, labels = series
        line = json.dumps([name, place, *labels]).encode() + b"\n"
        os.pwrite(self._descriptor, line, self._end)
        self._end += len(line)

    def close(self) -> None:
        """Let go of the file; what it holds stays."""
        self.values.release()
        self._map.close()
        os.close(self._descriptor)


class SharedFolder:
    """The ledgers of one host's workers.

    Args:
        group: a name that the host's workers share and no other host has.

    Raises:
        OSError: this machine has no folder for what is temporary.
    """

    def __init__(self, group: str) -> None:
        self.path = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getuid()}-{group}"

    def open(self) -> SharedStorage:
        """Go on with the file of a worker that has ended, or begin a new one.

        Raises:
            OSError: there is no place to write, or somebody else's folder stands in the way.
        """
        self.path.mkdir(mode=0o700, exist_ok=True)
        found = self.path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(f"{self.path} is there already and is not a folder of this user's alone")
        self._sweep()
        with _alone(self.path):
            return SharedStorage(self._ended() or self._new())

    def series(self) -> Iterator[tuple[bool, dict[Series, list[float]]]]:
        """Give each worker's numbers, and whether it lives."""
        for path in _files(self.path):
            try:
                descriptor = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue
            try:
                yield not _lock(descriptor, fcntl.LOCK_SH), _read(descriptor)
            finally:
                os.close(descriptor)

    def leave(self) -> None:
        """Remove the folder if no worker is left; call it after the own file is closed."""
        with suppress(OSError), _alone(self.path):
            _remove_unless_held(self.path)

    def _sweep(self) -> None:
        """Remove what hosts of this user have left behind that were killed as a whole."""
        for path in self.path.parent.glob(f"{_PREFIX}{os.getuid()}-*"):
            with suppress(OSError):
                if path != self.path and time() - path.lstat().st_mtime > _ABANDONED and not path.is_symlink():
                    with _alone(path):
                        _remove_unless_held(path)

    def _ended(self) -> int | None:
        for path in _files(self.path):
            descriptor = os.open(path, os.O_RDWR)
            if _lock(descriptor, fcntl.LOCK_EX):
                return descriptor
            os.close(descriptor)
        return None

    def _new(self) -> int:
        descriptor, path = tempfile.mkstemp(dir=self.path)
        try:
            _lock(descriptor, fcntl.LOCK_EX)
            # Room is taken now: a disk that is full later must not end a process that writes to its own memory.
            if sys.platform == "linux":
                os.posix_fallocate(descriptor, 0, _NUMBERS)
            os.ftruncate(descriptor, _NUMBERS)
            Path(path).rename(path + _SUFFIX)
        except BaseException:
            os.close(descriptor)
            Path(path).unlink(missing_ok=True)
            raise
        return descriptor


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from opening, leaving and sweeping a folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _remove_unless_held(folder: Path) -> None:
    """Remove a folder that no living worker has a file in."""
    descriptors = [os.open(path, os.O_RDWR) for path in _files(folder)]
    free = [_lock(descriptor, fcntl.LOCK_EX) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    if all(free):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def _lock(descriptor: int, kind: int) -> bool:
    """Take a lock unless somebody holds the file."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> dict[Series, list[float]]:
    known, _ = _series(descriptor)
    values: memoryview[float] = memoryview(os.pread(descriptor, _NUMBERS, 0)).cast("d")
    return numbers_of(values, known)


def _series(descriptor: int) -> tuple[dict[Series, int], int]:
    """Read the lines of a file up to the last whole one, and say where that ends."""
    size = os.fstat(descriptor).st_size
    lines = os.pread(descriptor, max(size - _NUMBERS, 0), _NUMBERS)
    lines = lines[: lines.rfind(b"\n") + 1]
    known: dict[Series, int] = {}
    for line in lines.splitlines():
        name, place, *labels = json.loads(line)
        # Code may have changed between the two processes (serve --dev).
        if name in FAMILIES and len(FAMILIES[name].labels) == len(labels):
            known[name, tuple(labels)] = place
    return known, _NUMBERS + len(lines)
