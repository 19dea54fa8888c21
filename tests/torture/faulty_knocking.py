"""Whether calls of servers that can't be reached end as the docs say, alone and as a router's first target."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from faulty_book import Book, answer_to, question
from faulty_call import Kind
from faulty_clients import FRONTS, Answer, Clients
from faulty_components import GRADES, Grade, manifest, router
from faulty_doors import CONNECT_SECONDS, Door
from figures import BrokenPromiseError

__all__ = ["knock", "write_doors"]

_KEY: Final = "sk-behind-a-door-0123456789abcdef"
_BEHIND: Final = "openai-calm"
_MARGIN: Final = 15.0
_WORDS: Final = {Kind.BROKE: "network error: ", Kind.LATE: "request timeout: "}
_STATUS: Final = {Kind.BROKE: (502, "provider_unreachable"), Kind.LATE: (504, "provider_timeout")}


def write_doors(folder: Path, doors: list[Door], authority: str) -> dict[str, Grade]:
    """Write a component and a router for each door; give the policies that are to apply to the components."""
    for door in doors:
        items = {"endpoint": door.endpoint, "key": _KEY, "model": "m-1", "connectTimeout": f"{CONNECT_SECONDS}s"}
        if door.endpoint.startswith("https:"):
            items["caCert"] = authority
        (folder / f"door-{door.name}.yaml").write_text(manifest(f"door-{door.name}", "openai", items))
        name = f"past-{door.name}"
        (folder / f"{name}.yaml").write_text(router(name, [f"door-{door.name}", _BEHIND]))
    return {f"door-{door.name}": GRADES["retry"] for door in doors}


async def knock(clients: Clients, book: Book, doors: list[Door], numbers: int) -> int:
    """Ask at each door over each front end, and past it; gives the number of requests.

    Args:
        clients: who asks.
        book: who answers behind the routers.
        doors: all doors.
        numbers: the first of the requests' numbers.
    """
    each = 2 * len(FRONTS)
    tasks = (_one(clients, book, door, numbers + place * each) for place, door in enumerate(doors))
    await asyncio.gather(*tasks)
    return len(doors) * each


async def _one(clients: Clients, book: Book, door: Door, number: int) -> None:
    attempts, before = GRADES["retry"].attempts, door.connections
    bound = attempts * CONNECT_SECONDS + _MARGIN

    async def ask(front: str, place: int, name: str) -> Answer:
        try:
            async with asyncio.timeout(bound):
                return await clients.ask(front, name, question(place))
        except TimeoutError:
            raise BrokenPromiseError(f"{name} over {front}: no answer in {bound:.1f} s") from None

    name = f"door-{door.name}"
    answers = await asyncio.gather(*(ask(front, number + place, name) for place, front in enumerate(FRONTS)))
    for front, answer in zip(FRONTS, answers, strict=True):
        _check(answer, front, _as_seen(door, answer))
    exact = all(_as_seen(door, answer) is door for answer in answers)
    due = attempts * len(FRONTS)
    if exact and before is not None and door.connections is not None and door.connections - before != due:
        came = door.connections - before
        raise BrokenPromiseError(f"{name}: {len(FRONTS)} requests of {attempts} attempts came to {came} connections")

    name, number = f"past-{door.name}", number + len(FRONTS)
    answers = await asyncio.gather(*(ask(front, number + place, name) for place, front in enumerate(FRONTS)))
    for place, answer in enumerate(answers, number):
        if not answer.done or answer.text != answer_to(question(place)) or answer.served not in {"", _BEHIND}:
            raise BrokenPromiseError(f"{name} was not answered by {_BEHIND}: {answer}")
        book.close(place)


def _as_seen(door: Door, answer: Answer) -> Door:
    """Tell how a door looks from a machine too busy for a handshake within ``connectTimeout``: as a slow one."""
    slow = answer.seconds >= CONNECT_SECONDS and _WORDS[Kind.LATE] in answer.message
    return replace(door, kind=Kind.LATE, words="connectTimeout") if slow and door.kind is not Kind.LATE else door


def _check(answer: Answer, front: str, door: Door) -> None:
    status, code = _STATUS[door.kind] if front.startswith("openai") else (500, "ERR_CONVERSATION_INVOKE")
    code = "INTERNAL" if front == "grpc" else code
    told = _WORDS[door.kind] in answer.message and door.words in answer.message
    if (answer.status, answer.code) != (status, code) or not told:
        due = f"{status} {code} with {_WORDS[door.kind]!r} and {door.words!r}"
        got = f"{answer.status} {answer.code} {answer.message!r}"
        raise BrokenPromiseError(f"door-{door.name} over {front}: {due} is due, and was {got}")
    if re.search(rf"Traceback|{_KEY}|torture \d", answer.raw):
        raise BrokenPromiseError(f"door-{door.name} over {front}: {answer.raw}")
