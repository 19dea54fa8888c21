"""What observers are told beside finished requests, and how they are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct

from jackfield.faults import is_fault
from jackfield.logs import frames
from jackfield.messages import Record

__all__ = ["BreakerChange", "CatalogChange", "ComponentChange", "Observers"]

_log = logging.getLogger("jackfield.host")
ToldT = TypeVar("ToldT")
Observer: TypeAlias = Callable[[ToldT], None]
"""A plain function that doesn't wait."""
Told: TypeAlias = tuple[tuple[str, Observer[ToldT]], ...]
"""Observers, each behind its plugin's name."""


class ComponentChange(Struct, frozen=True, kw_only=True):
    """What has become of one component.

    Attributes:
        name: the component's name.
        type_name: its component type.
        what: ``loaded`` and ``updated`` if an instance was built, ``failed`` if its document could not be read or
            built, ``restored`` if the document is again what serves, ``removed``, or ``starting``.
        state: how it stands now, such as ``ready`` or ``stale``; ``removed`` if it is gone.
    """

    name: str
    type_name: str
    what: Literal["starting", "loaded", "updated", "restored", "failed", "removed"]
    state: str


class CatalogChange(Struct, frozen=True, kw_only=True):
    """A new catalog.

    Attributes:
        generation: its number.
        components: what has changed; may be nothing that is worth a log line.
    """

    generation: int
    components: tuple[ComponentChange, ...] = ()


class BreakerChange(Struct, frozen=True, kw_only=True):
    """A circuit breaker is there, has changed its state, or is gone.

    Attributes:
        component: whose calls it holds back.
        name: the breaker's name.
        state: ``closed``, ``open``, ``half-open``, or ``removed``.
    """

    component: str
    name: str
    state: str


class Observers(Struct, frozen=True):
    """The functions that plugins have registered, in the plugins' order.

    Attributes:
        requests: told of finished requests.
        catalogs: told of new catalogs.
        breakers: told of circuit breakers.
    """

    requests: Told[Record] = ()
    catalogs: Told[CatalogChange] = ()
    breakers: Told[BreakerChange] = ()

    @classmethod
    def together(cls, several: Iterable[Observers]) -> Observers:
        """Join the observers of several plugins."""
        several = list(several)
        return cls(
            tuple(one for each in several for one in each.requests),
            tuple(one for each in several for one in each.catalogs),
            tuple(one for each in several for one in each.breakers),
        )

    def request_finished(self, record: Record) -> None:
        """Tell of a request that has been answered."""
        _tell(self.requests, record)

    def catalog_changed(self, change: CatalogChange) -> None:
        """Tell of a new catalog."""
        _tell(self.catalogs, change)

    def breaker_changed(self, change: BreakerChange) -> None:
        """Tell of a circuit breaker."""
        _tell(self.breakers, change)


def _tell(observers: Told[ToldT], what: ToldT) -> None:
    for plugin, observer in observers:
        try:
            observer(what)
        except BaseException as error:
            if not is_fault(error):
                raise
            about = {"plugin": plugin, "error": type(error).__name__, "at": frames(error)}
            _log.warning("an observer raised an error", extra=about)
