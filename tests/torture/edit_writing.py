"""The ways in which people, editors and programs put a file in its place.

One that takes the old file away before gives the seconds for which there was none: a busy machine may make a pause of
an instant.
"""

# ruff: noqa: ASYNC240  (a write to a file in memory takes less than a thread would)
from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TypeAlias

__all__ = ["WAYS", "WHOLE", "Way", "swap_link"]

Way: TypeAlias = Callable[[Path, bytes, Random], Awaitable[float | None]]


async def _in_place(path: Path, data: bytes, _: Random) -> None:
    path.write_bytes(data)


async def _by_rename(path: Path, data: bytes, _: Random) -> None:
    """Write beside and rename over, as careful programs do."""
    beside = path.with_name(f".{path.name}.swp")
    beside.write_bytes(data)
    beside.replace(path)


async def _with_backup(path: Path, data: bytes, draw: Random) -> float:
    """Write as vim does: its probe file, the old file renamed, the new one in its place, the backup removed."""
    probe, swap = path.with_name("4913"), path.with_name(f".{path.name}.swp")
    swap.write_bytes(b"vim")
    probe.write_bytes(b"")
    probe.unlink(missing_ok=True)
    backup, began = path.with_name(f"{path.name}~"), perf_counter()
    if path.exists():
        path.rename(backup)
    path.write_bytes(data)
    gap = perf_counter() - began
    backup.unlink(missing_ok=True)
    swap.unlink(missing_ok=True)
    return gap


async def _as_emacs(path: Path, data: bytes, draw: Random) -> None:
    """Leave an autosave file, a lock that is a link to nothing, and a copy of the old file behind."""
    autosave, lock = path.with_name(f"#{path.name}#"), path.with_name(f".#{path.name}")
    autosave.write_bytes(data[: draw.randrange(len(data))])
    if not lock.is_symlink():
        lock.symlink_to("nobody@nowhere.1:1")
    if path.exists():
        path.with_name(f"{path.name}~").write_bytes(path.read_bytes())
    path.write_bytes(data)
    autosave.unlink()
    lock.unlink()


async def _half_then_rest(path: Path, data: bytes, draw: Random) -> None:
    """Write a part, rest for up to a quarter of a second, write the rest: longer than the host waits for it.

    The part ends within the last document: a host that reads a file of whole documents has to believe it.
    """
    cut = draw.randrange(data.rindex(b"spec:"), len(data))
    with path.open("wb", buffering=0) as file:
        file.write(data[:cut])
        await asyncio.sleep(draw.choice((0.0, 0.01, 0.03, 0.06, 0.1, 0.25)))
        file.write(data[cut:])


async def _in_pieces(path: Path, data: bytes, draw: Random) -> None:
    """Write piece by piece, each sooner after the last than the host takes for the end."""
    cuts = sorted(draw.sample(range(data.rindex(b"spec:"), len(data)), 6))
    with path.open("wb", buffering=0) as file:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            file.write(data[start:end])
            await asyncio.sleep(0.012)


async def _emptied_first(path: Path, data: bytes, draw: Random) -> None:
    """Empty the file, and write it a moment later."""
    path.write_bytes(b"")
    await asyncio.sleep(draw.choice((0.0, 0.02, 0.08)))
    path.write_bytes(data)


async def _moved_in(path: Path, data: bytes, _: Random) -> None:
    """Write in another folder, and move the file here with an old time of change."""
    outside = path.parent.parent / f"outside-{path.name}"
    outside.write_bytes(data)
    os.utime(outside, (1_700_000_000, 1_700_000_000))
    outside.replace(path)


WAYS: dict[str, Way] = {
    "written in place": _in_place,
    "renamed over": _by_rename,
    "written as vim does": _with_backup,
    "written as Emacs does": _as_emacs,
    "half, then the rest": _half_then_rest,
    "in pieces": _in_pieces,
    "emptied first": _emptied_first,
    "moved in": _moved_in,
}
"""Names of ways to write a file, and how."""

WHOLE = ("written in place", "renamed over", "written as vim does", "moved in")
"""Those that write any file, at one go."""


def swap_link(link: Path, target: str) -> None:
    """Have a link point elsewhere, in one step."""
    beside = link.with_name(f"{link.name}_tmp")
    beside.symlink_to(target)
    beside.replace(link)
