"""What a request costs the host beyond what it costs the bare server, measured in one run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from instant_upstream import TEXT
from load import Load
from measuring import Sample, VoidError, in_turns, sample
from part import Options, Report
from processes import Measured, host, script
from requested import ALPHA2, ASKED, alpha2, manifest

LIMITS = {"proxied alpha2": 150.0, "cached alpha2": 40.0, "echo alpha2": 40.0}
LIMIT_MEMORY = 90.0
LIMIT_READY = 1.0
BESIDE_HTTP = "grpc,metrics,otel"
"""Plugins that work beside the HTTP server: what they cost is a row of its own."""
BARE = "bare server"
WITH_ALL = "echo, all plugins"


@dataclass(frozen=True)
class _Run:
    """One HTTP server's figures."""

    server: str
    started: float
    idle: float
    rows: dict[str, Sample]

    def above(self, name: str) -> float:
        """CPU beyond the bare server's, in microseconds."""
        return self.rows[name].cpu - self.rows[BARE].cpu


def manifests(folder: Path, port: int) -> None:
    """Write an echo, a proxied and a cached component."""
    (folder / "echo.yaml").write_text(manifest("echo", "conversation.echo"))
    (folder / "openai.yaml").write_text(manifest("openai", upstream=port))
    (folder / "cached.yaml").write_text(manifest("cached", upstream=port) + "  - {name: responseCacheTTL, value: 1h}\n")


def run(server: str, options: Options) -> _Run:
    """Measure one server: the bare one and the host alternately.

    Raises:
        VoidError: a reply was not the right one.
    """
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        manifests(Path(folder), stack.enter_context(script("instant_upstream.py")).port)
        bare = stack.enter_context(script("bare.py", server))
        served = stack.enter_context(
            host(Path(folder), "--server", server, "--deny-plugins", BESIDE_HTTP, components=3)
        )
        idle = served.memory
        complete = stack.enter_context(host(Path(folder), "--server", server, components=3))
        asked: dict[str, tuple[Measured, str]] = {
            BARE: (bare, "/"),
            "echo alpha2": (served, ALPHA2.format("echo")),
            "cached alpha2": (served, ALPHA2.format("cached")),
            "proxied alpha2": (served, ALPHA2.format("openai")),
            WITH_ALL: (complete, ALPHA2.format("echo")),
        }
        cases: dict[str, Callable[[], Sample]] = {
            name: partial(
                sample,
                process,
                Load(process.port, (path,), alpha2(ASKED)),
                requests=options.requests,
                connections=options.connections,
            )
            for name, (process, path) in asked.items()
        }
        rows = {name: _right(server, name, found) for name, found in in_turns(cases, options.rounds).items()}
    return _Run(server, served.started, idle, rows)


def _right(server: str, name: str, found: Sample | VoidError) -> Sample:
    """Make sure that the reply, which all others equalled to the byte, is the right one."""
    if isinstance(found, VoidError):
        raise VoidError(f"{found} ({server}, {name})")
    said = json.loads(found.first)["outputs"][0]["choices"][0]["message"]["content"]
    if said != ("\n".join(text for _, text in ASKED) if name.startswith("echo") else TEXT):
        raise VoidError(f"a wrong reply: {said!r} ({server}, {name})")
    return found


def report(options: Options) -> Report:
    """Measure the host with each server."""
    texts, exceeded = [], []
    for server in options.servers:
        found = run(server, options)
        text = f"{server}: ready after {found.started:.2f} s, {found.idle:.0f} MiB before load\n\n"
        text += (
            f"{server:<18}{'us CPU':>7} {'above':>7} {'limit':>6} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7} {'MiB':>5}\n"
        )
        for name, row in found.rows.items():
            above, limit = found.above(name), LIMITS.get(name)
            text += (
                f"{name:<18}{row.cpu:>7.0f} {above:>7.0f} {'' if limit is None else f'{limit:g}':>6} "
                f"{row.throughput:>7.0f} {row.middle:>7.2f} {row.slow:>7.2f} {row.memory:>5.0f}\n"
            )
            if limit is not None and above > limit:
                exceeded.append(f"{server}, {name}: {above:.0f} us above the bare server")
            if name != WITH_ALL and row.memory > LIMIT_MEMORY:
                exceeded.append(f"{server}, {name}: {row.memory:.0f} MiB")
        if found.started > LIMIT_READY:
            exceeded.append(f"{server}: ready after {found.started:.2f} s")
        texts.append(text)
    return Report("\n".join(texts), exceeded)
