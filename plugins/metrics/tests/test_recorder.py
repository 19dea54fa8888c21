"""What is counted of single records, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median

import pytest

from jackfield import BreakerChange, CatalogChange, ComponentChange, Record
from jackfield_metrics.ledger import SLOTS, Ledger
from jackfield_metrics.recorder import Recorder

CALLS = "dapr_component_conversation_count"


def known(name: str = "llm") -> Recorder:
    """A recorder that has been told of a component."""
    recorder = Recorder()
    loaded = ComponentChange(name=name, type_name="conversation.echo", what="loaded", state="ready")
    recorder.catalog_changed(CatalogChange(generation=1, components=(loaded,)))
    return recorder


def numbers(recorder: Recorder, name: str) -> Mapping[tuple[str, ...], list[float]]:
    """The series of one metric, by their labels."""
    return {labels: own for (found, labels), own in recorder.ledger.series().items() if found == name}


@pytest.mark.parametrize(
    ("record", "success"),
    [
        (Record(status=200), "true"),
        (Record(status=500, error_code="ERR_CONVERSATION_INVOKE"), "false"),
        (Record(status=500, error_code="ERROR"), "false"),
        (Record(status=499, served_by="llm"), "false"),
        (Record(status=499), None),
        (Record(status=400, error_code="ERR_CONVERSATION_INVALID_PARMS"), None),
        (Record(status=400, error_code="ERR_CONVERSATION_MISSING_INPUTS"), None),
        (Record(status=400, error_code="ERR_MALFORMED_REQUEST"), None),
        (Record(status=400, error_code="ERR_CONVERSATION_NOT_FOUND"), None),
    ],
)
def test_dapr_s_count_leaves_out_what_reached_no_component(record: Record, success: str | None) -> None:
    """A refused request is no call, as with daprd; one that failed, or whose caller left a running one, is."""
    recorder = known()
    record.component, record.api = "llm", "alpha2"
    recorder.request_finished(record)
    assert numbers(recorder, CALLS) == ({("llm", success): [1]} if success else {})
    assert numbers(recorder, "jackfield_requests_total") == {("llm", "alpha2", str(record.status)): [1]}


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0005, 0), (0.001, 0), (0.0011, 1), (0.05, 14), (200, 34)])
def test_a_latency_is_counted_in_its_bucket(seconds: float, bucket: int) -> None:
    """The buckets are daprd's, in milliseconds, with their upper bounds; what is beyond them is in the last."""
    recorder = known()
    recorder.request_finished(Record(component="llm", status=200, total_seconds=seconds))
    (own,) = numbers(recorder, "dapr_component_conversation_latencies").values()
    assert [place for place, number in enumerate(own[:-1]) if number] == [bucket]
    assert own[-1] == pytest.approx(seconds * 1000)


def test_overhead_is_the_time_without_the_provider_s() -> None:
    """A provider's time isn't the host's, and clocks that disagree make no negative time."""
    recorder = known()
    recorder.request_finished(Record(component="llm", status=200, total_seconds=2.0, provider_seconds=1.5))
    recorder.request_finished(Record(component="llm", status=200, total_seconds=1.0, provider_seconds=1.1))
    (own,) = numbers(recorder, "jackfield_overhead_seconds").values()
    assert own[-1] == pytest.approx(0.5)
    assert sum(own[:-1]) == 2


def test_names_that_callers_make_up_share_one_series() -> None:
    """A thousand unknown components don't make a thousand series; a component that was removed is unknown again."""
    recorder = known()
    gone = ComponentChange(name="llm", type_name="conversation.echo", what="removed", state="removed")
    recorder.catalog_changed(CatalogChange(generation=2, components=(gone,)))
    for number in range(1000):
        record = Record(
            component=f"made-up-{number}", api="alpha1", status=400, error_code="ERR_CONVERSATION_NOT_FOUND"
        )
        recorder.request_finished(record)
    assert numbers(recorder, "jackfield_requests_total") == {("", "alpha1", "400"): [1000]}
    assert ("llm", "conversation.echo", "ready") in numbers(recorder, "jackfield_component_state")
    assert sum(own[0] for own in numbers(recorder, "jackfield_component_state").values()) == 0


def test_models_that_callers_make_up_are_bounded() -> None:
    """Where a request may name the model, what goes beyond a hundred of a component is counted together."""
    recorder = known()
    for number in range(300):
        record = Record(component="llm", served_by="llm", status=200, model=f"m{number}")
        record.prompt_tokens, record.completion_tokens = 1, 2
        recorder.request_finished(record)
    prompts = {labels: own for labels, own in numbers(recorder, "jackfield_tokens_total").items() if "prompt" in labels}
    assert len(prompts) == 101
    assert prompts["llm", "llm", "other", "prompt"] == [200]


def test_a_full_ledger_counts_what_it_drops() -> None:
    """When there is no room, new series are left out and told of; those that are there go on."""
    recorder = known()
    record = Record(component="llm", served_by="llm", status=200)
    recorder.request_finished(record)
    for number in range(SLOTS):
        recorder.breaker_changed(BreakerChange(component="llm", name=f"b{number}", state="open"))
        if number % 1000 == 0 and numbers(recorder, "jackfield_series_dropped_total") != {(): [0]}:
            break
    recorder.request_finished(record)
    assert numbers(recorder, "jackfield_series_dropped_total")[()][0] > 0
    assert numbers(recorder, CALLS)["llm", "true"] == [2]


def test_a_request_costs_little() -> None:
    """Counting a request with tokens and a cache result is some microseconds of the event loop; the limit is loose."""
    recorder = known()
    record = Record(component="llm", served_by="llm", status=200, model="m", cache="miss", attempts=1)
    record.prompt_tokens, record.completion_tokens, record.total_seconds = 10, 20, 0.3
    costs = []
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(500):
            recorder.request_finished(record)
        costs.append((time.perf_counter() - began) / 500)
    print(f"{median(costs) * 1e6:.2f} us per request")  # noqa: T201  shown by pytest -rP
    assert median(costs) < 50e-6


def test_moving_keeps_what_was_counted() -> None:
    """What was counted before a ledger was shared is added to what that has; how things stand replaces it."""
    recorder = known()
    recorder.request_finished(Record(component="llm", status=200))
    other = Ledger()
    other.add({(CALLS, ("llm", "true")): [5.0], ("jackfield_generation", ()): [9.0]})
    other.add(recorder.ledger.series())
    assert other.series()[CALLS, ("llm", "true")] == [6.0]
    assert other.series()["jackfield_generation", ()] == [1.0]
