"""Other gateways as processes: each installed in an environment of its own, and started with few variables."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peer_settings import Peer, filled
from processes import Measured, end

__all__ = ["NotHereError", "environment", "peer"]

_INSTALLING = 600
_STARTING = 90


class NotHereError(Exception):
    """This machine can't get a gateway, or can't start it; the text says why."""


def environment(chosen: Peer, folder: Path) -> Path:
    """Install a gateway, unless it has been; returns the folder that has it.

    Raises:
        NotHereError: this machine can't get it.
    """
    target = folder / chosen.package.replace("/", "-").replace("@", "-").strip("-")
    done = target / "installed"
    if done.exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if chosen.registry == "npm":
        # Without the scripts that packages would like to run at their installation.
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        _run("npm", "install", "--prefix", str(target), *quiet, chosen.package)
    else:
        _run(sys.executable, "-m", "venv", str(target))
        _run(str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--quiet", chosen.package)
    done.touch()
    return target


def _run(*command: str) -> None:
    name = Path(command[0]).name if command[0] != sys.executable else "python"
    if shutil.which(command[0]) is None:
        raise NotHereError(f"this machine has no {name}")
    try:
        subprocess.run(command, check=True, timeout=_INSTALLING, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError as exception:
        raise NotHereError(f"its installation failed ({name} ended with code {exception.returncode})") from exception
    except subprocess.TimeoutExpired as exception:
        raise NotHereError(f"its installation took longer than {_INSTALLING} s") from exception


@contextmanager
def peer(chosen: Peer, installed: Path, folder: Path, upstream: int) -> Iterator[Measured]:
    """Run a gateway in front of an upstream, and wait until it is ready.

    Raises:
        NotHereError: it doesn't start.
    """
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    values = {"port": str(port), "upstream": str(upstream), "environment": str(installed), "folder": str(folder)}
    for name, text in chosen.files.items():
        (folder / name).write_text(filled(text, values))
    # Nothing of the caller's: no key of theirs, no proxy, no setting of another gateway.
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    variables |= {name: filled(text, values) for name, text in chosen.variables.items()}
    command = [filled(word, values) for word in chosen.command]
    if shutil.which(command[0]) is None:
        raise NotHereError(f"this machine has no {Path(command[0]).name}")
    log = folder / "log"
    began = time.perf_counter()
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            text=True,
            cwd=folder,
            env=variables,
        )
    try:
        while not _ready(port, chosen.ready):
            if process.poll() is not None or time.perf_counter() - began > _STARTING:
                sys.stderr.write(f"{chosen.title}: {log.read_text()[-1000:]}\n")
                ended = process.poll() is not None
                raise NotHereError("it ended before it served" if ended else f"it didn't serve within {_STARTING} s")
            time.sleep(0.01)
        yield Measured(process.pid, port, time.perf_counter() - began)
    finally:
        end(process)


def _ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
