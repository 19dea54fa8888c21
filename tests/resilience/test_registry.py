"""Documents, plans and breakers while a host lives: what an edit changes, and what it leaves."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping

import pytest

from jackfield.errors import Problem
from jackfield.manifests.folder import FileState, Scan, read_file
from jackfield.resilience.breaker import Breaker, BreakerState
from jackfield.resilience.holder import Holder
from jackfield.resilience.registry import Resilience
from jackfield.resilience.verdicts import Verdict

POLICIES = """\
  policies:
    timeouts: {short: 5s}
    retries: {few: {maxRetries: 3}}
    circuitBreakers:
      cb: {trip: consecutiveFailures >= 1}
"""
TARGET = "  targets: {components: {llm: {outbound: {timeout: short, retry: few, circuitBreaker: cb}}}}\n"


def manifest(spec: str, name: str = "calm") -> str:
    """Write a document."""
    return f"apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {{name: {name}}}\nspec:\n{spec or '  {}'}"


GOOD = manifest(POLICIES + TARGET)


def scan(**files: str) -> Scan:
    """What a look at a folder with these files gives."""
    states = {
        f"m/{name}.yaml": read_file(f"m/{name}.yaml", text.encode(), app_id="", namespace=None)
        for name, text in files.items()
    }
    return Scan(states, {"m": True})


def plan(holder: Holder) -> tuple[str, ...]:
    """The names of what applies."""
    armed = holder.plan
    if armed is None:
        return ()
    breaker = armed.breaker.policy if armed.breaker is not None else None
    return tuple(one.name if one is not None else "" for one in (armed.timeout, armed.retry, breaker))


def breaker(holder: Holder) -> Breaker:
    """The breaker in use."""
    assert holder.plan is not None
    assert holder.plan.breaker is not None
    return holder.plan.breaker


def states(resilience: Resilience) -> Mapping[str, str]:
    """How the documents stand, by name."""
    return {entry.manifest.name: entry.state.value for entry in resilience.documents}


def test_a_plan_follows_the_folders() -> None:
    """What is there applies, what changes is replaced, what is gone applies no more."""
    resilience = Resilience()
    before = resilience.holder("llm")
    assert plan(before) == ()
    resilience.apply(scan(a=GOOD))
    assert plan(before) == ("short", "few", "cb")
    assert resilience.holder("llm") is before
    resilience.apply(scan(a=GOOD.replace("retry: few, ", "")))
    assert plan(before) == ("short", "", "cb")
    resilience.apply(scan())
    assert (plan(before), resilience.documents) == ((), ())


def test_documents_are_decoded_in_the_order_of_the_files() -> None:
    """Where two have one name, that of the later file counts."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD, b=manifest("  policies: {timeouts: {short: 9s}}\n", "later")))
    assert holder.plan is not None
    assert holder.plan.timeout is not None
    assert holder.plan.timeout.seconds == 9.0


