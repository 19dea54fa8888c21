"""Who runs the services that run once."""

from __future__ import annotations

import asyncio

from jackfield.serving.frames import RunServices, encode
from jackfield.serving.role import ServiceRole
from jackfield.serving.slot import Slot


class Place(Slot):
    """A slot that keeps what it is told."""

    def __init__(self, worker: int, *, serves: bool = True) -> None:
        super().__init__(worker, attached=serves, started=serves)
        self.told: list[bytes] = []

    def tell(self, kind: str, data: bytes) -> None:
        self.told.append(data)


def test_one_worker_that_serves_has_the_services() -> None:
    """The first that serves gets them, once; one that doesn't serve yet is passed over."""
    places = [Place(1, serves=False), Place(2), Place(3)]
    role = ServiceRole(places, asyncio.Event())
    role.offer()
    places[0].attached = places[0].started = True
    role.offer()
    assert [place.told for place in places] == [[], [encode(RunServices())], []]


def test_another_gets_them_when_they_are_free() -> None:
    """Only their holder can free them, and the next that serves gets them at once."""
    places = [Place(1), Place(2)]
    role = ServiceRole(places, asyncio.Event())
    role.offer()
    role.free(places[1])
    assert not places[1].told
    places[0].started = False
    role.free(places[0])
    assert places[1].told == [encode(RunServices())]


def test_nobody_gets_them_from_a_host_that_stops() -> None:
    """What ends with the host is not started again elsewhere."""
    stopping = asyncio.Event()
    places = [Place(1), Place(2)]
    role = ServiceRole(places, stopping)
    role.offer()
    stopping.set()
    role.free(places[0])
    assert not places[1].told
