"""One host that is stopped under load, and what it has promised about that."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic

from figures import BrokenPromiseError
from leftovers import descendants, leftovers
from stop_clients import Asked
from stop_load import BUDGET, Loaded, loaded

__all__ = ["BOUND", "STOPS", "Stopped", "Stopping", "lost", "stop"]

BOUND = BUDGET + 5.0
"""Seconds that a stop may take: those for running replies, and five more."""
_SILENT = 0.4
"""Seconds of silence from which a connection may be closed: the host leaves it half a second, and clocks differ."""
_STOPPING = "the host is stopping and the reply took too long"
_AT_ONCE = 5.0
_EARLY = 0.1


@dataclass(frozen=True)
class Stopping:
    """One form of a stop.

    Attributes:
        server: which server carries the host.
        workers: how many serving processes.
        signal: what stops it.
        hangs: one request never ends.
        unix: over a Unix socket instead of a port.
        twice: the signal comes a second time.
    """

    server: str
    workers: int
    signal: signal.Signals = signal.SIGTERM
    hangs: bool = False
    unix: bool = False
    twice: bool = False

    def __str__(self) -> str:
        said = f"{self.server}, {self.workers} worker{'s' * (self.workers > 1)}, {self.signal.name}"
        return said + " twice" * self.twice + ", one request hangs" * self.hangs + ", Unix socket" * self.unix


_FORMS = [(server, workers) for workers in (1, 3) for server in ("hypercorn", "uvicorn")]
STOPS = [
    *(Stopping(server, workers) for server, workers in _FORMS),
    *(Stopping(server, workers, hangs=True) for server, workers in _FORMS),
    *(Stopping(server, workers, unix=True) for server, workers in _FORMS),
    *(Stopping(server, workers, signal=signal.SIGINT) for server, workers in _FORMS),
    *(Stopping(server, workers) for server, workers in _FORMS),
]
"""Twenty."""


@dataclass
class Stopped:
    """How a stop went.

    Attributes:
        stopping: its form.
        asked: every request.
        at: when the signal was sent.
        took: seconds from then to the process's end.
    """

    stopping: Stopping
    asked: list[Asked]
    at: float
    took: float

    @property
    def under_way(self) -> list[Asked]:
        """The requests that ran when the signal came."""
        return [asked for asked in self.asked if asked.connected and asked.sent <= self.at < asked.ended]

    @property
    def after(self) -> list[Asked]:
        """The requests that were sent after the signal on a connection that there was."""
        return [asked for asked in self.asked if asked.connected and asked.sent > self.at]

    @property
    def told(self) -> list[Asked]:
        """Those that were told that the host stops, as the time for replies was over."""
        return [asked for asked in self.asked if asked.kind != "hang" and _was_told(asked)]

    @property
    def closed(self) -> list[Asked]:
        """Those on connections that the host closed as they had been silent for long."""
        return [asked for asked in self.asked if asked.outcome == "closed unread"]


def stop(folder: Path, stopping: Stopping, random: Random) -> Stopped:
    """Stop a host under load, and see that it keeps what it promises.

    Args:
        folder: empty, to work in.
        stopping: the form.
        random: draws moments and pauses.

    Raises:
        BrokenPromiseError: it doesn't; the text says what happened, and when.
    """
    return asyncio.run(_stop(folder, stopping, random))


async def _stop(folder: Path, stopping: Stopping, random: Random) -> Stopped:
    async with loaded(folder, stopping.server, stopping.workers, random, unix=stopping.unix) as host:
        if stopping.hangs or stopping.twice:
            await host.hang()
        pids = {host.process.popen.pid} | descendants(host.process.popen.pid)
        await asyncio.sleep(random.uniform(0.3, 0.6))  # the moments are drawn, so that they are others each time
        host.process.signal(signal.SIGHUP)
        await asyncio.sleep(random.uniform(0.0, 0.4))
        at = monotonic()
        host.process.signal(stopping.signal)
        if stopping.twice:
            await asyncio.to_thread(host.process.wait_for, "msg=stopping")
            host.process.signal(stopping.signal)
        code = await asyncio.to_thread(host.process.exit_code)
        stopped = Stopped(stopping, host.clients.asked, at, monotonic() - at)
        if not stopping.twice:
            await asyncio.gather(*host.tasks)
        complaints = [*(_forced if stopping.twice else _graceful)(stopped, code, host)]
        ports = [int(port) for port in re.findall(r"=(?:http://)?127\.0\.0\.1:(\d+)", host.process.log)]
        complaints += leftovers(pids, ports, host.temporary, host.unix, killed=stopping.twice)
        if complaints:
            log = "".join(host.process.lines[-15:])
            raise BrokenPromiseError(f"{stopping}: {'; '.join(complaints)}; {_told(stopped)}. The log ends with\n{log}")
    return stopped


def _forced(stopped: Stopped, code: int, _: Loaded) -> list[str]:
    found = [] if code == 1 else [f"it ended with code {code} after a second signal, not with 1"]
    return found if stopped.took < _AT_ONCE else [*found, f"it took {stopped.took:.1f} s to end at once"]


def _graceful(stopped: Stopped, code: int, host: Loaded) -> list[str]:
    found = [] if code == 0 else [f"it ended with code {code}"]
    if stopped.took > BOUND:
        found.append(f"it took {stopped.took:.1f} s")
    complaints = ((asked, lost(asked, stopped, host.upstream.begun)) for asked in stopped.asked)
    return found + [f"{asked.nonce} was {asked.outcome or 'never ended'}{text}" for asked, text in complaints if text]


def lost(asked: Asked, stopped: Stopped, begun: Collection[str]) -> str:
    """Say how a request was lost; empty if it wasn't.

    Args:
        asked: the request.
        stopped: the stop.
        begun: the nonces of the requests that have come through to the upstream.
    """
    sent = f", sent {asked.sent - stopped.at:+.3f} s from the signal, {asked.silent:.3f} s after its connection's last"
    if asked.outcome == "refused" and asked.sent > stopped.at:
        return ""
    if asked.kind == "hang":
        return "" if _was_told(asked) else f", not told that the host stops: {asked.detail}"
    if asked.outcome == "answered" or (_was_told(asked) and asked.ended > stopped.at + BUDGET - _EARLY):
        return ""
    if asked.outcome == "closed unread" and asked.sent > stopped.at and asked.silent > _SILENT:
        # Whoever sends it again must not have it done twice.
        return f"{sent}, and yet it was begun" if asked.nonce in begun else ""
    return f"{sent}: {asked.detail}"


def _was_told(asked: Asked) -> bool:
    return (
        asked.outcome == "wrong" and _STOPPING in asked.detail and asked.detail.startswith(("500", "the stream ends"))
    )


def _told(stopped: Stopped) -> str:
    counts = Counter(asked.outcome or "never ended" for asked in stopped.asked)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
