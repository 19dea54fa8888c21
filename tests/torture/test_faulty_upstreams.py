"""The short form of the suite `upstream`, and proof that its judge finds what is wrong."""

from __future__ import annotations

import pytest
from faulty_book import Hit, answer_to, question
from faulty_call import LATE, OK, OPEN, Ending, Kind
from faulty_clients import Answer
from faulty_components import GRADES, LIMIT
from faulty_faults import COMMON, RIGHT
from faulty_oracle import endings_of, routed, wrong
from faulty_upstreams import torture

FAULTS = {fault.name: fault for fault in COMMON}
REFUSED = Ending(Kind.STATUS, 503)
BUSY = "failed conversing with component c: API returned unexpected status code: 503: no"


@pytest.mark.timeout(240)  # ten seconds of it on a machine with nothing else to do
def test_every_answer_is_a_documented_one_whatever_the_upstream_does() -> None:
    """A few seconds of the storm, with its breakers' rounds and its closed doors, break no promise."""
    figures = {figure.text: figure.value for figure in torture(seconds=2, seed=20261123)}
    assert int(figures["kinds of faults that they met"]) > 15
    assert int(figures["times a breaker opened and closed again"]) >= 3


def hits(*met: tuple[str, float], reused: bool = False, component: str = "openai-retry") -> list[Hit]:
    """The calls of a request: what each met and when."""
    return [Hit(component, RIGHT if name == "right" else FAULTS[name], at, reused) for name, at in met]


@pytest.mark.parametrize(
    ("grade", "met", "ended", "endings"),
    [
        pytest.param("bare", [("right", 0)], 0.1, {OK}, id="right"),
        pytest.param("bare", [("503", 0)], 0.1, {REFUSED}, id="no policy repeats"),
        pytest.param("bare", [("503", 0), ("right", 1)], 1.1, set(), id="no policy, and yet a repeat"),
        pytest.param("retry", [("503", 0), ("503", 0.1), ("right", 0.2)], 0.3, {OK}, id="a repeat that helps"),
        pytest.param("retry", [("503", 0)], 0.1, set(), id="a repeat is missing"),
        pytest.param("retry", [("503", t / 10) for t in range(4)], 0.5, set(), id="a repeat too many"),
        pytest.param("retry", [("503", 0), ("right", 0.01)], 0.1, set(), id="a repeat too early"),
        pytest.param("retry", [("401", 0), ("right", 0.1)], 0.2, set(), id="a wrong request repeated"),
        pytest.param("retry", [("429, in a second", 0), ("right", 0.5)], 0.6, set(), id="Retry-After not kept"),
        pytest.param("listed", [("500", 0), ("right", 0.1)], 0.2, set(), id="a status that isn't listed"),
        pytest.param("guarded", [], 0.1, {OPEN}, id="an open breaker"),
        pytest.param("bare", [], 0.1, set(), id="no call without a breaker"),
        pytest.param("bare", [("hang", 0)], LIMIT, {LATE}, id="a limit"),
    ],
)
def test_the_judge_knows_the_policies(
    grade: str, met: list[tuple[str, float]], ended: float, endings: set[Ending]
) -> None:
    """Calls that the policies don't explain leave no ending, so that any answer is wrong."""
    assert endings_of(GRADES[grade], hits(*met), stream=False, since=0, until=ended) == endings


def test_the_judge_knows_the_hosts_own_repeat_on_a_kept_connection() -> None:
    """A reset of a connection that was used before is followed by one more call, which is no attempt."""
    calls = hits(("reset", 0), ("right", 0.01), reused=True)
    assert endings_of(GRADES["bare"], calls, stream=False, since=0, until=0.1) == {OK}
    calls = hits(("reset", 0), ("right", 0.01))
    assert endings_of(GRADES["bare"], calls, stream=False, since=0, until=0.1) == set()


def test_the_judge_knows_when_another_target_is_tried() -> None:
    """A router goes on after a 503, not after a 400, and each target must have had its turn."""
    targets = ("openai-bare", "anthropic-bare")

    def told(first: str, *second: str) -> set[Ending]:
        calls = hits((first, 0), component=targets[0]) + hits(*((name, 1) for name in second), component=targets[1])
        return routed(targets, calls, stream=False, since=0, until=1.1)

    assert told("503", "right") == {OK}
    assert told("400", "right") == set()
    assert told("400") == {Ending(Kind.STATUS, 400)}
    assert told("503") == set()


@pytest.mark.parametrize(
    ("answer", "ending", "fault"),
    [
        pytest.param(Answer(200, answer_to(question(7)), done=True), OK, "", id="right"),
        pytest.param(Answer(200, answer_to(question(8)), done=True), OK, "it should be answered", id="another's"),
        pytest.param(Answer(200, answer_to(question(7))), OK, "it should be answered", id="not done"),
        pytest.param(Answer(500, code="ERR_CONVERSATION_INVOKE", message=BUSY), REFUSED, "", id="an error"),
        pytest.param(Answer(502, code="ERR_CONVERSATION_INVOKE", message=BUSY), REFUSED, "its status", id="status"),
        pytest.param(Answer(500, code="ERROR", message=BUSY), REFUSED, "its code", id="code"),
        pytest.param(Answer(500, code="ERR_CONVERSATION_INVOKE", message="?"), REFUSED, "it should tell", id="words"),
    ],
)
def test_the_judge_knows_the_answers(answer: Answer, ending: Ending, fault: str) -> None:
    """An answer with another text, status, code or wording than its ending's is wrong."""
    said = wrong(answer, "alpha2", 7, {ending})
    assert said.startswith(fault)
    assert bool(said) == bool(fault)
