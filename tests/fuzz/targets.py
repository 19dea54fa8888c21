"""`nox -s fuzz`: whatever an operator, a caller or a provider may send, in search of what nobody thought of.

Examples are drawn by Hypothesis, which shrinks one that breaks a promise to its smallest form. The run ends with code 1
then, and says which; its seed brings the same examples again.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import time

from figures import BrokenPromiseError, Figure, table
from quoted import DOCS, heading, unusual, write_block
from searching import Search, Tally

TARGETS = {
    "manifests": "hostile_manifests",
    "scrubber": "hostile_texts",
    "streams": "hostile_streams",
    "requests": "hostile_requests",
    "openapi": "hostile_documents",
    "values": "hostile_values",
}
"""Name of each target: its module beside this one, which has `target()`."""

SECONDS = 30.0
"""For each property of a target."""


def _figures(tallies: list[Tally]) -> list[Figure]:
    """Give a line for each property, and one for all that was measured as it grows."""
    grown = [tally for tally in tallies if tally.grown]
    figures = [tally.figure for tally in tallies if not tally.grown]
    if grown:
        slowest = max(tally.slowest for tally in grown)
        figures.append(Figure("time beside size", f"{len(grown)} shapes, {slowest * 1000:,.0f} ms slowest", "linear"))
    return figures


def main() -> None:
    """Search the targets that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"any of {', '.join(TARGETS)}; all if none")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time for each property of a target")
    parser.add_argument("--seed", type=int, default=20261123, help="what the examples are drawn from")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    arguments = parser.parse_args()
    if strangers := set(arguments.targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(strangers))}; there are {', '.join(TARGETS)}")
    if arguments.write and arguments.targets:
        parser.error("--write takes the figures of all targets; leave the names out")
    logging.getLogger().addHandler(logging.NullHandler())  # what servers say of each bad request is not for the report
    search = Search(arguments.seconds, arguments.seed)
    broken = 0
    options = unusual(parser, arguments)
    text = (
        heading(" ".join(["nox -s fuzz", *(["--"] if options else []), *options]))
        + f"seed {arguments.seed}, {arguments.seconds:g} s for each line\n"
    )
    for name in arguments.targets or TARGETS:
        began = time.monotonic()
        try:
            tallies = search.through(importlib.import_module(TARGETS[name]).target)
        except BrokenPromiseError as exception:
            broken += 1
            sys.stdout.write(f"{name}: BROKEN after {time.monotonic() - began:.0f} s: {exception}\n\n")
            continue
        found = table(_figures(tallies))
        text += f"\n{name}\n{found}"
        sys.stdout.write(f"{name}\n{found}\n")
        sys.stdout.flush()
    if broken:
        raise SystemExit(f"{broken} of the targets found a broken promise")
    if arguments.write:
        write_block(DOCS / "reliability.md", "fuzz", text)


if __name__ == "__main__":
    main()
