"""What the host is profiled under: the benchmark's requests, sent for as long as the host is sampled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from load import Load
from plugin_site import Site
from requested import ALPHA2, ASKED, alpha2, manifest
from streaming import PIECES, PLUGIN, read

__all__ = ["LOADS", "Drive", "drive", "write_manifests", "write_plugin"]

Drive = Callable[[int], int]
"""Sends a number of requests, checks every reply, and returns how many requests or pieces that were."""

LOADS = {"cached": "cached alpha2", "proxied": "proxied alpha2", "echo": "echo alpha2", "fast": "a streamed piece"}
"""Name of each load, which is its component's, and what its figures are for."""

_SAID = {"echo": ASKED[-1][1].encode(), "proxied": b"Paris", "cached": b"Paris"}
_CONNECTIONS = 16


def write_manifests(folder: Path, upstream: int) -> None:
    """Write a component for each load; ``upstream`` is the port of the one that is asked."""
    proxied = manifest("proxied", upstream=upstream)
    cached = manifest("cached", upstream=upstream) + "  - {name: responseCacheTTL, value: 1h}\n"
    (folder / "echo.yaml").write_text(manifest("echo", "conversation.echo"))
    (folder / "fast.yaml").write_text(manifest("fast", "conversation.fast"))
    (folder / "proxied.yaml").write_text(proxied)
    (folder / "cached.yaml").write_text(cached)


def write_plugin(site: Path) -> None:
    """Install the plugin whose streams are read, as the benchmark has it."""
    Site(site).install("bench", PLUGIN)


def drive(name: str, port: int) -> Drive:
    """Make the load of a name. What it returns raises ``SystemExit`` if a reply is not the right one."""
    path = ALPHA2.format(name)
    if name == "fast":

        def stream(requests: int) -> int:
            streams = max(requests // PIECES, 1)
            asyncio.run(read(port, path, streams))
            return streams * PIECES

        return stream
    load = Load(port, (path,), alpha2(ASKED), text=_SAID[name])

    def send(requests: int) -> int:
        outcome = load.run(requests=requests, connections=_CONNECTIONS)
        if outcome.faults or len(outcome.latencies) != requests:
            raise SystemExit(f"{name}: void, because of {outcome.faults or 'missing replies'}")
        return requests

    return send
