"""Reading one document of kind Resiliency."""

from __future__ import annotations

import pytest

from jackfield.manifests.documents import Document
from jackfield.manifests.folder import read_file
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resiliency import ResiliencyManifest, ResiliencyTarget
from jackfield.resilience.definitions import BreakerPolicy, RetryPolicy, TimeoutPolicy
from jackfield.resilience.trip import compile_trip

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata:\n  name: calm\n"
FULL = (
    HEAD
    + """\
  namespace: production
spec:
  policies:
    timeouts:
      short: 5s
      bare: 250
      none: 0
    retries:
      plain: {}
      unset:
      fixed: {policy: constant, duration: 2s, maxRetries: 3}
      growing:
        policy: Exponential
        maxInterval: 15s
        maxRetries: -1
        matching:
          httpStatusCodes: "429,500-502"
    circuitBreakers:
      plain: {}
      own:
        maxRequests: 3
        interval: 8s
        timeout: 45s
        trip: consecutiveFailures >= 8
  targets:
    components:
      llm:
        outbound: {timeout: short, retry: fixed, circuitBreaker: own}
      bare:
scopes: [shop]
"""
)


def read(text: str) -> ResiliencyManifest:
    """Read a document of kind Resiliency."""
    parsed = parse_document(Document(text, 11), file="r.yaml")
    assert parsed.resiliency is not None, parsed.problems
    assert (parsed.manifest, parsed.broken, parsed.problems) == (None, False, parsed.resiliency.problems)
    return parsed.resiliency


def spec(text: str) -> ResiliencyManifest:
    """Read a document with this spec, which begins in line 15."""
    return read(f"{HEAD}spec:\n" + "".join(f"  {line}\n" for line in text.splitlines()))


def test_a_manifest_has_all_that_stands_in_it() -> None:
    """Every policy and target is read; what a policy leaves out has daprd's default."""
    found = read(FULL)
    assert found.problems == ()
    assert (found.name, found.namespace, found.scopes) == ("calm", "production", ("shop",))
    assert (found.file, found.line, found.place) == ("r.yaml", 11, "r.yaml:11")
    assert found.timeouts == {
        "short": TimeoutPolicy("short", 5.0),
        "bare": TimeoutPolicy("bare", 0.25),
        "none": TimeoutPolicy("none", 0.0),
    }
    assert found.retries == {
        "plain": RetryPolicy("plain", exponential=False, duration=5.0, max_interval=60.0, max_retries=None),
        "unset": RetryPolicy("unset"),
        "fixed": RetryPolicy("fixed", duration=2.0, max_retries=3),
        "growing": RetryPolicy(
            "growing", exponential=True, max_interval=15.0, statuses=frozenset({429, 500, 501, 502})
        ),
    }
    assert found.breakers == {
        "plain": BreakerPolicy("plain", max_requests=1, interval=0.0, timeout=60.0),
        "own": BreakerPolicy("own", 3, 8.0, 45.0, compile_trip("consecutiveFailures >= 8")),
    }
    assert found.targets == {
        "llm": ResiliencyTarget("llm", "short", "fixed", "own"),
        "bare": ResiliencyTarget("bare"),
    }
    assert found.line_of("spec.targets.components.llm.outbound.retry") == 42


def test_a_manifest_can_be_made_again_from_its_text() -> None:
    """Another process that is given file, line and text reads the same manifest."""
    first = read(FULL)
    again = parse_document(first.document, file=first.file).resiliency
    assert again is not None
    assert (again.digest, again.line, again.lines) == (first.digest, first.line, first.lines)


def test_the_digest_sees_what_has_an_effect_and_nothing_else() -> None:
    """Comments and order don't change it, a policy does."""
    assert read(FULL.replace("short: 5s", "# why\n      short: 5000ms")).digest == read(FULL).digest
    assert read(FULL.replace("short: 5s", "short: 6s")).digest != read(FULL).digest


RETRY = "policies:\n  retries:\n    again:\n      "
BREAKER = "policies:\n  circuitBreakers:\n    cb:\n      "
TARGET = "targets:\n  components:\n    llm:\n      "
ERRORS = [
    (
        "policies:\n  timeouts:\n    short: soon",
        (
            "r.yaml:18: spec.policies.timeouts.short: 'soon' is not a duration; "
            "write a number with a unit, such as 10m, 1h30m or 500ms"
        ),
    ),
    (
        "policies:\n  timeouts:\n    short: -5s",
        (
            "r.yaml:18: spec.policies.timeouts.short: '-5s' is below zero; "
            "write a duration such as 30s, or a whole number of milliseconds"
        ),
    ),
    (
        "policies:\n  timeouts:\n    short:",
        "r.yaml:18: spec.policies.timeouts.short: has no value; write a duration such as 30s",
    ),
    (
        "policies:\n  timeouts: [5s]",
        "r.yaml:17: spec.policies.timeouts: must be an object, not a list; write `name: ...` lines",
    ),
    (
        f"{RETRY}policy: exponental",
        (
            "r.yaml:19: spec.policies.retries.again.policy: there is no retry policy 'exponental'; "
            "did you mean exponential?"
        ),
    ),
    (
        f"{RETRY}policy: often",
        (
            "r.yaml:19: spec.policies.retries.again.policy: there is no retry policy 'often'; "
            "write constant or exponential"
        ),
    ),
    (
        f"{RETRY}maxRetries: '3'",
        "r.yaml:19: spec.policies.retries.again.maxRetries: must be a whole number, not text; take away the quotes",
    ),
    (
        f"{RETRY}maxRetries: 1.5",
        (
            "r.yaml:19: spec.policies.retries.again.maxRetries: must be a whole number, not a number; "
            "write a number such as 3"
        ),
    ),
    (
        f"{RETRY}matching: {{httpStatusCodes: 5xx}}",
        (
            "r.yaml:19: spec.policies.retries.again.matching.httpStatusCodes: '5xx' is neither a status nor a range of "
            'statuses; write statuses and ranges with commas, such as "429,500-599"'
        ),
    ),
    (
        f"{RETRY}duration: [1s]",
        "r.yaml:19: spec.policies.retries.again.duration: must be text, not a list",
    ),
    (
        f"{BREAKER}maxRequests: -1",
        (
            "r.yaml:19: spec.policies.circuitBreakers.cb.maxRequests: must be at least 1, not -1; "
            "write how many trial calls may run"
        ),
    ),
    (
        f"{BREAKER}trip: consecutiveFailure > 3",
        (
            "r.yaml:19: spec.policies.circuitBreakers.cb.trip: `consecutiveFailure > 3` uses 'consecutiveFailure', "
            "which is not known there; did you mean consecutiveFailures?"
        ),
    ),
    (
        f"{TARGET}outbound: slow",
        "r.yaml:19: spec.targets.components.llm.outbound: must be an object, not text",
    ),
    (
        "policies:\n  timeouts:\n    short: 5s\n    short: 6s",
        "r.yaml:19: the key short stands in line 18 and again in line 19; keep one of the two",
    ),
]


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_an_error_has_its_line_field_and_fix(text: str, message: str) -> None:
    """What is wrong keeps the document from being used, and nothing else in its file."""
    found = spec(text)
    assert [str(problem) for problem in found.problems] == [message]
    assert found.broken


