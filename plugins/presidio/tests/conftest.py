"""What several tests of this plugin need: started scrubbers, and texts scrubbed with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from jackfield import Build
from jackfield_presidio import PresidioScrubber, PresidioSettings

Make: TypeAlias = Callable[..., PresidioScrubber]
Scrub: TypeAlias = Callable[[str], str]


def made(**settings: Any) -> PresidioScrubber:
    """Build a scrubber that isn't started."""
    decoded = PresidioSettings.model_validate(settings)
    return PresidioScrubber(Build(name="pii", type_name="scrubber.presidio", settings=decoded))


def scrubbed(scrubber: PresidioScrubber, text: str) -> str:
    """Put the label of each span in its place."""
    written: list[str] = []
    place = 0
    for span in scrubber.find(text):
        written += (text[place : span.start], span.label)
        place = span.end
    return "".join([*written, text[place:]])


@pytest.fixture(scope="session", name="scrubber")
def _scrubber() -> PresidioScrubber:
    """The scrubber with default settings, started."""
    scrubber = made()
    asyncio.run(scrubber.start())
    return scrubber


@pytest.fixture(name="scrub")
def _scrub(scrubber: PresidioScrubber) -> Scrub:
    """Scrub a text with default settings."""
    return lambda text: scrubbed(scrubber, text)


@pytest.fixture(name="make")
def _make() -> Iterator[Make]:
    """Build and start scrubbers, and close them at the end."""
    scrubbers: list[PresidioScrubber] = []

    def make(**settings: Any) -> PresidioScrubber:
        scrubber = made(**settings)
        asyncio.run(scrubber.start())
        scrubbers.append(scrubber)
        return scrubber

    yield make
    for scrubber in scrubbers:
        asyncio.run(scrubber.close())


@pytest.fixture(name="scrub_with")
def _scrub_with(make: Make) -> Callable[..., str]:
    """Scrub a text with the settings given."""
    return lambda text, **settings: scrubbed(make(**settings), text)
