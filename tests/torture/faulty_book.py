"""Who is to be failed how: the faulty upstream's book of requests, drawn from the seed."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from random import Random

from faulty_call import Call, Fault
from faulty_components import COMPONENTS
from faulty_faults import COMMON, RIGHT
from faulty_streams import STREAMED

from jackfield.testing import Exchange, say

__all__ = ["Book", "Hit", "answer_to", "question"]

_NUMBER = re.compile(r"torture (\d+) ")
_RIGHT_SHARE = 0.4
_STUBBORN_SHARE = 0.3


def question(number: int) -> str:
    """What a request says: something that no other one says."""
    return f"torture {number} für {number * 7919 % 1_000_003}"


def answer_to(text: str) -> str:
    """What a well upstream answers."""
    return f"You said: {text}. Über {len(text)} Zeichen, alle gelesen, und keines davon vergessen."


@dataclass(frozen=True)
class Hit:
    """A call that has arrived.

    Attributes:
        component: whose it was.
        fault: what it met.
        at: when.
        reused: whether its connection had brought another call before.
    """

    component: str
    fault: Fault
    at: float
    reused: bool


@dataclass
class Book:
    """Answers calls of all components: a ``Behaviour``.

    Attributes:
        seed: what the faults are drawn from.
        well: answer everything right, as the grade ``calm`` always is.
        forced: what all others meet, in place of what would be drawn.
        hits: the calls of each request by its number.
        met: how often each fault was met.
        strays: calls that should not have come: of no component, without its own key, or while its breaker was open.
        closed: from when until when no call of a component may come.
    """

    seed: int
    well: bool = False
    forced: Fault | None = None
    hits: dict[int, list[Hit]] = field(default_factory=lambda: defaultdict(list))
    met: Counter[str] = field(default_factory=Counter)
    strays: list[str] = field(default_factory=list)
    closed: dict[str, tuple[float, float]] = field(default_factory=dict)
    _stubborn: dict[tuple[int, str], Fault] = field(default_factory=dict)
    _calls: set[asyncio.StreamWriter] = field(default_factory=set)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one call."""
        component = exchange.target.split("/")[1]
        provider = COMPONENTS.get(component)
        key = exchange.headers.get("x-api-key") or exchange.headers.get("authorization", "").removeprefix("Bearer ")
        if provider is None or key != provider.key:
            self.strays.append(exchange.target)
            await exchange.send(404, b"")
            return
        asked = provider.dialect.read(exchange)
        text = asked.messages[-1].text
        found = _NUMBER.match(text)
        assert found is not None, text
        number = int(found[1])
        calm = self.well or provider.grade == "calm"
        fault = RIGHT if calm else self.forced or self._draw(number, component, stream=asked.stream)
        reused = exchange.writer in self._calls
        self._calls.add(exchange.writer)
        now = time.monotonic()
        start, end = self.closed.get(component, (now, now))
        if start < now < end:
            self.strays.append(f"{component}, whose breaker was open")
        self.hits[number].append(Hit(component, fault, now, reused))
        self.met[fault.name] += 1
        call = Call(exchange=exchange, dialect=provider.dialect, asked=asked, said=say(answer_to(text)), key=key)
        try:
            await fault.act(call)
        finally:
            if exchange.writer.is_closing() or exchange.reader.at_eof():
                self._calls.discard(exchange.writer)

    def _draw(self, number: int, component: str, *, stream: bool) -> Fault:
        """Draw a fault. Some requests meet the same one again and again, others another each time, or none."""
        if (stubborn := self._stubborn.get((number, component))) is not None:
            return stubborn
        chance = Random(f"{self.seed}/{number}/{component}/{len(self.hits[number])}")
        if chance.random() < _RIGHT_SHARE:
            return RIGHT
        faults = [fault for fault in (*COMMON, *STREAMED) if fault.endings(stream=stream)]
        fault = chance.choices(faults, [fault.share for fault in faults])[0]
        if chance.random() < _STUBBORN_SHARE:
            self._stubborn[number, component] = fault
        return fault

    def close(self, number: int) -> list[Hit]:
        """Give a request's calls, and forget it."""
        for key in [key for key in self._stubborn if key[0] == number]:
            del self._stubborn[key]
        return self.hits.pop(number, [])

    def hang_up(self) -> None:
        """Close every connection, as a server that restarts does."""
        for writer in self._calls:
            writer.transport.abort()
        self._calls.clear()
