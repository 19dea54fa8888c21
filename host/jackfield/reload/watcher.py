"""The watcher: when to look at the folders again.

Events from the kernel make a reload prompt; a look once a second makes it certain. Events are missed on network and
virtual file systems, for files that are links into other folders, and while a folder is replaced: none of that has to
be told apart, because an unchanged folder costs a few microseconds a file to look at.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from time import perf_counter

from watchfiles import awatch

from jackfield.manifests.folder import FolderReader, Scan

__all__ = ["Watcher"]

_log = logging.getLogger("jackfield.reload")
_LOOK_EVERY = 1.0
_SETTLE = 0.02


class Watcher:
    """Says when the folders have to be looked at, and looks at them in a thread.

    Args:
        reader: reads the folders.
        folders: what to watch; they may be missing.
        events: use kernel events; without them only the look once a second is left.
    """

    def __init__(self, reader: FolderReader, folders: Sequence[Path], *, events: bool = True) -> None:
        self._reader = reader
        self._folders = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100  links must stay
        self._events = events
        self._wake = asyncio.Event()
        self._stopped = asyncio.Event()
        self._rest = _LOOK_EVERY

    def poke(self) -> None:
        """Have the folders looked at now."""
        self._wake.set()

    def stop(self) -> None:
        """End ``scans``."""
        self._stopped.set()
        self._wake.set()

    async def scan(self) -> Scan:
        """Look at the folders once, in a thread, and decide when to look again."""
        scan = await asyncio.to_thread(self._reader.scan)
        self._rest = _SETTLE if scan.unsettled else _LOOK_EVERY
        return scan

    async def settled(self) -> Scan:
        """Look until no file is being written any more, for a second at most."""
        last_look = perf_counter() + _LOOK_EVERY
        while (scan := await self.scan()).unsettled and perf_counter() < last_look:
            await asyncio.sleep(_SETTLE)
        return scan

    async def scans(self) -> AsyncGenerator[Scan, None]:
        """Yield a scan after every event, at least once a second, until stopped."""
        listener = asyncio.get_running_loop().create_task(self._listen()) if self._events else None
        try:
            while not self._stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._rest):
                        await self._wake.wait()
                if self._stopped.is_set():
                    return
                self._wake.clear()
                try:
                    scan = await self.scan()
                except Exception:  # noqa: BLE001  who follows the folders must not end
                    # A fault of the host's own, or no thread to be had: the next look may be luckier.
                    _log.exception("a look at the folders failed")
                else:
                    yield scan
        finally:
            if listener is not None:
                listener.cancel()
                await asyncio.wait([listener])

    async def _listen(self) -> None:
        """Turn kernel events into ``poke``; start over whenever the folders are not what they were."""
        while True:
            watched, identity = self._watched(), self._identity()
            try:
                async with asyncio.TaskGroup() as group:
                    ended = asyncio.Event()
                    group.create_task(self._end_when_replaced(identity, ended))
                    # Editors write in several steps: 50 ms of calm is enough for one and little for a person.
                    async for _ in awatch(
                        *watched,
                        watch_filter=self._concerns,
                        debounce=50,
                        step=20,
                        recursive=False,
                        stop_event=ended,
                        rust_timeout=1000,
                    ):
                        self.poke()
                        if self._identity() != identity:
                            ended.set()
            except* (OSError, RuntimeError) as group_error:
                # A folder vanished between the look and the watch: the look once a second covers the gap.
                names = sorted({type(error).__name__ for error in group_error.exceptions})
                _log.debug("watching starts over", extra={"error": ",".join(names)})
                await asyncio.sleep(_LOOK_EVERY)
            self.poke()

    async def _end_when_replaced(self, identity: tuple[object, ...], ended: asyncio.Event) -> None:
        while not ended.is_set() and self._identity() == identity:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await ended.wait()
        ended.set()

    def _watched(self) -> list[Path]:
        """The folders and their parents: only a parent tells that a folder came, went or was switched."""
        wanted = dict.fromkeys([*self._folders, *(folder.parent for folder in self._folders)])
        return [path for path in wanted if path.is_dir()]

    def _identity(self) -> tuple[object, ...]:
        def one(path: Path) -> tuple[int, int] | None:
            try:
                status = path.stat()
            except OSError:
                return None
            return status.st_dev, status.st_ino

        return tuple((path, one(path)) for folder in self._folders for path in (folder, folder.parent))

    def _concerns(self, _: object, path: str) -> bool:
        """Leave out what happens beside the folders: a parent may be a busy place."""
        changed = Path(path)
        return any(
            changed == folder or changed.parent == folder or self._inside(changed, folder) for folder in self._folders
        )

    @staticmethod
    def _inside(changed: Path, folder: Path) -> bool:
        return folder.is_symlink() and changed.parent == Path(os.path.realpath(folder))
