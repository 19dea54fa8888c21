"""Starting a worker process: a fresh interpreter, which inherits the sockets and one end of a channel."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["how_it_ended", "spawn"]


def spawn(sockets: Sequence[socket.socket], link: socket.socket) -> subprocess.Popen[bytes]:
    """Start ``jackfield.serving.child``.

    Args:
        sockets: those that listen; they keep their numbers in the new process.
        link: the worker's end of the channel; the caller closes its copy.
    """
    inherited = [*(bound.fileno() for bound in sockets), link.fileno()]
    command = [sys.executable, *_flags(), "-m", "jackfield.serving.child", str(link.fileno())]
    # Ctrl-C and a closed terminal reach every process of the terminal. The parent alone acts on them: a worker is born
    # with both blocked, until it has said that it ignores them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        return subprocess.Popen(command, pass_fds=inherited, stdin=subprocess.DEVNULL)  # noqa: S603  ourselves
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def how_it_ended(code: int) -> str:
    """Describe an exit code as ``Popen.returncode`` has it: ``exit code 1``, or the name of a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _flags() -> list[str]:
    """The interpreter's options, so that a worker imports what the parent would."""
    flags = {"-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site, "-S": sys.flags.no_site}
    flags["-B"] = sys.dont_write_bytecode
    given = [flag for flag, on in flags.items() if on] + ["-O"] * sys.flags.optimize
    if sys.flags.isolated:
        given.append("-I")
    elif not {"", os.getcwd()} & set(sys.path):  # noqa: PTH109  as texts, which is what they are in sys.path
        # ``-m`` would look for modules in the current folder, where ``jackfield`` as a command does not.
        given.append("-P")
    given += [f"-W{option}" for option in sys.warnoptions]
    return given + [f"-X{name}" if value is True else f"-X{name}={value}" for name, value in sys._xoptions.items()]  # noqa: SLF001  documented, if not by its name
