"""`nox -s torture`: what the host does under load when everything around it goes wrong.

Each suite drives `jackfield serve` as a process of its own, over real sockets, and checks every reply. A suite whose
promise is broken ends the run with code 1 and says what happened; its seed brings the same faults again.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from figures import BrokenPromiseError, table
from quoted import DOCS, heading, unusual, write_block

SUITES = {
    "reload": ("reloading", 180.0),
    "upstream": ("faulty_upstreams", 120.0),
    "plugins": ("misbehaving", 60.0),
    "stores": ("failing_stores", 60.0),
    "stop": ("stopping", 120.0),
    "soak": ("soaking", 900.0),
}
"""Name of each suite: its module beside this one, which has `torture(*, seconds, seed)`, and its time in seconds."""


def main() -> None:
    """Run the suites that are named, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"any of {', '.join(SUITES)}; all of them if none")
    parser.add_argument("--seconds", type=float, help="time for each suite, instead of its own")
    parser.add_argument("--seed", type=int, default=20261123, help="what the faults are drawn from")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    arguments = parser.parse_args()
    if strangers := set(arguments.suites) - set(SUITES):
        parser.error(f"no suite {', '.join(sorted(strangers))}; there are {', '.join(SUITES)}")
    broken = 0
    for name in arguments.suites or SUITES:
        module, seconds = SUITES[name]
        began = time.monotonic()
        try:
            figures = importlib.import_module(module).torture(seconds=arguments.seconds or seconds, seed=arguments.seed)
        except BrokenPromiseError as exception:
            broken += 1
            sys.stdout.write(f"{name}: BROKEN after {time.monotonic() - began:.0f} s: {exception}\n\n")
            continue
        took = f"seed {arguments.seed}, {time.monotonic() - began:.0f} s\n"
        text = (
            heading(" ".join(["nox -s torture --", name, *unusual(parser, arguments)])) + took + "\n" + table(figures)
        )
        sys.stdout.write(text + "\n")
        if arguments.write:
            write_block(DOCS / "reliability.md", f"torture {name}", text)
    if broken:
        raise SystemExit(f"{broken} of the suites found a broken promise")


if __name__ == "__main__":
    main()
