"""All Resiliency documents as one set of policies, and what applies to a component."""

from __future__ import annotations

import pytest

from jackfield.manifests.documents import Document
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resiliency import ResiliencyManifest
from jackfield.resilience.policies import Merged, Plan, Source, merge

FIRST = """\
policies:
  timeouts: {short: 5s, long: 60s, none: 0}
  retries: {few: {maxRetries: 3}, many: {maxRetries: 9}}
  circuitBreakers: {cb: {}, other: {timeout: 1s}}
"""


def document(spec: str, name: str = "one") -> ResiliencyManifest:
    """Read a document with this spec, whose first line is line 6."""
    indented = "".join(f"  {line}\n" for line in spec.splitlines())
    head = f"apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: {name}\nspec:\n"
    manifest = parse_document(Document(head + indented, 1), file=f"{name}.yaml").resiliency
    assert manifest is not None
    assert not manifest.problems
    return manifest


def merged(*specs: str, routers: tuple[str, ...] = ()) -> Merged:
    """Merge documents with these specs."""
    return merge([Source(document(spec, f"d{number}")) for number, spec in enumerate(specs)], routers)


def names(plan: Plan | None) -> tuple[str, ...] | None:
    """The names of a plan's policies."""
    if plan is None:
        return None
    return tuple(one.name if one is not None else "" for one in (plan.timeout, plan.retry, plan.breaker))


def target(outbound: str, component: str = "llm") -> str:
    """A spec that gives a component policies."""
    return f"targets:\n  components:\n    {component}:\n      outbound: {outbound}\n"


def test_without_documents_nothing_applies() -> None:
    """No timeout, no retry, no breaker: daprd's default."""
    assert merge([]).policies.plan("llm") is None


def test_a_target_gets_the_policies_that_it_names() -> None:
    """And a component without an entry, without default policies, gets none."""
    found = merged(FIRST + target("{timeout: short, retry: few, circuitBreaker: cb}")).policies
    assert names(found.plan("llm")) == ("short", "few", "cb")
    assert found.plan("other") is None


def test_a_timeout_of_zero_is_none() -> None:
    """As in daprd."""
    found = merged(FIRST + target("{timeout: none}")).policies
    assert found.plan("llm") is None


def defaults(*prefixes: str) -> str:
    """A spec with default policies of these names."""
    lines = "policies:\n  timeouts:\n"
    lines += "".join(f"    {prefix}TimeoutPolicy: 5s\n" for prefix in prefixes) + "  retries:\n"
    lines += "".join(f"    {prefix}RetryPolicy: {{}}\n" for prefix in prefixes) + "  circuitBreakers:\n"
    return lines + "".join(f"    {prefix}CircuitBreakerPolicy: {{}}\n" for prefix in prefixes)


ORDER = ["DefaultConversationComponentOutbound", "DefaultComponentOutbound", "DefaultComponent", "Default"]


@pytest.mark.parametrize("first", range(4))
def test_default_policies_apply_to_what_has_no_entry(first: int) -> None:
    """Of the four names the most special one that exists counts, for each kind of policy."""
    prefix = ORDER[first]
    wanted = (f"{prefix}TimeoutPolicy", f"{prefix}RetryPolicy", f"{prefix}CircuitBreakerPolicy")
    found = merged(defaults(*ORDER[first:][::-1])).policies
    assert names(found.plan("llm")) == wanted


def test_each_kind_of_default_policy_is_found_by_itself() -> None:
    """A special retry goes with a general timeout."""
    found = merged("policies:\n  timeouts: {DefaultTimeoutPolicy: 5s}\n  retries: {DefaultComponentRetryPolicy: {}}\n")
    assert names(found.policies.plan("llm")) == ("DefaultTimeoutPolicy", "DefaultComponentRetryPolicy", "")


@pytest.mark.parametrize("name", ["DefaultConversationComponentInboundRetryPolicy", "DefaultAppRetryPolicy", "default"])
def test_default_policies_of_other_things_do_not_apply(name: str) -> None:
    """Names for apps, actors and inbound calls are other names."""
    assert merged(f"policies:\n  retries: {{{name}: {{}}}}\n").policies.plan("llm") is None


@pytest.mark.parametrize("entry", ["{outbound: {timeout: short}}", "{outbound: {}}", "{}", "", "{inbound: {}}"])
def test_an_entry_keeps_all_default_policies_away(entry: str) -> None:
    """Any entry does, also for the parts that it leaves out."""
    spec = defaults("Default") + f"targets:\n  components:\n    llm: {entry}\n"
    head = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: d\nspec:\n"
    text = head + "".join(
        f"  {line}\n" for line in (spec.replace("timeouts:\n", "timeouts:\n    short: 1s\n")).splitlines()
    )
    manifest = parse_document(Document(text, 1), file="d.yaml").resiliency
    assert manifest is not None
    found = merge([Source(manifest)]).policies
    assert names(found.plan("llm")) == (("short", "", "") if "short" in entry else None)
    assert names(found.plan("other")) is not None


def test_the_later_document_counts() -> None:
    """Policies and entries of one name are replaced whole, in the order of the files."""
    found = merged(
        FIRST + target("{timeout: short, retry: few}"),
        "policies:\n  timeouts: {short: 7s}\n" + target("{timeout: short}"),
    ).policies
    plan = found.plan("llm")
    assert names(plan) == ("short", "", "")
    assert plan is not None
    assert plan.timeout is not None
    assert plan.timeout.seconds == 7.0


def test_a_target_may_name_a_policy_of_another_document() -> None:
    """In either order: they are one set."""
    found = merged(target("{retry: few}"), FIRST)
    assert found.problems == ((), ())
    assert names(found.policies.plan("llm")) == ("", "few", "")


def test_a_name_that_no_policy_has_is_an_error() -> None:
    """It has the line of the target's key and offers the nearest name."""
    spec = target("{timeout: shrt, retry: fw, circuitBreaker: zzz}")
    (_, found) = merged(FIRST, spec).problems
    place = "d1.yaml:9: spec.targets.components.llm.outbound"
    assert [str(problem) for problem in found] == [
        f"{place}.timeout: there is no policy shrt among the timeouts; did you mean short?",
        f"{place}.retry: there is no policy fw among the retries; did you mean few?",
        (
            f"{place}.circuitBreaker: there is no policy zzz among the circuitBreakers; "
            "define it under spec.policies.circuitBreakers"
        ),
    ]


def test_no_default_policy_applies_to_a_router() -> None:
    """Its targets have them."""
    assert merged(defaults("Default")).policies.plan("router", is_router=True) is None


def test_a_router_takes_a_timeout_and_nothing_else() -> None:
    """A retry or a breaker would hide the failures that it is there to fail over on."""
    spec = FIRST + target("{timeout: short, retry: few, circuitBreaker: cb}", "router")
    (found,) = merged(spec, routers=("router",)).problems
    cause = "router is a router, which takes a timeout and nothing else; give the policy to the router's targets"
    assert [str(problem) for problem in found] == [
        f"d0.yaml:13: spec.targets.components.router.outbound.{key}: {cause}" for key in ("retry", "circuitBreaker")
    ]
    assert merged(FIRST + target("{timeout: short}", "router"), routers=("router",)).problems == ((),)
    assert names(merged(spec).policies.plan("router", is_router=True)) == ("short", "", "")
