"""The host beside other gateways: all of them in front of one upstream, asked for the same in turns."""

from __future__ import annotations

import http.client
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from instant_upstream import ANSWERED, TEXT
from load import Load
from measuring import Sample, VoidError, in_turns, sample
from part import Options, Report
from peer_processes import NotHereError, environment, peer
from peer_settings import MODEL, PEERS, filled
from processes import Measured, host, script
from requested import ALPHA2, ASKED, alpha2, completion, manifest

__all__ = ["Row", "report"]

COMPLETIONS = "/v1/chat/completions"
STANDARD = "echo,grpc,openai,openai-api,presidio"
"""What ``jackfield[standard]`` brings."""


@dataclass
class Row:
    """A gateway, and what was found out about it.

    Attributes:
        name: as the table has it.
        process: what was started; None if it couldn't be.
        load: what it is asked; None if it couldn't be started.
        proxied: whether each request has to reach the upstream.
        idle: resident MiB before the first request.
        loaded: resident MiB after it.
        after: resident MiB after all of them.
        found: the best round; in words why there is none.
    """

    name: str
    process: Measured | None = None
    load: Load | None = None
    proxied: bool = True
    idle: float = 0.0
    loaded: float = 0.0
    after: float = 0.0
    found: Sample | str = ""


def started(stack: ExitStack, options: Options) -> tuple[Measured, list[Row]]:
    """Start the upstream and all that stands in front of it, one after the other."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    upstream = stack.enter_context(script("instant_upstream.py"))
    asked, native = completion(ASKED, MODEL), alpha2(ASKED)
    rows = [_row("upstream alone", upstream, COMPLETIONS, asked)]
    (folder / "manifests").mkdir()
    (folder / "manifests" / "llm.yaml").write_text(manifest(MODEL, upstream=upstream.port))
    for server in options.servers:
        bare = stack.enter_context(script("bare.py", server))
        rows.append(_row(f"bare server, {server}", bare, COMPLETIONS, asked, proxied=False))
        for api, path, body in (("alpha2", ALPHA2.format(MODEL), native), ("OpenAI API", COMPLETIONS, asked)):
            served = stack.enter_context(host(folder / "manifests", "--server", server, "--plugins", STANDARD))
            rows.append(_row(f"jackfield {api}, {server}", served, path, body))
    for name in options.peers:
        chosen = PEERS[name]
        try:
            if options.peers_folder is None:
                raise NotHereError("no folder to install it in was given")
            installed = environment(chosen, options.peers_folder)
            (folder / name).mkdir()
            process = stack.enter_context(peer(chosen, installed, folder / name, upstream.port))
        except NotHereError as exception:
            rows.append(Row(chosen.title, found=f"not here: {exception}"))
            continue
        headers = {key: filled(text, {"upstream": str(upstream.port)}) for key, text in chosen.headers.items()}
        rows.append(_row(chosen.title, process, COMPLETIONS, asked, headers=headers))
    return upstream, rows


def _row(
    name: str, process: Measured, path: str, body: bytes, *, proxied: bool = True, headers: dict[str, str] | None = None
) -> Row:
    load = Load(process.port, (path,), body, text=TEXT.encode(), headers=headers or {})
    return Row(name, process, load, proxied=proxied, idle=process.memory)


def taken(row: Row, process: Measured, load: Load, upstream: Measured, options: Options) -> Sample:
    """Measure one round.

    Raises:
        VoidError: a reply was not the right one, or didn't come from the upstream.
    """
    if not row.loaded:
        load.run(requests=1, connections=1)
        row.loaded = process.memory
    before = answered(upstream.port)
    found = sample(process, load, requests=options.requests, connections=options.connections)
    row.after = process.memory
    reached = answered(upstream.port) - before
    if row.proxied and reached < options.requests:
        raise VoidError(f"only {reached} requests reached the upstream")
    return found


def answered(port: int) -> int:
    """How many requests have reached the upstream."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", ANSWERED)
        return int(connection.getresponse().read())
    finally:
        connection.close()


def report(options: Options) -> Report:
    """Measure all in turns, and lay the table out."""
    with ExitStack() as stack:
        upstream, rows = started(stack, options)
        cases: dict[str, Callable[[], Sample]] = {
            row.name: partial(taken, row, row.process, row.load, upstream, options)
            for row in rows
            if row.process and row.load
        }
        for name, found in in_turns(cases, options.rounds).items():
            row = next(row for row in rows if row.name == name)
            row.found = f"void: {found}" if isinstance(found, VoidError) else found
    return Report(table(rows, options), draw=partial(_draw, rows))


def table(rows: list[Row], options: Options) -> str:
    """Lay the rows out in columns."""
    text = f"{options.requests} requests a round over {options.connections} connections, best of {options.rounds}\n\n"
    text += f"{'':<33}{'us CPU':>6} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7}"
    text += f"{'MiB idle':>10} {'loaded':>7} {'after':>7} {'start s':>8}\n"
    for row in rows:
        if isinstance(row.found, str) or row.process is None:
            text += f"{row.name:<33}{row.found}\n"
            continue
        found = row.found
        text += f"{row.name:<33}{found.cpu:>6.0f} {found.throughput:>7.0f} {found.middle:>7.2f} {found.slow:>7.2f}"
        text += f"{row.idle:>10.0f} {row.loaded:>7.0f} {row.after:>7.0f} {row.process.started:>8.2f}\n"
    return text


def _draw(rows: list[Row], path: Path) -> None:
    """Draw the chart; only then is the library that draws needed."""
    from charts import bars

    bars({row.name: row.found.cpu for row in rows if isinstance(row.found, Sample)}, path)
