"""Workers that are killed under load: the others serve on, and a new one takes the place."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic

from figures import BrokenPromiseError
from stop_clients import Asked
from stop_load import Loaded, loaded

__all__ = ["Killed", "kill_workers"]

_WORKERS = 3
_PATIENCE = 60.0


@dataclass
class Killed:
    """How killing workers went.

    Attributes:
        asked: every request.
        lost: those on connections of the killed.
        seconds: for each, from the kill until the new worker served.
    """

    asked: list[Asked]
    lost: list[Asked]
    seconds: list[float]


def kill_workers(folder: Path, server: str, random: Random, *, times: int) -> Killed:
    """Kill one worker of three under load, some times.

    Args:
        folder: empty, to work in.
        server: which server carries the host.
        random: draws the workers and the clients' pauses.
        times: how often.

    Raises:
        BrokenPromiseError: a request failed that another worker had, or the place stayed empty.
    """
    return asyncio.run(_kill_workers(folder, server, random, times))


async def _kill_workers(folder: Path, server: str, random: Random, times: int) -> Killed:
    kills: dict[int, float] = {}
    seconds = []
    async with loaded(folder, server, _WORKERS, random, named=True) as host:
        for _ in range(times):
            await asyncio.sleep(random.uniform(0.2, 0.5))  # a moment of load
            victim = random.choice(await _serving(host))
            kills[victim] = monotonic()
            os.kill(victim, signal.SIGKILL)
            await _replaced(host, victim)
            seconds.append(monotonic() - kills[victim])
        await asyncio.sleep(0.3)  # and one after the last
        asked = list(host.clients.asked)
        for task in host.tasks:
            task.cancel()
        await asyncio.gather(*host.tasks, return_exceptions=True)
        host.process.signal(signal.SIGTERM)
        code = await asyncio.to_thread(host.process.exit_code)
    ended = [each for each in asked if each.outcome]
    failed = [each for each in ended if each.outcome != "answered"]
    excused = [each for each in failed if each.outcome != "wrong" and each.connected and _was_killed(each, kills)]
    complaints = [f"{each.nonce}: {each.outcome} {each.detail}" for each in failed if each not in excused]
    complaints += [f"the host ended with code {code}"] if code else []
    if complaints:
        raise BrokenPromiseError(f"{server}, {times} of {_WORKERS} workers killed: {'; '.join(complaints)}")
    return Killed(ended, excused, seconds)


def _was_killed(asked: Asked, kills: dict[int, float]) -> bool:
    """Tell whether a request's connection was a killed worker's, or one that none had told its number on before."""
    if asked.worker:
        return asked.worker in kills
    return any(asked.opened <= at <= asked.ended for at in kills.values())


async def _serving(host: Loaded) -> list[int]:
    document = await host.clients.metadata()
    return [worker["pid"] for worker in document["workers"] if worker["state"] == "serving"]


async def _replaced(host: Loaded, victim: int) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            while victim in (pids := await _serving(host)) or len(pids) < _WORKERS:
                await asyncio.sleep(0.02)  # what is asked over HTTP has no signal
    except TimeoutError:
        raise BrokenPromiseError(f"no worker took the place of {victim} within {_PATIENCE:.0f} s") from None
