"""Running a scrubber: on the loop or off it, for a limited time, and closed when it fails."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jackfield import InvokeError, Record, RequestError, Scrubber, ScrubberMissing, Supply, is_fault

__all__ = ["TIME_LIMIT", "Runner", "count"]

TIME_LIMIT = 10.0
"""Seconds after which a scrub that runs in a thread is given up."""

T = TypeVar("T")
_log = logging.getLogger("jackfield.scrub")


class Runner:
    """Runs a scrubber for the stages of one component.

    Args:
        supply: the scrubber.
        time_limit: in seconds.
    """

    def __init__(self, supply: Supply[Scrubber[Any]], time_limit: float = TIME_LIMIT) -> None:
        self._supply = supply
        self._time_limit = time_limit
        self._digest: str | None = None

    async def ready(self) -> Scrubber[Any]:
        """Return the scrubber when it can be used; it is started by the first request that needs it.

        Raises:
            ScrubberMissing: it can't be started; the next request has it tried again.
        """
        scrubber = self._supply.component
        if not self._supply.ready:
            try:
                await self._supply.wait()
            except RequestError:
                raise
            except BaseException as error:
                if not is_fault(error):
                    raise
                _told(scrubber, "a scrubber could not be started", error)
                cause = f"scrubbing was asked for, and scrubber {scrubber.name} could not be started"
                raise ScrubberMissing(f"{cause} ({type(error).__name__}); see the host's log") from None
        return scrubber

    def digest(self) -> str:
        """Return what decides over the scrubber's findings."""
        if self._digest is None:
            self._digest = self._guarded(lambda: self._supply.component.digest)
        return self._digest

    async def run(self, work: Callable[[], T], size: int) -> T:
        """Do work that calls the scrubber: on the event loop, or in a thread if there is much to do.

        Args:
            work: the work; it gives back what it finds out and changes nothing else.
            size: how much text it reads, in characters.

        Raises:
            RequestError: what the work raises on purpose, such as a denial.
            InvokeError: the work failed, or took too long. The text says nothing of the exception's, as that may quote
                a message.
        """
        if size <= self._supply.component.inline_limit:
            return self._guarded(work)
        try:
            # The thread can't be stopped; what it finds is thrown away.
            async with asyncio.timeout(self._time_limit) as limit:
                return await asyncio.to_thread(self._guarded, work)
        except TimeoutError:
            if not limit.expired():
                raise
            name = self._supply.component.name
            cause = f"scrubbing took longer than {self._time_limit:g}s"
            raise InvokeError(f"{cause} with scrubber {name}; send less text at once") from None

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except RequestError:
            raise
        except BaseException as error:
            if not is_fault(error):
                raise
            scrubber = self._supply.component
            _told(scrubber, "a scrubber failed", error)
            cause = f"scrubber {scrubber.name} failed ({type(error).__name__})"
            raise InvokeError(f"{cause}, so nothing was sent on; see the host's log") from None


def count(record: Record, entities: Iterable[str]) -> None:
    """Add what was masked to the facts of a request."""
    for entity in entities:
        record.entities[entity] = record.entities.get(entity, 0) + 1


def _told(scrubber: Scrubber[Any], event: str, error: BaseException) -> None:
    """Log a fault by its kind and place: its text may quote a message."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{'/'.join(place.filename.rsplit('/', 2)[-2:])}:{place.lineno} in {place.name}"
    about = {"component": scrubber.name, "plugin": scrubber.plugin, "class": type(scrubber).__name__}
    about |= {"error": type(error).__name__, "at": at}
    _log.error(event, extra=about)
