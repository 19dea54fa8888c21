"""Whether an answer is one that the docs list, given what the upstream has done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from faulty_book import Hit, answer_to, question
from faulty_call import LATE, LATE_BEGUN, OK, OPEN, Ending, Kind
from faulty_clients import Answer
from faulty_components import COMPONENTS, LIMIT, Grade

__all__ = ["WORDS", "endings_of", "routed", "wrong"]

WORDS: Final[Mapping[Kind, re.Pattern[str]]] = {
    Kind.STATUS: re.compile(r"API returned unexpected status code: \d+: |the provider reports an error: "),
    Kind.NONSENSE: re.compile(
        r"is not a chat completion|is not a message of|is not the JSON of|is HTML where JSON was expected"
        r"|empty response|did not answer in HTTP|larger than \d+ bytes|nested too deeply|the provider reports an error"
    ),
    Kind.BROKE: re.compile(r"network error: "),
    Kind.LATE: re.compile(r"request timeout: |no (reply|first event|further event) within "),
    Kind.OPEN: re.compile(r"circuit breaker is open: |is half-open, until its trial calls have ended"),
}
"""What an error says of each kind, by docs/operators/errors.md and resilience.md."""

_WRONG_REQUEST: Final = frozenset({400, 401, 403, 404, 422})
_STALE_SECONDS: Final = 0.9
_EARLY: Final = 0.01
_LONG: Final = LIMIT * 0.95


def endings_of(grade: Grade, hits: Sequence[Hit], *, stream: bool, since: float, until: float) -> set[Ending]:
    """Say how a component's part of a request may have ended, by what its calls met and by its policies.

    Args:
        grade: the policies.
        hits: its calls in their order; there must be none that the policies don't explain.
        stream: a stream was asked for.
        since: when the part began.
        until: when it was over.
    """
    if not hits:
        late = {LATE} if until - since >= _LONG else set()
        return {OPEN} | late if grade.guarded else late
    return set(_walk(grade, hits, 0, 1, stream=stream, since=since, until=until, fresh=True))


def _walk(
    grade: Grade, hits: Sequence[Hit], at: int, attempt: int, *, stream: bool, since: float, until: float, fresh: bool
) -> Iterator[Ending]:
    hit, last = hits[at], at == len(hits) - 1
    over = until if last else hits[at + 1].at
    took = over - hit.at
    if hit.fault.silent and hit.reused and fresh and not last:
        # A kept connection that its server closes: the host asks once more on another, which is no attempt of its own.
        yield from _walk(grade, hits, at + 1, attempt, stream=stream, since=since, until=until, fresh=False)
        if took < _STALE_SECONDS:
            return
    endings = set(hit.fault.endings(stream=stream))
    if over - since >= _LONG:  # a limit counts from before the call's arrival
        endings |= {LATE, LATE_BEGUN} if stream else {LATE}
    for ending in endings:
        wait = _wait(grade, ending, attempt)
        if wait is None:
            if last:
                yield ending
        elif last:
            if grade.guarded:
                yield OPEN  # others' failures have opened the breaker meanwhile
        elif took >= wait - _EARLY:
            yield from _walk(grade, hits, at + 1, attempt + 1, stream=stream, since=hit.at, until=until, fresh=True)


def _wait(grade: Grade, ending: Ending, attempt: int) -> float | None:
    """Say how long to wait at least before the next attempt; None if there is to be none."""
    if ending == OK or ending.begun or attempt >= grade.attempts or ending.retry_after > grade.longest_wait:
        return None
    if ending.kind is Kind.STATUS:
        repeated = ending.status not in _WRONG_REQUEST if grade.statuses is None else ending.status in grade.statuses
        if not repeated:
            return None
    return max(grade.wait, ending.retry_after)


def routed(targets: Sequence[str], hits: Sequence[Hit], *, stream: bool, since: float, until: float) -> set[Ending]:
    """Say how a router's request may have ended; its targets are asked one after the other, each once."""
    order = list(dict.fromkeys(hit.component for hit in hits))
    unasked = [name for name in targets if name not in order]
    if any(not COMPONENTS[name].policy.guarded for name in unasked):
        skipped: list[str] | None = None  # a target that would have been asked wasn't
    else:
        skipped = unasked
    endings: set[Ending] = set()
    for position, name in enumerate(order):
        own = [hit for hit in hits if hit.component == name]
        over = next((hit.at for hit in hits if hit.component in order[position + 1 :]), until)
        endings = endings_of(COMPONENTS[name].policy, own, stream=stream, since=since, until=over)
        since = own[-1].at
        if position < len(order) - 1 and not any(map(_goes_on, endings)):
            return set()
    # All failed: the last error is told, which may be that of a target whose breaker is open.
    if skipped is None:
        return {ending for ending in endings if not _goes_on(ending)}
    return endings | ({OPEN} if skipped and (not order or any(map(_goes_on, endings))) else set())


def _goes_on(ending: Ending) -> bool:
    """Say whether another target is tried, by docs/operators/routing.md."""
    if ending == OK or ending.begun:
        return False
    return ending.kind is not Kind.STATUS or ending.status in {408, 429} or ending.status >= 500


def wrong(answer: Answer, front: str, number: int, endings: set[Ending]) -> str:
    """Say what is wrong with an answer; empty if one of the endings explains it."""
    if not endings:
        return "the calls that the upstream got are not those of the policies"
    reasons = [_differs(answer, front, number, ending) for ending in endings]
    return "" if "" in reasons else "; or ".join(sorted(set(reasons)))


def _differs(answer: Answer, front: str, number: int, ending: Ending) -> str:
    due = answer_to(question(number))
    if ending == OK:
        right = answer.status == (202 if front == "alpha1" else 200) and answer.done and answer.text == due
        return "" if right else f"it should be answered with {due!r}"
    if ending.begun:
        if answer.status != 200 or answer.done or not due.startswith(answer.text) or not answer.text:
            return f"it should begin with a part of {due!r} and not be done"
    elif answer.status != (status := _status(front, ending)):
        return f"its status should be {status}"
    if answer.code != (code := _code(front, ending)):
        return f"its code should be {code}"
    if not WORDS[ending.kind].search(answer.message):
        return f"it should tell that the upstream's answer was {ending.kind}"
    return ""


def _status(front: str, ending: Ending) -> int:
    if not front.startswith("openai"):
        return 500
    if ending.kind is Kind.STATUS:
        return ending.status if ending.status >= 400 and ending.status not in {401, 407} else 502
    return {Kind.LATE: 504, Kind.OPEN: 503}.get(ending.kind, 502)


def _code(front: str, ending: Ending) -> str:
    if front == "grpc":
        return "INTERNAL"
    if not front.startswith("openai"):
        return "ERR_CONVERSATION_INVOKE"
    if ending.kind is Kind.STATUS:
        return {401: "provider_refused_key", 407: "provider_refused_key", 429: "rate_limit_exceeded"}.get(
            ending.status, "provider_error"
        )
    return {
        Kind.NONSENSE: "provider_error",
        Kind.BROKE: "provider_unreachable",
        Kind.LATE: "provider_timeout",
        Kind.OPEN: "breaker_open",
    }[ending.kind]
