"""`nox -s bench`: what a request costs the host, beside the bare server and beside other gateways in the same run.

CPU is what the kernel counts for a whole process and its children, divided by the requests. Times and throughput depend
on the machine and on what else runs on it; CPU per request and ratios hardly do.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from measuring import VoidError
from part import Options, Report
from peer_settings import PEERS
from quoted import DOCS, blocks, heading, write_block

PARTS = {
    "host": "host_cost",
    "streaming": "streaming",
    "edits": "edits",
    "scrubbing": "scrubbing",
    "grpc": "grpc_calls",
    "peers": "peers",
    "growth": "growth",
}
"""Name of each part: its module beside this one, and its block in the page."""

PAGE = DOCS / "performance.md"
FIGURES = DOCS / "figures"


def main() -> None:
    """Run the parts that are named, or all of them."""
    arguments = parse(sys.argv[1:])
    names = arguments.only.split(",") if arguments.only else list(PARTS)
    if arguments.write and (absent := set(names) - set(blocks(PAGE))):
        raise SystemExit(f"{PAGE.name} has no block for {', '.join(sorted(absent))}")
    options = Options(
        requests=arguments.requests,
        connections=arguments.connections,
        rounds=arguments.rounds,
        servers=tuple(arguments.servers.split(",")),
        peers=tuple(name for name in arguments.peers.split(",") if name),
        peers_folder=arguments.peers_folder and arguments.peers_folder.resolve(),
    )
    exceeded = []
    for name in names:
        began = time.monotonic()
        try:
            report: Report = importlib.import_module(PARTS[name]).report(options)
        except VoidError as exception:
            raise SystemExit(f"{name}: void, because of {exception}") from exception
        text = heading(" ".join(["nox -s bench -- --only", name, *repeated(arguments, parse([]))])) + "\n" + report.text
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
        sys.stderr.write(f"{name} took {time.monotonic() - began:.0f} s\n")
        exceeded += report.exceeded
        if arguments.write:
            write_block(PAGE, name, text)
            if report.draw is not None:
                FIGURES.mkdir(exist_ok=True)
                report.draw(FIGURES / f"{name}.png")
    if exceeded and arguments.check:
        raise SystemExit("over its limit: " + "; ".join(exceeded))


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", help=f"parts, with commas: {', '.join(PARTS)}; all of them if not given")
    parser.add_argument("--requests", type=int, default=6000, help="for each row and round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3, help="the one with the least CPU counts")
    parser.add_argument("--servers", default="hypercorn,uvicorn", help="the host's HTTP servers, with commas")
    parser.add_argument("--peers", default=",".join(PEERS), help="other gateways, with commas; empty for none")
    parser.add_argument("--peers-folder", type=Path, help="where the other gateways are installed")
    parser.add_argument("--write", action="store_true", help="put figures and charts into docs/performance.md")
    parser.add_argument("--check", action="store_true", help="exit 1 if a figure is over its limit")
    found = parser.parse_args(arguments)
    for given, known in ((found.only, PARTS), (found.peers, PEERS)):
        if strangers := [name for name in (given or "").split(",") if name and name not in known]:
            parser.error(f"{', '.join(strangers)} is none of {', '.join(known)}")
    return found


def repeated(found: argparse.Namespace, defaults: argparse.Namespace) -> list[str]:
    """Say with which options a part can be measured again: those that bear on its figures and aren't the usual."""
    names = ("requests", "connections", "rounds", "servers", "peers")
    return [f"--{name}={getattr(found, name)}" for name in names if getattr(found, name) != getattr(defaults, name)]


if __name__ == "__main__":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    main()
