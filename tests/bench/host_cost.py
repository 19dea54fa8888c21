"""`nox -s bench`: what a request costs the host beyond what it costs the bare server, measured in one run.

CPU is what the kernel counts for the whole host process, divided by the requests, less the same figure for the bare
server. Times and throughput depend on the machine and on what else runs on it; CPU per request and ratios hardly do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from instant_upstream import REPLY
from load import Load, Outcome
from processes import Measured, host, script

BODY = json.dumps(
    {
        "inputs": [
            {
                "messages": [
                    {"ofSystem": {"content": [{"text": "You are a helpful assistant that answers in one sentence."}]}},
                    {"ofUser": {"content": [{"text": "What is the capital of France, and since when? " * 4}]}},
                ]
            }
        ],
        "temperature": 0.5,
    }
).encode()
LIMITS = {"proxied alpha2": 210.0, "echo alpha2": 45.0}
CACHED_ABOVE_ECHO = 10.0
LIMIT_MEMORY = 90.0
BESIDE_HTTP = "grpc,metrics,otel"
"""Plugins that work beside the HTTP server: what they cost is a row of its own."""
WITH_ALL = "echo, all plugins"
LIMIT_READY = 1.0


@dataclass
class Row:
    """One line of the table."""

    server: str
    name: str
    cpu: float
    outcome: Outcome
    memory: float


def measure(name: str, server: str, process: Measured, path: str, *, requests: int, connections: int) -> Row:
    """Warm up, then measure."""
    load = Load(process.port, path, BODY)
    asyncio.run(load.run(requests=max(requests // 5, 200), connections=connections))
    before = process.cpu
    outcome = asyncio.run(load.run(requests=requests, connections=connections))
    cpu = (process.cpu - before) / requests * 1e6
    if outcome.faults or len(outcome.latencies) != requests:
        raise SystemExit(f"{server} {name}: void, because of {outcome.faults or 'missing replies'}")
    check(name, load.expected or b"")
    return Row(server, name, cpu, outcome, process.memory)


def check(name: str, body: bytes) -> None:
    """Make sure that the reply, which all others equalled to the byte, is the right one."""
    said = json.loads(body)["outputs"][0]["choices"][0]["message"]["content"]
    asked = "\n".join(
        part["text"]
        for message in json.loads(BODY)["inputs"][0]["messages"]
        for part in next(iter(message.values()))["content"]
    )
    expected = asked if name.startswith("echo") else json.loads(REPLY)["choices"][0]["message"]["content"]
    if said != expected:
        raise SystemExit(f"{name}: void, because the reply is wrong: {body[:200]!r}")


def manifests(folder: Path, port: int) -> None:
    """Write an echo, a proxied and a cached component."""
    head = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\nspec:\n  type: %s\n  version: v1\n"
    (folder / "echo.yaml").write_text(head % ("echo", "conversation.echo"))
    proxied = (
        head % ("openai", "conversation.openai")
        + f"  metadata:\n  - {{name: key, value: k}}\n  - {{name: endpoint, value: 'http://127.0.0.1:{port}/v1'}}\n"
        + "  - {name: model, value: mock}\n"
    )
    (folder / "openai.yaml").write_text(proxied)
    kept = proxied.replace("{name: openai}", "{name: cached}") + "  - {name: responseCacheTTL, value: 1h}\n"
    (folder / "cached.yaml").write_text(kept)


def run(server: str, requests: int, connections: int, rounds: int) -> list[Row]:
    """Measure one server: the bare one and the host alternately, the best of some rounds."""
    best: dict[str, Row] = {}
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        upstream = stack.enter_context(script("instant_upstream.py"))
        manifests(Path(folder), upstream.port)
        bare = stack.enter_context(script("bare.py", server))
        served = stack.enter_context(
            host(Path(folder), "--server", server, "--deny-plugins", BESIDE_HTTP, components=3)
        )
        ports = ("--dapr-grpc-port", "0", "--metrics-port", "0")
        complete = stack.enter_context(host(Path(folder), "--server", server, *ports, components=3))
        sys.stdout.write(f"{server}: ready after {served.started:.2f} s, {served.memory:.0f} MiB before load\n")
        for _ in range(rounds):
            for name, process, path in (
                ("bare server", bare, "/"),
                ("echo alpha2", served, "/v1.0-alpha2/conversation/echo/converse"),
                ("cached alpha2", served, "/v1.0-alpha2/conversation/cached/converse"),
                ("proxied alpha2", served, "/v1.0-alpha2/conversation/openai/converse"),
                (WITH_ALL, complete, "/v1.0-alpha2/conversation/echo/converse"),
            ):
                row = measure(name, server, process, path, requests=requests, connections=connections)
                if name not in best or row.cpu < best[name].cpu:
                    best[name] = row
    return list(best.values())


def main() -> None:
    """Print the table; exit 1 if a limit is exceeded and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--servers", default="hypercorn,uvicorn")
    parser.add_argument("--check", action="store_true", help="exit 1 if a figure is over its limit")
    arguments = parser.parse_args()
    sys.stdout.write(f"{time.strftime('%Y-%m-%d')} Python {platform.python_version()}, {platform.machine()}\n")
    exceeded = False
    for server in arguments.servers.split(","):
        rows = run(server, arguments.requests, arguments.connections, arguments.rounds)
        bare = rows[0]
        echo = next(row for row in rows if row.name == "echo alpha2")
        limits = {**LIMITS, "cached alpha2": round(echo.cpu - bare.cpu + CACHED_ABOVE_ECHO)}
        sys.stdout.write(f"\n{server:<18}{'us CPU':>7} {'above':>7} {'limit':>6} {'req/s':>7} ")
        sys.stdout.write(f"{'p50 ms':>7} {'p99 ms':>7} {'MiB':>5}\n")
        for row in rows:
            above, limit = row.cpu - bare.cpu, limits.get(row.name)
            exceeded = exceeded or (limit is not None and above > limit)
            sys.stdout.write(
                f"{row.name:<18}{row.cpu:>7.0f} {above:>7.0f} {limit or '':>6} "
                f"{len(row.outcome.latencies) / row.outcome.seconds:>7.0f} {row.outcome.percentile(0.5) * 1000:>7.2f} "
                f"{row.outcome.percentile(0.99) * 1000:>7.2f} {row.memory:>5.0f}\n"
            )
        exceeded = exceeded or max(row.memory for row in rows if row.name != WITH_ALL) > LIMIT_MEMORY
    if exceeded and arguments.check:
        raise SystemExit("a figure is over its limit")


if __name__ == "__main__":
    main()
