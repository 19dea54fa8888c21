"""The observers: what is counted of requests, catalogs and breakers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from jackfield import BreakerChange, CatalogChange, ComponentChange, Record
from jackfield_metrics.families import FAMILIES
from jackfield_metrics.ledger import Ledger, Storage

__all__ = ["Recorder"]

_COUNT: Final = FAMILIES["dapr_component_conversation_count"]
_LATENCIES: Final = FAMILIES["dapr_component_conversation_latencies"]
_ERRORS: Final = FAMILIES["dapr_error_code_total"]
_LOADED: Final = FAMILIES["dapr_runtime_component_loaded"]
_INIT: Final = FAMILIES["dapr_runtime_component_init_total"]
_INIT_FAILED: Final = FAMILIES["dapr_runtime_component_init_fail_total"]
_REQUESTS: Final = FAMILIES["jackfield_requests_total"]
_TOKENS: Final = FAMILIES["jackfield_tokens_total"]
_CACHE: Final = FAMILIES["jackfield_cache_total"]
_ENTITIES: Final = FAMILIES["jackfield_scrubbed_entities_total"]
_RETRIES: Final = FAMILIES["jackfield_retries_total"]
_FIRST: Final = FAMILIES["jackfield_first_token_seconds"]
_OVERHEAD: Final = FAMILIES["jackfield_overhead_seconds"]
_STATE: Final = FAMILIES["jackfield_component_state"]
_FAILURES: Final = FAMILIES["jackfield_component_failures_total"]
_BREAKER: Final = FAMILIES["jackfield_breaker_state"]
_BREAKER_CHANGES: Final = FAMILIES["jackfield_breaker_changes_total"]
_GENERATION: Final = FAMILIES["jackfield_generation"]

_LATENCY_SUM: Final = len(_LATENCIES.buckets) + 1
_OVERHEAD_SUM: Final = len(_OVERHEAD.buckets) + 1
_FIRST_SUM: Final = len(_FIRST.buckets) + 1
_LEFT: Final = 499
_REACHED: Final = frozenset({"", "ERR_CONVERSATION_INVOKE", "ERROR"})
"""The error codes of requests that came as far as a component; daprd doesn't count the others."""
_MOST_MODELS: Final = 100
"""Models told apart of one component: where requests may name one, a caller can make up any number."""


@dataclass(slots=True)
class _Places:
    """Where a component's numbers are, as far as they have been needed."""

    name: str
    calls: list[tuple[int, int] | None] = field(default_factory=lambda: [None, None])
    overhead: int = 0
    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