BROKEN = {
    "a value that is wrong": GOOD.replace("5s", "soon"),
    "an expression that is wrong": GOOD.replace("consecutiveFailures", "failures"),
    "a policy that isn't there": GOOD.replace("retry: few", "retry: fewer"),
    "text that doesn't parse": GOOD + "  oops: [\n",
    "a file that is being written": "",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_bad_edit_keeps_what_applies(text: str) -> None:
    """The document is stale, its last good version applies, and mending it ends that."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD))
    one = breaker(holder)
    resilience.apply(scan(a=text))
    assert (plan(holder), states(resilience)) == (("short", "few", "cb"), {"calm": "stale"})
    assert any(problem.severity == "error" and problem.file == "m/a.yaml" for problem in resilience.problems)
    resilience.apply(scan(a=GOOD))
    assert (states(resilience), resilience.problems) == ({"calm": "ready"}, ())
    assert breaker(holder) is one


@pytest.mark.parametrize("text", [text for text in BROKEN.values() if text and "oops" not in text])
def test_a_document_that_was_never_in_order_fails_alone(text: str) -> None:
    """The others apply."""
    resilience = Resilience()
    holder = resilience.holder("other")
    spec = "  policies: {retries: {own: {}}}\n  targets: {components: {other: {outbound: {retry: own}}}}\n"
    resilience.apply(scan(a=text, b=manifest(spec, "fine")))
    assert states(resilience) == {"calm": "failed", "fine": "ready"}
    assert plan(holder) == ("", "own", "")


def test_a_neighbour_that_does_not_parse_leaves_a_document_alone() -> None:
    """Its file is broken, and it is read all the same; one that has gone from such a file is kept."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD + "---\n" + manifest("", "empty")))
    resilience.apply(scan(a=GOOD.replace("retry: few, ", "") + "---\na: [\n"))
    assert (plan(holder), states(resilience)) == (("short", "", "cb"), {"calm": "ready", "empty": "stale"})
    resilience.apply(scan(a=GOOD))
    assert states(resilience) == {"calm": "ready"}


def test_a_document_whose_policies_are_gone_keeps_them() -> None:
    """Policies in one file and targets in another: without the first, the second goes on as it was, stale."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    files = {"a": manifest(POLICIES, "policies"), "b": manifest(TARGET, "targets")}
    resilience.apply(scan(**files))
    one = breaker(holder)
    resilience.apply(scan(b=files["b"]))
    assert (plan(holder), states(resilience)) == (("short", "few", "cb"), {"targets": "stale"})
    assert breaker(holder) is one
    assert "there is no policy short among the timeouts" in str(resilience.problems[0])
    resilience.apply(scan(**files))
    assert states(resilience) == {"policies": "ready", "targets": "ready"}


def test_a_document_that_goes_back_may_take_another_one_with_it() -> None:
    """What was to come with a bad edit is not there for others either; each names what it lacks."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    first = {"a": manifest(POLICIES, "policies"), "b": manifest(TARGET, "targets")}
    resilience.apply(scan(**first))
    renamed = {"a": first["a"].replace("few:", "quick:").replace("5s", "soon"), "b": first["b"].replace("few", "quick")}
    resilience.apply(scan(**renamed))
    assert states(resilience) == {"policies": "stale", "targets": "stale"}
    assert plan(holder) == ("short", "few", "cb")


def test_a_folder_that_is_gone_changes_nothing_that_applies() -> None:
    """Its documents are stale until it is back."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    good = scan(a=GOOD)
    resilience.apply(good)
    resilience.apply(Scan(good.files, {"m": False}, (Problem("m", 0, "", "the folder can't be read"),)))
    assert (plan(holder), states(resilience)) == (("short", "few", "cb"), {"calm": "stale"})
    resilience.apply(good)
    assert states(resilience) == {"calm": "ready"}


def trip(one: Breaker) -> None:
    """Have a breaker open."""
    one.leave(one.enter(), Verdict.FAILURE)


OTHER_EDITS = {
    "another retry": GOOD.replace("maxRetries: 3", "maxRetries: 4"),
    "another breaker": GOOD.replace("      cb:", "      new: {}\n      cb:"),
    "a comment": GOOD + "# more to come\n",
    "other words for the same": GOOD.replace("{trip: cons", "{timeout: 60000, trip: cons"),
}


@pytest.mark.parametrize("text", OTHER_EDITS.values(), ids=OTHER_EDITS)
def test_a_breaker_outlives_edits_that_leave_its_definition(text: str) -> None:
    """An open breaker stays open, for as long as it said."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD))
    trip(breaker(holder))
    resilience.apply(scan(a=text))
    assert breaker(holder).state is BreakerState.OPEN


def test_a_breaker_outlives_its_component() -> None:
    """A chain that is built anew under the same name finds it as it is."""
    resilience = Resilience()
    resilience.apply(scan(a=GOOD))
    holder = resilience.holder("llm")
    trip(breaker(holder))
    assert resilience.holder("llm") is holder
    del holder
    gc.collect()
    assert breaker(resilience.holder("llm")).state is BreakerState.OPEN


def test_another_definition_begins_with_a_closed_breaker() -> None:
    """What was counted by other rules says nothing under the new ones."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD))
    trip(breaker(holder))
    resilience.apply(scan(a=GOOD.replace(">= 1", ">= 2")))
    assert breaker(holder).state is BreakerState.CLOSED


def test_each_component_has_its_own_breaker() -> None:
    """A default policy is one definition and many breakers, named after policy and component."""
    resilience = Resilience()
    holders = [resilience.holder(name) for name in ("llm", "other")]
    resilience.apply(scan(a=manifest("  policies: {circuitBreakers: {DefaultCircuitBreakerPolicy: {}}}\n")))
    names = sorted(one.name for one in resilience.breakers)
    assert names == ["DefaultCircuitBreakerPolicy-llm", "DefaultCircuitBreakerPolicy-other"]
    assert breaker(holders[0]) is not breaker(holders[1])


def test_breakers_that_nothing_uses_are_forgotten() -> None:
    """A host that runs for years doesn't collect them."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=GOOD))
    assert plan(holder)
    resilience.apply(scan())
    assert not resilience.breakers


def test_a_router_is_asked_about_when_it_is_one() -> None:
    """An entry that was in order becomes an error when its component turns into a router, and the other way round."""
    resilience = Resilience()
    holder = resilience.holder("llm", is_router=True)
    good = scan(a=GOOD)
    resilience.apply(good, routers={"llm"})
    assert (states(resilience), plan(holder)) == ({"calm": "failed"}, ())
    resilience.apply(good)
    assert states(resilience) == {"calm": "ready"}
    resilience.apply(good, routers={"llm"})
    assert (states(resilience), plan(holder)) == ({"calm": "stale"}, ("short", "", ""))


def test_what_changes_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Each document that comes, changes, fails, recovers or goes has a line, and one that is the same has none."""
    resilience = Resilience()
    with caplog.at_level(logging.INFO, "jackfield.resilience"):
        for text in (GOOD, GOOD, GOOD + "# same\n", BROKEN["a value that is wrong"], GOOD, GOOD.replace("5s", "6s")):
            resilience.apply(scan(a=text))
        resilience.apply(scan())
    assert [record.getMessage() for record in caplog.records] == [
        "Resiliency manifest loaded",
        "the Resiliency manifest keeps its last good version",
        "the Resiliency manifest is in order again",
        "Resiliency manifest updated",
        "Resiliency manifest removed",
    ]
    assert "'soon' is not a duration" in vars(caplog.records[1])["cause"]


def test_two_documents_of_one_name_are_two() -> None:
    """Dapr decodes both, so both apply, in one file too."""
    resilience = Resilience()
    holder = resilience.holder("llm")
    resilience.apply(scan(a=manifest(POLICIES) + "---\n" + manifest(TARGET)))
    assert plan(holder) == ("short", "few", "cb")
    assert len(resilience.documents) == 2


def test_the_good_documents_are_enough_to_begin_again() -> None:
    """A process that starts from the last good documents has the plans, whatever the folder says now."""
    first = Resilience()
    first.apply(scan(a=GOOD))
    first.apply(scan(a=BROKEN["a value that is wrong"]))
    second = Resilience()
    second.apply(Scan({"m/a.yaml": FileState("m/a.yaml", resiliencies=first.good)}, {}))
    second.apply(scan(a=BROKEN["a value that is wrong"]))
    assert (plan(second.holder("llm")), states(second)) == (("short", "few", "cb"), {"calm": "stale"})
