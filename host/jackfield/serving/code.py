"""Following the code of editable plugins: which files have changed, and whether Python can read them."""

from __future__ import annotations

import asyncio
import logging
import tokenize
import warnings
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path

from watchfiles import awatch

from jackfield.plugins.sources import Source

__all__ = ["CodeWatcher", "unreadable"]

_log = logging.getLogger("jackfield.dev")
_LOOK_EVERY = 1.0
"""Seconds between two looks where no event comes: network file systems, replaced folders."""
_CALM = 0.05
"""Seconds for which nothing may change before it is taken up: editors and git write in several steps."""

State = Mapping[Path, tuple[int, int]]


class CodeWatcher:
    """Says which Python files of some sources have changed.

    Args:
        sources: what to watch.
        events: use kernel events; without them only the look once a second is left.
    """

    def __init__(self, sources: Sequence[Source], *, events: bool = True) -> None:
        self._sources = sources
        self._events = events
        self._wake = asyncio.Event()

    async def changes(self) -> AsyncGenerator[tuple[Path, ...], None]:
        """Yield the files that are new, changed or gone, sorted, each time that there are some."""
        known = await asyncio.to_thread(self._look)
        loop = asyncio.get_running_loop()
        listeners = [loop.create_task(self._listen(source)) for source in self._sources] if self._events else []
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await self._wake.wait()
                self._wake.clear()
                seen = await asyncio.to_thread(self._look)
                if seen == known:
                    continue
                while True:
                    await asyncio.sleep(_CALM)
                    again = await asyncio.to_thread(self._look)
                    if again == seen:
                        break
                    seen = again
                changed = sorted(path for path in {*known, *seen} if known.get(path) != seen.get(path))
                known = seen
                if changed:
                    yield tuple(changed)
        finally:
            for listener in listeners:
                listener.cancel()
            if listeners:
                await asyncio.wait(listeners)

    def _look(self) -> State:
        states: dict[Path, tuple[int, int]] = {}
        for source in self._sources:
            for path in _python_files(source.path):
                with suppress(OSError):  # it went while we looked
                    status = path.stat()
                    states[path] = status.st_mtime_ns, status.st_size
        return states

    async def _listen(self, source: Source) -> None:
        """Turn kernel events into a look; for a single module its folder is watched, as editors replace files."""
        folder = source.path if source.path.is_dir() else source.path.parent
        try:
            changes = awatch(
                folder,
                watch_filter=lambda _, path: path.endswith(".py"),
                debounce=50,
                step=20,
                recursive=folder == source.path,
                rust_timeout=1000,
            )
            async with aclosing(changes):
                async for _ in changes:
                    self._wake.set()
        except (OSError, RuntimeError) as error:
            # The folder is gone, or there are no watches left: the look once a second is enough for a person.
            _log.debug("code is watched without events", extra={"path": str(folder), "error": type(error).__name__})


def unreadable(path: Path) -> str:
    """Say why Python can't compile a file, with its place; empty if it can, or if the file is gone."""
    try:
        with tokenize.open(path) as file, warnings.catch_warnings(action="ignore"):
            compile(file.read(), str(path), "exec", dont_inherit=True)
    except FileNotFoundError:
        return ""
    except (SyntaxError, ValueError) as error:  # an encoding that isn't what it says, or a NUL, is a ValueError
        line = getattr(error, "lineno", None) or 1
        return f"{type(error).__name__}: {getattr(error, 'msg', error)} ({path}:{line})"
    except OSError as error:
        return f"can't be read: {error.strerror} ({path})"
    return ""


def _python_files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from path.rglob("*.py")
    else:
        yield path