def test_all_errors_are_found_at_once() -> None:
    """One reading is enough to mend everything."""
    found = spec(
        "policies:\n  timeouts:\n    a: x\n  retries:\n    b: {maxRetries: many}\n"
        "  circuitBreakers:\n    c: {trip: '1'}"
    )
    assert [problem.line for problem in found.problems] == [18, 20, 22]


TOLD = [
    ("polices: {}", "warning", "spec.polices: is not known and has no effect; did you mean policies?"),
    (
        f"{RETRY}maxRetry: 3",
        "warning",
        "spec.policies.retries.again.maxRetry: is not known and has no effect; did you mean maxRetries?",
    ),
    (
        f"{TARGET}retry: again",
        "warning",
        "spec.targets.components.llm.retry: has no effect here; write it one level further in, under outbound",
    ),
    (
        "targets:\n  apps:\n    shop: {retry: nothing-known}",
        "notice",
        "spec.targets.apps: has no effect here: this host calls no apps",
    ),
    (
        "targets:\n  actors:\n    cart: {}",
        "notice",
        "spec.targets.actors: has no effect here: this host calls no actors",
    ),
    (
        f"{TARGET}inbound: {{retry: nothing-known}}\n    big:\n      inbound: {{}}",
        "notice",
        "spec.targets.components.llm.inbound: has no effect here: conversations are outbound",
    ),
    (
        f"{RETRY}matching: {{gRPCStatusCodes: 1-3}}\n    more:\n      matching: {{gRPCStatusCodes: 1-3}}",
        "notice",
        "spec.policies.retries.again.matching.gRPCStatusCodes: has no effect here: providers are called over HTTP",
    ),
]


@pytest.mark.parametrize(("text", "severity", "message"), TOLD)
def test_what_has_no_effect_is_said_once(text: str, severity: str, message: str) -> None:
    """Parts of Dapr's schema that are for other things are accepted, and likely slips are named."""
    found = spec(text)
    assert not found.broken
    assert [(one.severity, str(one).split(": ", 1)[1]) for one in found.problems] == [(severity, message)]


def test_a_document_without_a_name_is_used() -> None:
    """As daprd does: the name is for people."""
    found = read(FULL.replace("  name: calm\n", ""))
    assert [(problem.severity, problem.field) for problem in found.problems] == [("warning", "metadata.name")]
    assert found.targets


def state(text: str, **host: str | None) -> tuple[list[str], list[str], bool]:
    """Read a file; gives the names of its Resiliency manifests, its problems and whether it is broken."""
    given = {"app_id": "shop", "namespace": None, **host}
    file = read_file("r.yaml", text.encode(), **given)  # type: ignore[arg-type]
    assert not file.documents
    return [one.name for one in file.resiliencies], [str(problem) for problem in file.problems], file.broken


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ({}, ["calm"]),
        ({"app_id": "other"}, []),
        ({"app_id": ""}, []),
        ({"namespace": "production"}, ["calm"]),
        ({"namespace": "test"}, []),
    ],
)
def test_a_document_for_other_apps_or_namespaces_is_left_out(host: dict[str, str], found: list[str]) -> None:
    """Scopes and namespace decide as they do for components, and a notice says so."""
    names, problems, broken = state(FULL, **host)
    assert (names, len(problems), broken) == (found, 0 if found else 1, False)


def test_an_error_in_a_document_does_not_break_its_file() -> None:
    """Components beside it are none the worse: only text that can't be parsed leaves open what is gone."""
    names, problems, broken = state(FULL.replace("short: 5s", "short: soon") + "---\n" + FULL)
    assert (names, len(problems), broken) == (["calm", "calm"], 1, False)
    _, _, broken = state(FULL + "---\na: [\n")
    assert broken


def test_half_a_head_is_an_error_of_the_file() -> None:
    """A document of this kind without apiVersion may be half written."""
    _, problems, broken = state(FULL.replace("apiVersion: dapr.io/v1alpha1\n", ""))
    assert (problems, broken) == (["r.yaml:1: apiVersion: is missing; add `apiVersion: dapr.io/v1alpha1`"], True)
