"""The suite `reload`, in short, and proof that its ledger finds what is wrong."""

from __future__ import annotations

import json

import pytest
from edit_ledger import GONE, Ledger
from figures import BrokenPromiseError
from raw_client import Answer
from reloading import torture

WORKER = 7


@pytest.mark.timeout(180)
def test_edits_of_every_kind_under_load() -> None:
    """No request fails, no bad edit is effective, each valid one is, and nothing is left of those before.

    The limits of time and memory are those of a machine that has much else to do; `nox -s torture` has the docs' own.
    """
    figures = {figure.text: figure.value for figure in torture(seconds=5, seed=4, lanes=2, limit=5, growth=50)}
    assert int(figures["edits"].replace(",", "")) >= 10


def answer(version: str, name: str = "llm", *, status: int = 200) -> Answer:
    """What a worker answers."""
    if version == GONE:
        error = {"errorCode": "ERR_CONVERSATION_NOT_FOUND", "message": f"failed finding conversation component {name}"}
        return Answer(400, b"", json.dumps(error).encode())
    message = {"content": f"{name} {version} {WORKER} 1"}
    return Answer(status, b"", json.dumps({"outputs": [{"choices": [{"message": message}]}]}).encode())


def edited(*versions: str) -> Ledger:
    """Make a ledger of a component that was edited, the last time just now."""
    ledger = Ledger()
    ledger.workers = (WORKER,)
    ledger.known("llm", "1")
    for version in versions:
        ledger.settled(["llm"])
        ledger.begin("an edit", {"llm": version})
    return ledger


@pytest.mark.parametrize(
    ("versions", "answers"),
    [
        pytest.param((), ["1", "1"], id="no edit"),
        pytest.param(("2",), ["1", "1", "2", "2"], id="the old one, then the new one"),
        pytest.param(("2", GONE), ["2", GONE, GONE], id="deleted"),
        pytest.param((GONE, "2"), [GONE, "2"], id="created again"),
        pytest.param(("2", "1"), ["2", "1", "1"], id="back to what it was"),
    ],
)
def test_the_ledger_takes_what_may_come(versions: tuple[str, ...], answers: list[str]) -> None:
    """The version before the last edit may come until the new one has."""
    ledger = edited(*versions)
    for version in answers:
        ledger.answered(ledger.asked("llm"), answer(version), WORKER)
    assert ledger.answers == len(answers)


@pytest.mark.parametrize(
    ("versions", "answers"),
    [
        pytest.param(("2",), ["3"], id="a version that never was"),
        pytest.param(("2",), ["2", "1"], id="the old one after the new one"),
        pytest.param(("2", "3"), ["1"], id="one before the old one"),
        pytest.param(("2",), [GONE], id="gone"),
        pytest.param((GONE,), [GONE, "1"], id="back after it was gone"),
    ],
)
def test_the_ledger_finds_what_may_not_come(versions: tuple[str, ...], answers: list[str]) -> None:
    """Any other answer breaks the promise, and the message names the edit and what came."""
    ledger = edited(*versions)
    *right, wrong = answers
    for version in right:
        ledger.answered(ledger.asked("llm"), answer(version), WORKER)
    with pytest.raises(BrokenPromiseError, match=f"an edit.* answered '{wrong}' for llm"):
        ledger.answered(ledger.asked("llm"), answer(wrong), WORKER)


def test_the_ledger_finds_failures_and_other_components_answers() -> None:
    """A status of its own, or another component's words, are no answer."""
    ledger = edited("2")
    for wrong in (answer("2", status=503), answer("2", "other")):
        with pytest.raises(BrokenPromiseError):
            ledger.answered(ledger.asked("llm"), wrong, WORKER)


def test_a_request_that_left_before_may_get_the_version_of_then() -> None:
    """What counts is what a worker had answered when the request left."""
    ledger = edited("2")
    early = ledger.asked("llm")
    ledger.answered(ledger.asked("llm"), answer("2"), WORKER)
    ledger.answered(early, answer("1"), WORKER)
