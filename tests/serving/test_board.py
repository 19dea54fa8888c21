"""What several workers say, put side by side: a component is ready only where all serve the same."""

from __future__ import annotations

import pytest

from jackfield.serving.board import Board
from jackfield.serving.frames import Report, ServicesReport
from jackfield.serving.reports import ComponentReport, GoodDocument


def llm(state: str, digest: str = "", *problems: str) -> ComponentReport:
    return ComponentReport("llm", "conversation.echo", "llm.yaml:1", state, digest, problems)


def board_of(*reports: ComponentReport | None) -> Board:
    """A board with one worker for each report; None is a worker without the component."""
    board = Board(range(1, len(reports) + 1))
    for worker, report in enumerate(reports, 1):
        board.began(worker, 100 + worker)
        board.report(worker, Report(1, worker, "", (report,) if report else ()))
    return board


@pytest.mark.parametrize(
    ("first", "second", "state", "serves"),
    [
        (llm("ready", "a"), llm("ready", "a"), None, True),
        (llm("stale", "a"), llm("stale", "a"), None, True),
        (llm("ready", "a"), llm("ready", "b"), "reloading", True),
        (llm("ready", "a"), llm("stale", "a"), "stale", True),
        (llm("ready", "a"), llm("starting"), "starting", False),
        (llm("stale", "a"), llm("failed"), "failed", False),
        (llm("waiting"), llm("ready", "a"), "waiting", False),
        (llm("ready", "a"), None, "reloading", False),
    ],
)
def test_the_worst_state_counts(
    first: ComponentReport, second: ComponentReport | None, state: str | None, serves: bool
) -> None:
    """Workers that differ show the worst state; equal ones are left out of the view."""
    difference = board_of(first, second).view().differences.get("llm")
    if state is None:
        assert difference is None
    else:
        assert difference is not None
        assert (difference.worst.state, difference.serves) == (state, serves)


def test_problems_are_those_of_the_worst() -> None:
    """What the view says of a component explains its state."""
    difference = board_of(llm("ready", "a", "a notice"), llm("failed", "", "the cause")).view().differences["llm"]
    assert difference.worst.problems == ("the cause",)
    assert difference.states == {1: "ready", 2: "failed"}


def test_a_worker_that_never_reported_counts_for_readiness_alone() -> None:
    """It serves nobody, so components stand as the others say; but the host is not ready without it."""
    board = Board([1, 2])
    board.began(1, 101)
    board.report(1, Report(1, 4, "", (llm("ready", "a"),)))
    view = board.view()
    assert not view.ready
    assert not view.differences
    assert [worker.missing for worker in view.workers] == ["", "(starting)"]


def test_readiness_outlives_the_process() -> None:
    """Once every worker has been ready the host stays so, whatever replacements say."""
    board = board_of(llm("ready", "a"), llm("ready", "a"))
    assert board.view().ready
    board.ended(2)
    board.began(2, 202)
    board.report(2, Report(1, 3, "[llm (failed)]", (llm("failed"),)))
    assert board.view().ready


def test_a_replacement_goes_on_where_its_predecessor_was() -> None:
    """Generation and components are the dead worker's until the new one has said otherwise; then only its own count."""
    board = board_of(llm("ready", "a"), llm("ready", "a"))
    board.ended(2)
    board.report(1, Report(2, 9, "", (llm("ready", "b"),)))
    assert board.generation(2) == 2
    assert board.view().differences["llm"].worst.state == "reloading"
    board.began(2, 202)
    assert board.view().workers[1].seen == 0
    board.report(2, Report(1, 3, "", (llm("ready", "b"),)))
    assert not board.view().differences


def test_documents_are_kept_until_no_worker_has_the_component() -> None:
    """The newest text that built is for replacements, as long as the component exists."""
    board = board_of(llm("ready", "a"), llm("ready", "a"))
    one, two = (GoodDocument("llm", b"llm.yaml", 1, text) for text in ("one", "two"))
    board.report(1, Report(2, 2, "", (), (), (one,)))
    board.report(1, Report(3, 3, "", (llm("ready", "b"),), (), (two,)))
    board.report(2, Report(2, 4, "", (), ("llm",)))
    assert board.documents() == (two,)
    board.report(1, Report(4, 4, "", (), ("llm",)))
    assert board.documents() == ()
    assert not board.view().differences


def test_resiliency_manifests_come_first_in_the_order_they_were_told() -> None:
    """The newest list counts, a report without one changes nothing, and components' files don't part it."""
    board = board_of(llm("ready", "a"))
    calm, late = (GoodDocument("calm", file, 1, "text") for file in (b"a.yaml", b"z.yaml"))
    board.report(1, Report(2, 2, "", (), (), (GoodDocument("llm", b"z.yaml", 9, "text"),), (calm, late)))
    board.report(1, Report(3, 3, ""))
    assert [document.file for document in board.documents()] == [b"a.yaml", b"z.yaml", b"z.yaml"]
    board.report(1, Report(4, 4, "", resiliencies=()))
    assert [document.name for document in board.documents()] == ["llm"]


def test_services_that_have_been_tried_stay_so() -> None:
    """A worker that takes services over says anew what is missing; clients aren't held back a second time."""
    board = board_of(llm("ready", "a"))
    assert board.view().services == ServicesReport(tried=False, missing="")
    board.services(ServicesReport(tried=True, missing="[grpc (failed)]"))
    board.services(ServicesReport(tried=False, missing=""))
    assert board.view().services == ServicesReport(tried=True, missing="")
