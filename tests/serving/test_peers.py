"""A worker that answers for its peers: what the metadata document and readiness say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from running import component

from jackfield.catalog.catalog import Catalog, Entry, State
from jackfield.manifests.folder import read_file
from jackfield.serving.frames import Applied, Extended, FromWorker, MetadataSet, Report, SetMetadata, View
from jackfield.serving.peers import Peers
from jackfield.serving.reports import ComponentReport, Difference, WorkerView

READY = {"name": "llm", "type": "conversation.echo", "state": "ready", "source": "llm.yaml:1", "problems": []}


def view(*, seen: int = 1, ready: bool = True, missing: str = "", **differences: Difference) -> View:
    """What the parent says to worker 1 of two."""
    workers = (WorkerView(1, 11, "serving", 5, seen, ""), WorkerView(2, 12, "serving", 4, 1, missing))
    return View(ready, workers, differences)


def difference(state: str, *, serves: bool = True) -> Difference:
    worst = ComponentReport("llm", "conversation.echo", "llm.yaml:1", state, "", ("the cause",))
    return Difference(worst, {1: "ready", 2: state}, serves)


def peers_after(*said: View) -> tuple[Peers, list[FromWorker]]:
    """Worker 1, which has reported a ready component and then heard the parent."""
    sent: list[FromWorker] = []
    peers = Peers(1, sent.append)
    (manifest,) = read_file("llm.yaml", component("llm").encode(), app_id="", namespace=None).documents
    peers.report(Catalog(5, {"llm": Entry("llm", State.READY, manifest)}), "")
    for one in said:
        peers.received(one)
    return peers, sent


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (view(), "ready"),
        (view(seen=0), "reloading"),
        (view(llm=difference("stale")), "stale"),
        (view(llm=difference("reloading")), "reloading"),
    ],
    ids=["seen by the parent", "not yet compared", "worse elsewhere", "another version elsewhere"],
)
def test_a_component_is_ready_where_all_agree(said: View, state: str) -> None:
    """What this worker has is shown as ready only once the parent has found the same everywhere."""
    peers, _ = peers_after(said)
    (merged,) = peers.merge([READY])
    assert merged == {**READY, "state": state, "problems": ["the cause"] if said.differences else []}


def test_a_component_that_only_others_have_is_shown() -> None:
    """One that this worker hasn't yet is listed as reloading, and not among those that serve."""
    peers, _ = peers_after(view(llm=difference("ready", serves=False)))
    (merged,) = peers.merge([])
    assert (merged["name"], merged["state"], merged["source"]) == ("llm", "reloading", "llm.yaml:1")
    assert not peers.serves_everywhere("llm")
    assert peers.serves_everywhere("other")


def test_workers_are_described_with_what_differs() -> None:
    """Each has its pid and generation; its components are named only where workers differ."""
    alike: list[dict[str, Any]] = [
        {"worker": 1, "state": "serving", "generation": 5, "pid": 11},
        {"worker": 2, "state": "serving", "generation": 4, "pid": 12},
    ]
    assert peers_after(view())[0].describe() == alike
    states = [{**alike[0], "components": {"llm": "ready"}}, {**alike[1], "components": {"llm": "stale"}}]
    assert peers_after(view(llm=difference("stale")))[0].describe() == states


@pytest.mark.parametrize(("own", "lowest"), [(3, 3), (5, 4)])
def test_the_generation_is_the_lowest(own: int, lowest: int) -> None:
    """An edit counts once the slowest worker has it; this worker knows its own number best."""
    assert peers_after(view())[0].generation(own) == lowest


@pytest.mark.parametrize(
    ("said", "own", "missing"),
    [
        (view(), "[llm (failed)]", ""),
        (view(ready=False, missing="(starting)"), "", "[worker 2 (starting)]"),
        (view(ready=False, missing="(starting)"), "[llm (failed)]", "[llm (failed)]"),
        (view(ready=False), "", "[workers (starting)]"),
    ],
    ids=["latched", "a peer", "itself", "nobody has said"],
)
def test_readiness_is_everybodys(said: View, own: str, missing: str) -> None:
    """The host is ready once all workers have been, and says who is not."""
    assert peers_after(said)[0].missing(own) == missing


def test_a_value_is_set_when_the_parent_says_so() -> None:
    """Setting waits for the parent's word, and a value that arrives is acknowledged and shown."""

    async def main() -> None:
        peers, sent = peers_after(view())
        setting = asyncio.create_task(peers.set_metadata("note", "text"))
        await asyncio.sleep(0)
        assert sent[1:] == [SetMetadata(1, "note", "text")]
        peers.received(Extended(3, {"note": "text"}))
        assert sent[2:] == [Applied(3)]
        assert peers.extended == {"note": "text"}
        assert not setting.done()
        peers.received(MetadataSet(1))
        await setting

    asyncio.run(main())
    assert isinstance(peers_after()[1][0], Report)