class Recorder:
    """Counts into a ledger. It belongs to one event loop."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._states: dict[str, tuple[str, str]] = {}
        self._breakers: dict[tuple[str, str], str] = {}
        self._use(Ledger())

    def move(self, storage: Storage | None) -> None:
        """Go on elsewhere, with all that has been counted so far.

        Args:
            storage: where; None for this process's memory, where counting begins anew.
        """
        before, ledger = self.ledger.series(), Ledger(storage)
        if storage is not None:
            ledger.add(before)
        self._use(ledger)

    def request_finished(self, record: Record) -> None:
        """Count a request."""
        code = record.error_code
        places = self._components.get(record.component)
        if places is None:
            places = self._component(record)
        self._values[self._answered(places, record)] += 1
        if code:
            category = "conversation" if code.startswith("ERR_CONVERSATION_") else "other"
            self._values[self.ledger.place(_ERRORS, code, category)] += 1
        left = record.status == _LEFT
        if code in _REACHED and (not left or record.served_by or record.cache):
            self._time(places, record, succeeded=not code and not left)
            self._details(places, record)

    def catalog_changed(self, change: CatalogChange) -> None:
        """Note how components stand."""
        self._values[self.ledger.place(_GENERATION)] = change.generation
        for component in change.components:
            self._changed(component)

    def breaker_changed(self, change: BreakerChange) -> None:
        """Note how a circuit breaker stands."""
        breaker = change.component, change.name
        before = self._breakers.pop(breaker, None)
        if before is not None:
            self._values[self.ledger.place(_BREAKER, *breaker, before)] = 0
        if change.state != "removed":
            self._breakers[breaker] = change.state
            self._values[self.ledger.place(_BREAKER, *breaker, change.state)] = 1
            self._values[self.ledger.place(_BREAKER_CHANGES, *breaker, change.state)] += 1

    def _use(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._values = ledger.values
        self._components: dict[str, _Places] = {}

    def _component(self, record: Record) -> _Places:
        """Find a component's places; names that callers make up share those of the empty one."""
        name = record.component if record.component in self._known or record.served_by else ""
        places = self._components.get(name)
        if places is None:
            places = self._components[name] = _Places(name)
        return places

    def _answered(self, places: _Places, record: Record) -> int:
        key = record.api, record.status
        place = places.requests.get(key)
        if place is None:
            place = self.ledger.place(_REQUESTS, places.name, record.api, str(record.status))
            places.requests[key] = place
        return place

    def _time(self, places: _Places, record: Record, *, succeeded: bool) -> None:
        values, total = self._values, record.total_seconds
        count, latencies = places.calls[succeeded] or self._calls(places, succeeded=succeeded)
        milliseconds, overhead = total * 1000, max(total - record.provider_seconds, 0.0)
        values[count] += 1
        values[latencies + bisect_left(_LATENCIES.buckets, milliseconds)] += 1
        values[latencies + _LATENCY_SUM] += milliseconds
        place = places.overhead = places.overhead or self.ledger.place(_OVERHEAD, places.name)
        values[place + bisect_left(_OVERHEAD.buckets, overhead)] += 1
        values[place + _OVERHEAD_SUM] += overhead

    def _details(self, places: _Places, record: Record) -> None:
        """Count what not every request has."""
        values, name = self._values, places.name
        if record.prompt_tokens is not None or record.completion_tokens is not None:
            prompt, completion = self._tokens(places, record)
            values[prompt] += record.prompt_tokens or 0
            values[completion] += record.completion_tokens or 0
        if record.cache:
            values[self.ledger.place(_CACHE, name, record.cache)] += 1
        if record.first_event_seconds:
            place = self.ledger.place(_FIRST, name)
            values[place + bisect_left(_FIRST.buckets, record.first_event_seconds)] += 1
            values[place + _FIRST_SUM] += record.first_event_seconds
        if record.attempts > 1:
            values[self.ledger.place(_RETRIES, name)] += record.attempts - 1
        for entity, number in record.entities.items():
            values[self.ledger.place(_ENTITIES, name, entity)] += number

    def _calls(self, places: _Places, *, succeeded: bool) -> tuple[int, int]:
        labels = places.name, str(succeeded).lower()
        found = self.ledger.place(_COUNT, *labels), self.ledger.place(_LATENCIES, *labels)
        places.calls[succeeded] = found
        return found

    def _tokens(self, places: _Places, record: Record) -> tuple[int, int]:
        key = record.served_by, record.model
        found = places.tokens.get(key)
        if found is None:
            if len(places.tokens) >= _MOST_MODELS:
                key = record.served_by, "other"
            of_model = places.name, *key
            found = self.ledger.place(_TOKENS, *of_model, "prompt"), self.ledger.place(_TOKENS, *of_model, "completion")
            places.tokens[key] = found
        return found

    def _changed(self, change: ComponentChange) -> None:
        name, values = change.name, self._values
        before = self._states.pop(name, None)
        if before is not None:
            values[self.ledger.place(_STATE, name, *before)] = 0
        if change.what == "removed":
            self._known.discard(name)
            self._components.pop(name, None)
            return
        self._known.add(name)
        self._states[name] = change.type_name, change.state
        values[self.ledger.place(_STATE, name, change.type_name, change.state)] = 1
        if change.what in {"loaded", "updated"}:
            values[self.ledger.place(_LOADED)] += 1
            values[self.ledger.place(_INIT, change.type_name)] += 1
        elif change.what == "failed":
            values[self.ledger.place(_FAILURES, name)] += 1
            values[self.ledger.place(_INIT_FAILED, change.type_name, change.state)] += 1
