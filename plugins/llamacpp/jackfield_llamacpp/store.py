"""Where models are kept on this machine, and whether they are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import platformdirs

from jackfield_llamacpp.catalogue import Model

__all__ = ["copy_hashed", "is_intact", "megabytes", "models_folder"]

_BLOCK = 1 << 20


def models_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder that models are kept in, which may not exist yet.

    Args:
        environment: ``JACKFIELD_DATA`` in it names the data folder; without it, it is the user's data folder.
    """
    chosen = environment.get("JACKFIELD_DATA")
    data = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("jackfield", appauthor=False)
    return data / "models"


def is_intact(file: Path, model: Model) -> bool:
    """Say whether ``file`` is there and byte for byte the pinned one. Reads all of it."""
    try:
        if file.stat().st_size != model.gguf_bytes:
            return False
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == model.gguf_sha256
    except FileNotFoundError:
        return False


def copy_hashed(source: IO[bytes], target: IO[bytes], copied: Callable[[int], None]) -> str:
    """Copy a stream and return the SHA-256 of what was copied, in hexadecimal.

    Args:
        source: read to its end.
        target: written to.
        copied: told the number of bytes of each block.
    """
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        target.write(block)
        copied(len(block))
    return digest.hexdigest()


def megabytes(size: int) -> str:
    """Write a number of bytes for a person: ``98.4 MB``."""
    return f"{size / 1e6:.1f} MB"
