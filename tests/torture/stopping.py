"""`nox -s torture -- stop`: hosts that are stopped under load, and workers that are killed under load."""

from __future__ import annotations

from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure
from stop_kill import Killed, kill_workers
from stop_load import BUDGET
from stop_once import BOUND, STOPS, Stopped, Stopping, stop

__all__ = ["torture"]

_FULL = 120.0
_FORCED = [Stopping("hypercorn", 1, twice=True), Stopping("hypercorn", 3, twice=True)]


def torture(*, seconds: float, seed: int) -> list[Figure]:
    """Stop hosts in every form, and kill workers, under load.

    Args:
        seconds: 120 for twenty stops; with less time, fewer of them, drawn from the forms.
        seed: what pauses and moments are drawn from.

    Raises:
        BrokenPromiseError: a promise of docs/reliability.md didn't hold.
    """
    random = Random(seed)
    share = min(seconds / _FULL, 1.0)
    forms = STOPS if share == 1 else random.sample(STOPS, max(2, round(share * len(STOPS))))
    kills = max(1, round(share * 3))
    servers = ["hypercorn", "uvicorn"] if share == 1 else [random.choice(["hypercorn", "uvicorn"])]
    with TemporaryDirectory(prefix="stop-") as folder:
        places = (_place(Path(folder) / str(number)) for number in range(len(forms) + len(_FORCED) + len(servers)))
        stopped = [stop(next(places), form, Random(random.random())) for form in forms]
        forced = [stop(next(places), form, Random(random.random())) for form in _FORCED if share == 1]
        killed = [kill_workers(next(places), server, Random(random.random()), times=kills) for server in servers]
    return [*_of_stops(stopped), *_of_forced(forced), *_of_kills(killed)]


def _place(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _of_stops(stopped: list[Stopped]) -> list[Figure]:
    hung = [each.took for each in stopped if each.stopping.hangs]
    others = [each.took for each in stopped if not each.stopping.hangs]
    asked = [each for stop in stopped for each in stop.asked]
    under_way = [each for stop in stopped for each in stop.under_way]
    after = [each for stop in stopped for each in stop.after]
    told = [each for stop in stopped for each in stop.told]
    closed = [each for stop in stopped for each in stop.closed]
    whole = sum(each.outcome == "answered" for each in asked)
    figures = [
        Figure("stops under load", str(len(stopped))),
        Figure("requests answered", f"{whole:,}"),
        Figure("under way at the signal", f"{len(under_way):,}"),
        Figure("sent after the signal, on a connection that there was", f"{len(after):,}"),
        Figure("requests lost", "0", "limit 0"),
        Figure("told that the host stops, after the time for replies", str(len(told))),
        Figure("closed after half a second of silence, not begun", str(len(closed))),
        Figure("exit codes other than 0", "0", "limit 0"),
        Figure("processes, ports, sockets and files left", "0", "limit 0"),
    ]
    if others:
        text = f"{median(others):.1f} s, {max(others):.1f} s"
        figures.append(Figure("time from signal to end, median and longest", text, f"limit {BOUND:.0f} s"))
    if hung:
        text = f"{max(hung):.1f} s"
        figures.append(
            Figure(f"longest with a request that hangs, {BUDGET:.0f} s for replies", text, f"limit {BOUND:.0f} s")
        )
    return figures


def _of_forced(forced: list[Stopped]) -> list[Figure]:
    longest = max((each.took for each in forced), default=0.0)
    return [Figure("longest after a second signal, exit code 1", f"{longest:.1f} s")] if forced else []


def _of_kills(killed: list[Killed]) -> list[Figure]:
    seconds = [second for each in killed for second in each.seconds]
    return [
        Figure("workers of three killed", str(len(seconds))),
        Figure("requests meanwhile", f"{sum(len(each.asked) for each in killed):,}"),
        Figure("lost with the killed workers' connections", str(sum(len(each.lost) for each in killed))),
        Figure("lost on other workers' connections", "0", "limit 0"),
        Figure("until a new worker served, median and longest", f"{median(seconds):.1f} s, {max(seconds):.1f} s"),
    ]
