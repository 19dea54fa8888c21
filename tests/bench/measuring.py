"""One row of a table: what some requests cost a process, taken in turns with the other rows of the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from load import Load
from processes import Measured

__all__ = ["Sample", "VoidError", "in_turns", "sample"]


class VoidError(Exception):
    """A request failed, so the row says nothing; the text says what came instead of the right reply."""


@dataclass(frozen=True)
class Sample:
    """What the requests of one round cost.

    Attributes:
        cpu: microseconds of CPU for one request.
        throughput: requests per second.
        middle: the time that half of the requests stay under, in milliseconds (p50).
        slow: the time that 99 % stay under, in milliseconds (p99).
        memory: resident MiB afterwards.
        first: the body of the first reply.
    """

    cpu: float
    throughput: float
    middle: float
    slow: float
    memory: float
    first: bytes


def sample(process: Measured, load: Load, *, requests: int, connections: int) -> Sample:
    """Warm up, then measure.

    Raises:
        VoidError: a reply was not the right one.
    """
    load.run(requests=max(requests // 5, len(load.paths), connections), connections=connections)
    outcome = load.run(requests=requests, connections=connections, meter=lambda: process.cpu)
    if outcome.faults or len(outcome.latencies) != requests:
        raise VoidError(", ".join(f"{count}x {kind}" for kind, count in outcome.faults.items()) or "missing replies")
    return Sample(
        cpu=outcome.cpu / requests * 1e6,
        throughput=requests / outcome.seconds,
        middle=outcome.percentile(0.5) * 1000,
        slow=outcome.percentile(0.99) * 1000,
        memory=process.memory,
        first=outcome.first,
    )


def in_turns(cases: Mapping[str, Callable[[], Sample]], rounds: int) -> dict[str, Sample | VoidError]:
    """Measure all cases, then all again; of each the round with the least CPU counts, or the first that is void."""
    best: dict[str, Sample | VoidError] = {}
    for _ in range(rounds):
        for name, take in cases.items():
            known = best.get(name)
            if isinstance(known, VoidError):
                continue
            try:
                new = take()
            except VoidError as exception:
                best[name] = exception
                continue
            if known is None or new.cpu < known.cpu:
                best[name] = new
    return best
