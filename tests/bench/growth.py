"""What a request costs the host as its components, its connections, the prompts and its plugins grow in number."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from load import Load
from measuring import Sample, VoidError, in_turns, sample
from part import Options, Report
from plugin_site import Site
from processes import host, script
from requested import ALPHA2, ASKED, alpha2, long, manifest

__all__ = ["STAGE", "Point", "measured", "report", "series", "table"]

SIZES = (1, 10, 100, 1000)
CONNECTIONS = (1, 10, 100, 500)
PLUGINS = (0, 1, 5, 10)
FEWEST = 100
"""Requests of a round, however long they are."""

STAGE = """
from contextlib import aclosing
from jackfield import hookimpl

def passing(handler):
    async def passed(request):
        async with aclosing(handler(request)) as events:
            async for event in events:
                yield event
    return passed

@hookimpl
def wrap_handler(build):
    return passing
"""


@dataclass(frozen=True)
class Point:
    """One setting of one thing that grows.

    Attributes:
        value: how much there is of what grows.
        components: that take the requests in turn.
        connections: that send them.
        body: the request.
        plugin: the source of each further plugin; a provider that nobody asks if None.
        plugins: how many of these are installed.
        requests: in each round.
    """

    value: int
    components: int = 1
    connections: int = 16
    body: bytes = alpha2(ASKED)
    plugin: str | None = None
    plugins: int = 0
    requests: int = 0


def series(options: Options) -> dict[str, list[Point]]:
    """Say what grows, and by how much."""
    few = partial(Point, connections=options.connections, requests=options.requests)
    shortest = min(FEWEST, options.requests)
    return {
        "components": [few(count, components=count) for count in SIZES],
        # Enough requests that making the connections is a small part of what is measured.
        "connections": [few(n, connections=n, requests=max(options.requests, 20 * n)) for n in CONNECTIONS],
        "KB of prompt": [
            few(size, body=alpha2(long(size * 1000)), requests=max(options.requests // size, shortest))
            for size in SIZES
        ],
        "plugins, idle": [few(count, plugins=count) for count in PLUGINS],
        "plugins, one stage each": [few(count, plugins=count, plugin=STAGE) for count in PLUGINS],
    }


def measured(points: list[Point], server: str, rounds: int) -> dict[int, Sample]:
    """Measure some points in turns, each with a host of its own.

    Raises:
        VoidError: a reply was not the right one.
    """
    with ExitStack() as stack:
        upstream = stack.enter_context(script("instant_upstream.py"))
        cases: dict[str, Callable[[], Sample]] = {}
        for point in points:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            names = [f"c{number}" for number in range(point.components)]
            for kind in ("manifests", "site"):
                (folder / kind).mkdir()
            for name in names:
                (folder / "manifests" / f"{name}.yaml").write_text(manifest(name, upstream=upstream.port))
            for number in range(point.plugins):
                Site(folder / "site").install(f"extra{number}", point.plugin)
            # Only what a request needs, and what is counted: other plugins' memory is no part of this.
            chosen = ",".join(["openai", *(f"extra{number}" for number in range(point.plugins))])
            arguments = ("--server", server, "--plugins", chosen)
            served = stack.enter_context(
                host(folder / "manifests", *arguments, components=len(names), PYTHONPATH=str(folder / "site"))
            )
            load = Load(served.port, tuple(ALPHA2.format(name) for name in names), point.body)
            cases[str(point.value)] = partial(
                sample, served, load, requests=point.requests, connections=point.connections
            )
        rows = in_turns(cases, rounds)
    for value, row in rows.items():
        if isinstance(row, VoidError):
            raise VoidError(f"{row} ({value})")
    return {int(value): row for value, row in rows.items() if isinstance(row, Sample)}


def report(options: Options) -> Report:
    """Let one thing after the other grow, with the host's first server."""
    server = options.servers[0]
    found = {name: measured(points, server, options.rounds) for name, points in series(options).items()}
    text = f"{server}, proxied alpha2: {options.requests} requests a round, best of {options.rounds}; "
    text += f"{options.connections} connections,\none component and no further plugin, but for what grows\n"
    return Report(text + "".join(table(name, rows) for name, rows in found.items()), draw=partial(_draw, found))


def table(name: str, rows: dict[int, Sample]) -> str:
    """Lay out what the growth of one thing costs."""
    text = f"\n{name:<24}{'us CPU':>7} {'req/s':>7} {'p50 ms':>8} {'p99 ms':>8} {'MiB':>5}\n"
    for value, row in rows.items():
        text += f"{value:<24,}{row.cpu:>7.0f} {row.throughput:>7.0f} {row.middle:>8.2f} {row.slow:>8.2f} "
        text += f"{row.memory:>5.0f}\n"
    return text


def _draw(found: dict[str, dict[int, Sample]], path: Path) -> None:
    """Draw the chart; only then is the library that draws needed."""
    from charts import curves

    panels: dict[str, dict[str, dict[int, tuple[float, float]]]] = {}
    for name, rows in found.items():
        # What grows in two ways has one panel with two curves.
        panel, _, way = name.partition(", ")
        panels.setdefault(panel, {})[way] = {value: (row.cpu, row.memory) for value, row in rows.items()}
    curves(panels, path)
