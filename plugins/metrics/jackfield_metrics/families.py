"""Every metric there is: its name, kind, labels and buckets, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DAPR_LATENCIES", "FAMILIES", "Family"]

DAPR_LATENCIES: Final = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 250, 300, 400, 500, 650, 800),
    *(1000, 2000, 5000, 10000, 20000, 50000, 100000),
)
"""daprd's buckets, in milliseconds (contract sheet, section 3.2)."""

_SHORT: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_FIRST: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, kw_only=True)
class Family:
    """One metric.

    Attributes:
        name: its name.
        kind: what it is to Prometheus.
        text: what it means, in one line.
        labels: the labels' names, those of ``common`` apart.
        common: labels that are the same for the whole host, in front of the others.
        buckets: a histogram's upper bounds, without the last one, which is infinite.
        least: a gauge of which the lowest value of all workers counts; the others are added up.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    least: bool = False

    @property
    def width(self) -> int:
        """How many numbers a series has: a histogram's counts by bucket, not added up, and then its sum."""
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


_DAPR: Final = ("app_id", "namespace")

FAMILIES: Final = {
    family.name: family
    for family in (
        Family(
            name="dapr_component_conversation_count",
            kind="counter",
            text="API calls that reached a component; success is true or false.",
            labels=("component", "success"),
            common=_DAPR,
        ),
        Family(
            name="dapr_component_conversation_latencies",
            kind="histogram",
            text="Duration of the same calls, in milliseconds.",
            labels=("component", "success"),
            common=_DAPR,
            buckets=DAPR_LATENCIES,
        ),
        Family(
            name="dapr_error_code_total",
            kind="counter",
            text="Replies with an error, by errorCode.",
            labels=("error_code", "category"),
            common=("app_id",),
        ),
        Family(
            name="dapr_runtime_component_loaded",
            kind="counter",
            text="Components that were built, at start or by a reload.",
            common=("app_id",),
        ),
        Family(
            name="dapr_runtime_component_init_total",
            kind="counter",
            text="The same by component type.",
            labels=("type",),
            common=("app_id",),
        ),
        Family(
            name="dapr_runtime_component_init_fail_total",
            kind="counter",
            text="Components that could not be read or built; reason is the state they are in: failed, stale, waiting.",
            labels=("type", "reason"),
            common=("app_id",),
        ),
        Family(
            name="jackfield_requests_total",
            kind="counter",
            text="Requests by front end and HTTP status, refused ones too; without a component if none has that name.",
            labels=("component", "api", "status"),
        ),
        Family(
            name="jackfield_tokens_total",
            kind="counter",
            text="Tokens that providers counted; kind is prompt or completion, served_by the component that answered.",
            labels=("component", "served_by", "model", "kind"),
        ),
        Family(
            name="jackfield_cache_total",
            kind="counter",
            text="What the cache did: hit, miss, coalesced or bypass.",
            labels=("component", "result"),
        ),
        Family(
            name="jackfield_scrubbed_entities_total",
            kind="counter",
            text="Pieces of text that were masked, by entity; never the text.",
            labels=("component", "entity"),
        ),
        Family(
            name="jackfield_retries_total",
            kind="counter",
            text="Calls of a provider beyond a request's first one: retries, and other targets of a router.",
            labels=("component",),
        ),
        Family(
            name="jackfield_first_token_seconds",
            kind="histogram",
            text="From a streamed request to the provider's first token.",
            labels=("component",),
            buckets=_FIRST,
        ),
        Family(
            name="jackfield_overhead_seconds",
            kind="histogram",
            text="What the host adds: a request's whole time without that spent waiting for a provider.",
            labels=("component",),
            buckets=_SHORT,
        ),
        Family(
            name="jackfield_component_state",
            kind="gauge",
            text="Workers in which a component is in this state.",
            labels=("component", "type", "state"),
        ),
        Family(
            name="jackfield_component_failures_total",
            kind="counter",
            text="Times that a component's document could not be read or built.",
            labels=("component",),
        ),
        Family(
            name="jackfield_breaker_state",
            kind="gauge",
            text="Workers in which a circuit breaker is in this state: closed, open or half-open.",
            labels=("component", "breaker", "state"),
        ),
        Family(
            name="jackfield_breaker_changes_total",
            kind="counter",
            text="Times that a circuit breaker came into this state.",
            labels=("component", "breaker", "state"),
        ),
        Family(
            name="jackfield_generation",
            kind="gauge",
            text="The catalog's number; the lowest of all workers.",
            least=True,
        ),
        Family(
            name="jackfield_series_dropped_total",
            kind="counter",
            text="New combinations of labels that were not counted, for want of room.",
        ),
    )
}
"""By name, in the order in which they are shown."""
