"""Whether breakers open when the docs say so, keep calls away while open, and close once the server is well."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faulty_book import answer_to, question
from faulty_call import Act, Call, Kind
from faulty_clients import FRONTS, Answer, Clients
from faulty_components import BREAKER_SECONDS, FAILURES_TO_OPEN, GRADES, Grade, Provider, manifest
from faulty_faults import refusal
from faulty_oracle import WORDS
from faulty_stalls import Stalls
from figures import BrokenPromiseError

from jackfield.testing import Exchange, hang, reset, say

__all__ = ["Patient", "rounds", "write_patients"]

_ASKERS: Final = 8
_AT_ONCE: Final = 1.5
_PATIENCE: Final = 10.0


async def _reset(call: Call) -> None:
    await reset(call.exchange)


async def _hang(call: Call) -> None:
    await hang(call.exchange)


async def _nonsense(call: Call) -> None:
    await call.exchange.send(200, b"[]")


async def _cut(call: Call) -> None:
    if call.stream:
        await call.exchange.send_events(call.half(), content_type=call.dialect.stream_type)
    else:
        await call.exchange.send(200, call.whole()[:-9])


_ILLS: Final[dict[str, tuple[Act, Kind | None]]] = {
    "503": (refusal(503), Kind.STATUS),
    "429": (refusal(429), Kind.STATUS),
    "reset": (_reset, Kind.BROKE),
    "nonsense": (_nonsense, Kind.NONSENSE),
    "cut": (_cut, None),
    "hang": (_hang, Kind.LATE),
}
"""What a server may suffer from: what it does then, and how its calls end; None if that hangs on the form."""


@dataclass
class Patient:
    """A server that is ill or well as a whole: a ``Behaviour``.

    Attributes:
        api: what it speaks.
        ill: what it does; None while it is well.
        calls: how many calls have arrived.
    """

    api: str
    ill: Act | None = None
    calls: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of its component."""
        return f"patient-{self.api}"

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one call."""
        self.calls += 1
        self.writers.append(exchange.writer)
        dialect = Provider(self.api, "guarded").dialect
        asked = dialect.read(exchange)
        text = asked.messages[-1].text
        call = Call(exchange=exchange, dialect=dialect, asked=asked, said=say(answer_to(text)), key="sk-of-a-patient")
        await (call.right() if self.ill is None else self.ill(call))

    def hang_up(self) -> None:
        """Close all connections: the next call comes on one that no call has used, and is made once only."""
        for writer in self.writers:
            writer.close()
        self.writers.clear()


def write_patients(folder: Path, endpoints: dict[str, str]) -> dict[str, Grade]:
    """Write the components by API and endpoint; give the policies that are to apply to them."""
    for api, endpoint in endpoints.items():
        items = {"endpoint": endpoint, "key": "sk-of-a-patient", "model": "m-1"}
        (folder / f"patient-{api}.yaml").write_text(manifest(f"patient-{api}", api, items))
    return {f"patient-{api}": GRADES["guarded"] for api in endpoints}


async def rounds(clients: Clients, patients: Sequence[Patient], stalls: Stalls, *, until: float, numbers: int) -> int:
    """Make the servers ill of one thing after the other, each of at least one; gives the number of rounds.

    Args:
        clients: who asks.
        patients: the servers.
        stalls: when this machine stood still, and no round is judged.
        until: when to stop, by the clock.
        numbers: the first of the requests' numbers.

    Raises:
        BrokenPromiseError: a breaker doesn't do what the docs say.
    """

    async def one(patient: Patient, ills: Sequence[str], number: int) -> int:
        done = 0
        for name in itertools.cycle(ills):
            began = time.monotonic()
            try:
                await _round(clients, patient, name, number + done * 1000)
            except BrokenPromiseError as error:
                await asyncio.sleep(0.1)
                if not stalls.excuse(began, time.monotonic(), str(error)):
                    raise
                patient.ill = None
                await asyncio.sleep(BREAKER_SECONDS)
            done += 1
            if time.monotonic() >= until:
                break
        return done

    names = list(_ILLS)
    begun = (
        one(patient, [*names[2 * place :], *names[: 2 * place]], numbers + place * 100_000)
        for place, patient in enumerate(patients)
    )
    return sum(await asyncio.gather(*begun))


async def _round(clients: Clients, patient: Patient, ill: str, number: int) -> None:
    """One illness from its beginning to its end."""
    act, kind = _ILLS[ill]
    about = f"{patient.name} with {ill}"

    async def ask(place: int, fronts: Sequence[str] = FRONTS) -> Answer:
        return await clients.ask(fronts[place % len(fronts)], patient.name, question(number + place))

    async def ask_all(first: int, count: int = _ASKERS, fronts: Sequence[str] = FRONTS) -> list[Answer]:
        return list(await asyncio.gather(*(ask(first + place, fronts) for place in range(count))))

    _demand((await ask(0)).done, about, "a request before it wasn't answered")
    patient.ill, patient.calls = refusal(400), 0
    refused = await ask_all(1, FAILURES_TO_OPEN + 1)
    _demand(all("400" in answer.message for answer in refused), about, f"a 400 wasn't told: {refused}")
    _demand(await _state(clients, patient) == "closed", about, "wrong requests have opened the breaker")

    patient.hang_up()
    patient.ill, patient.calls = act, 0
    for answer in await ask_all(10, FAILURES_TO_OPEN):
        _demand(not answer.done, about, f"a request was answered: {answer}")
        told = kind is None or WORDS[kind].search(answer.message)
        _demand(bool(told), about, f"the answer doesn't tell of it: {answer.message}")
    opened = time.monotonic()
    _demand(patient.calls == FAILURES_TO_OPEN, about, f"{FAILURES_TO_OPEN} failures came to {patient.calls} calls")
    refused = await ask_all(20)
    if time.monotonic() < opened + BREAKER_SECONDS * 0.7:  # or this machine was too busy to ask them in time
        _all_refused(refused, about)
        _demand(patient.calls == FAILURES_TO_OPEN, about, "a call came through while it was open")

    await _half_open(clients, patient, opened, about)
    before = patient.calls
    # A stream is a success as a trial as soon as it begins, whatever becomes of it.
    trial = await ask_all(30, fronts=[front for front in FRONTS if kind or not front.endswith("-stream")])
    came = patient.calls - before
    _demand(came == 1, about, f"{came} calls came through as trials, where one is due")
    _demand(not any(answer.done for answer in trial), about, "a trial was answered by a server that is ill")

    opened, patient.ill = time.monotonic(), None
    await _half_open(clients, patient, opened, about)
    _demand((await ask(40)).done, about, "the trial of a server that is well again wasn't answered")
    _demand(await _state(clients, patient) == "closed", about, "it isn't closed after a successful trial")
    for place, answer in enumerate(await ask_all(50), 50):
        due = answer_to(question(number + place))
        _demand(answer.done and answer.text == due, about, f"a request after it wasn't answered: {answer}")


def _all_refused(answers: Sequence[Answer], about: str) -> None:
    for answer in answers:
        told = WORDS[Kind.OPEN].search(answer.message)
        _demand(bool(told), about, f"the answer doesn't tell that the breaker is open: {answer.message or answer.text}")
        _demand(answer.seconds < _AT_ONCE, about, f"an open breaker took {answer.seconds:.1f} s to say so")


async def _half_open(clients: Clients, patient: Patient, opened: float, about: str) -> None:
    """Wait for the end of a breaker's time; it must be that of the policy."""
    while (state := await _state(clients, patient)) == "open":
        _demand(time.monotonic() < opened + _PATIENCE, about, f"it is still open after {_PATIENCE:g} s")
        await asyncio.sleep(0.02)
    _demand(state == "half-open", about, f"it is {state} where it should be half-open")


async def _state(clients: Clients, patient: Patient) -> str:
    document = await clients.json("/v1.0/metadata")
    return next(str(one["state"]) for one in document["jackfield"]["breakers"] if one["component"] == patient.name)


def _demand(holds: bool, about: str, otherwise: str) -> None:
    if not holds:
        raise BrokenPromiseError(f"breaker of {about}: {otherwise}")
