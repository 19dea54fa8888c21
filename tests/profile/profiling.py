"""`nox -s profile`: where the host spends its CPU while it serves, as flame graphs and as a table.

The host runs as a process of its own under load, and a sampler outside it looks at its stack some hundred times a
second. The CPU of one request is measured before that, without the sampler; the samples say how it divides.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from loads import LOADS, Drive, drive, write_manifests, write_plugin
from processes import Measured, host, script
from quoted import DOCS, heading, write_block
from stacks import OTHER, PARTS, shares

__all__ = ["Profile", "cost", "main", "profiles", "sampler", "table"]

OUT = Path(".nox/profile")
SERVERS = ("hypercorn", "uvicorn")
BESIDE_HTTP = "grpc,metrics,otel"
"""Plugins that work beside the HTTP server, and are none of its hot path."""
_LOOKS_PER_SECOND = 400
_ROUNDS = 3
_BATCH = 2000


@dataclass(frozen=True)
class Profile:
    """How the CPU of one load divides.

    Attributes:
        load: the load's name.
        cpu: CPU of the process for one request, or one piece of a stream, in microseconds.
        kernel: the share of it that was spent in the kernel, as the kernel counts.
        shares: the share of each part, as the samples have it.
    """

    load: str
    cpu: float
    kernel: float
    shares: dict[str, float]


def profiles(server: str, loads: list[str], out: Path, *, seconds: float, requests: int) -> list[Profile]:
    """Start the host, and profile it under each load.

    Args:
        server: its HTTP server.
        loads: names of loads.
        out: a folder for the flame graphs, ``LOAD-SERVER.svg``, and for the stacks they show, ``LOAD-SERVER.txt``.
        seconds: how long each load is sampled, once for the stacks and once for the flame graph.
        requests: how many requests measure the CPU of one.
    """
    with ExitStack() as stack, tempfile.TemporaryDirectory() as name:
        upstream = stack.enter_context(script("instant_upstream.py"))
        manifests, site = Path(name) / "manifests", Path(name) / "site"
        manifests.mkdir()
        site.mkdir()
        write_manifests(manifests, upstream.port)
        write_plugin(site)
        options = ("--server", server, "--deny-plugins", BESIDE_HTTP)
        served = stack.enter_context(host(manifests, *options, components=len(LOADS), PYTHONPATH=str(site)))
        found = []
        for load in loads:
            send = drive(load, served.port)
            cpu, kernel = cost(served, send, requests=requests)
            stacks = out / f"{load}-{server}.txt"
            _sample(served, send, stacks, seconds=seconds, form="raw")
            _sample(served, send, stacks.with_suffix(".svg"), seconds=seconds, form="flamegraph")
            found.append(Profile(load, cpu, kernel, shares(stacks.read_text().splitlines())))
        return found


def cost(process: Measured, send: Drive, *, requests: int) -> tuple[float, float]:
    """Measure without the sampler, several times after a first: the least CPU, and the kernel's share of all of it.

    Returns:
        Microseconds for one request, and a share from 0 to 1.
    """
    send(requests)
    least, began = float("inf"), _modes(process)
    for _ in range(_ROUNDS):
        before = process.cpu
        done = send(requests)
        least = min(least, (process.cpu - before) / done * 1e6)
    user, system = (after - first for after, first in zip(_modes(process), began, strict=True))
    return least, system / max(user + system, 1)


def table(server: str, found: list[Profile]) -> str:
    """Lay out how the CPU of one server's loads divides, in microseconds and in percent."""
    lines = [f"{server:<27}" + "".join(f"{LOADS[one.load]:>19}" for one in found)]
    for part in (*(name for name, _ in PARTS), OTHER):
        parts = [one.shares.get(part, 0.0) for one in found]
        if any(parts):
            lines.append(_line(part, [(share * one.cpu, share) for share, one in zip(parts, found, strict=True)]))
    lines.append(_line("all of it", [(one.cpu, 1.0) for one in found]))
    lines.append(_line("of which in the kernel", [(one.kernel * one.cpu, one.kernel) for one in found]))
    return "".join(f"{line}\n" for line in lines)


def _line(name: str, cells: list[tuple[float, float]]) -> str:
    return f"{name:<27}" + "".join(f"{microseconds:>11.1f} us{share:>5.0%}" for microseconds, share in cells)


def _sample(process: Measured, send: Drive, out: Path, *, seconds: float, form: str) -> None:
    command = (
        *(sampler(), "record", "--pid", str(process.pid), "--format", form, "--output", str(out)),
        *("--duration", str(max(round(seconds), 1)), "--rate", str(_LOOKS_PER_SECOND)),
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as looking:
        while looking.poll() is None:
            send(_BATCH)
        said, _ = looking.communicate()
    if looking.returncode:
        hint = "one process may look into another as root, or after: sysctl kernel.yama.ptrace_scope=0"
        raise SystemExit(f"py-spy ended with code {looking.returncode}; {hint}\n{said}")


def sampler() -> str:
    """Find py-spy, beside this Python or on the path.

    Raises:
        SystemExit: it is not installed.
    """
    found = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if found is None:
        raise SystemExit("py-spy is not installed here; `nox -s profile` installs it")
    return found


def _modes(process: Measured) -> tuple[int, int]:
    """Clock ticks in user and in kernel mode: fields 14 and 15 of proc_pid_stat(5), counted behind the name."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]), int(fields[12])


def main() -> None:
    """Write the flame graphs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=f"any of {', '.join(LOADS)}; all of them if none")
    parser.add_argument("--servers", default=",".join(SERVERS), help="hypercorn, uvicorn or both, with a comma")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each load is sampled, twice")
    parser.add_argument("--requests", type=int, default=6000, help="requests by which the CPU of one is measured")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the folder for the flame graphs; {OUT} by default")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    arguments = parser.parse_args()
    if strangers := set(arguments.loads) - set(LOADS):
        parser.error(f"no load {', '.join(sorted(strangers))}; there are {', '.join(LOADS)}")
    sampler()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    text = heading(_command(parser, arguments))
    loads = arguments.loads or list(LOADS)
    for server in arguments.servers.split(","):
        found = profiles(server, loads, out, seconds=arguments.seconds, requests=arguments.requests)
        text += f"\n{table(server, found)}"
    sys.stdout.write(f"{text}\nflame graphs: {out.resolve()}/*.svg\n")
    if arguments.write:
        write_block(DOCS / "performance.md", "profile", text)


def _command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """Say what has to be run for the same figures."""
    options = {name: getattr(arguments, name) for name in ("servers", "seconds", "requests")}
    given = [f"--{name}={value}" for name, value in options.items() if value != parser.get_default(name)]
    return " ".join(["nox -s profile", *(["--"] if arguments.loads or given else []), *arguments.loads, *given])


if __name__ == "__main__":
    main()
