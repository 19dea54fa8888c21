"""What may be answered while manifests change: for each component its versions in order, and how far each worker is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from figures import BrokenPromiseError
from raw_client import Answer
from versioned_plugin import Told, told

__all__ = ["GONE", "Ledger", "Ticket"]

GONE = "gone"
"""The version of a component that isn't there: its documented error."""


@dataclass
class _Subject:
    """One component.

    Attributes:
        versions: what it was and will be, the newest last.
        reached: by worker, the place in ``versions`` of the newest answer.
        numbers: by worker, the instance that answered last.
        edit: the edit that it went through last.
    """

    versions: list[str]
    reached: dict[int, int] = field(default_factory=dict)
    numbers: dict[int, int] = field(default_factory=dict)
    edit: str = "none yet"


class Ticket(NamedTuple):
    """What was known of a component when it was asked: by worker, the oldest version that may come."""

    name: str
    reached: Mapping[int, int]


class Ledger:
    """Knows what every component may answer.

    An answer is right if it is the newest version that its worker had given when the request left, or a later one. It
    takes note of each answer, so a worker that goes back to an older version is found out.

    Attributes:
        answers: how many were right.
        gone: how many of them were the documented error for a component that isn't there.
    """

    def __init__(self) -> None:
        self._subjects: dict[str, _Subject] = {}
        self.workers: tuple[int, ...] = ()
        self.answers = 0
        self.gone = 0

    @property
    def names(self) -> list[str]:
        """All components that there are or were."""
        return list(self._subjects)

    def known(self, name: str, version: str) -> None:
        """Note a component that serves before the first edit."""
        self._subjects[name] = _Subject([version])

    def version(self, name: str) -> str:
        """The newest version of a component."""
        return self._subjects[name].versions[-1] if name in self._subjects else GONE

    def settled(self, names: Iterable[str]) -> None:
        """Note that every worker has the newest version of components: none may go back behind it from now on."""
        for name in names:
            if name in self._subjects:
                subject = self._subjects[name]
                subject.reached = dict.fromkeys(self.workers, len(subject.versions) - 1)

    def begin(self, edit: str, changes: Mapping[str, str]) -> dict[str, int]:
        """Note that an edit begins.

        Args:
            edit: names it, for the message of a broken promise.
            changes: by component what it will be; a component that keeps its version is only marked with the edit.

        Returns:
            The new versions' places, for those that change.
        """
        places = {}
        for name, version in changes.items():
            subject = self._subjects.setdefault(name, _Subject([GONE], dict.fromkeys(self.workers, 0)))
            subject.edit = edit
            if subject.versions[-1] != version:
                subject.versions.append(version)
                places[name] = len(subject.versions) - 1
        return places

    def may_have_gone(self, name: str) -> None:
        """Allow for a component to be gone for a moment before its newest version."""
        subject = self._subjects[name]
        if subject.versions[-1] != GONE:
            subject.versions += [GONE, subject.versions[-1]]

    def has(self, name: str, pid: int, place: int) -> bool:
        """Whether a worker has answered with that version, or a later one."""
        return self._subjects[name].reached.get(pid, 0) >= place

    def numbers(self, name: str) -> dict[int, int]:
        """By worker the instance that answered last."""
        return dict(self._subjects[name].numbers)

    def asked(self, name: str) -> Ticket:
        """Note that a request leaves."""
        return Ticket(name, dict(self._subjects[name].reached))

    def answered(self, ticket: Ticket, answer: Answer, pid: int | None) -> int | None:
        """Check an answer, and give the worker's pid if the answer tells it.

        Args:
            ticket: from when the request left.
            answer: what came.
            pid: the worker at the other end of the connection, if that is known.

        Raises:
            BrokenPromiseError: it is none of those that may come.
        """
        subject = self._subjects[ticket.name]
        version, said = self._version(ticket.name, answer)
        if said is not None:
            if pid is not None and pid != said.pid:
                raise BrokenPromiseError(f"a connection went from worker {pid} to {said.pid}")
            pid = said.pid
        floor = ticket.reached.get(pid, 0) if pid is not None else min(ticket.reached.values(), default=0)
        try:
            place = subject.versions.index(version, floor)
        except ValueError:
            may = ", ".join(dict.fromkeys(subject.versions[floor:]))
            raise BrokenPromiseError(
                f"{subject.edit}: worker {pid} answered {version!r} for {ticket.name}, where only {may} may come"
            ) from None
        if pid is not None:
            subject.reached[pid] = max(place, subject.reached.get(pid, 0))
            if said is not None:
                subject.numbers[pid] = max(said.number, subject.numbers.get(pid, 0))
        self.answers += 1
        self.gone += version == GONE
        return pid

    def _version(self, name: str, answer: Answer) -> tuple[str, Told | None]:
        body = json.loads(answer.body)
        if answer.status == 200:
            said = told(body["outputs"][0]["choices"][0]["message"]["content"])
        elif (answer.status, body.get("errorCode")) == (400, "ERR_CONVERSATION_NOT_FOUND"):
            return (GONE if name in body["message"] else answer.body.decode()), None
        elif body.get("errorCode") == "ERR_CONVERSATION_INVOKE" and "<" in body["message"]:
            said = told(body["message"].partition("<")[2].partition(">")[0])
        else:
            return f"{answer.status} {answer.body.decode()}", None
        return (said.version if said.name == name else f"{said.version} of {said.name}"), said
