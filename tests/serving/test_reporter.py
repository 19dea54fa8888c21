"""What a worker tells of its catalog: only what is new, and enough to start another from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from running import component

from jackfield.catalog.catalog import Catalog, Entry, State
from jackfield.catalog.instance import Instance
from jackfield.components import Build, Component
from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.folder import read_file
from jackfield.serving.reporter import Reporter, scan_of
from jackfield.settings import Settings


def manifest(name: str, *, file: str = "llm.yaml", comment: str = "", **items: str) -> ComponentManifest:
    (read,) = read_file(file, (comment + component(name, **items)).encode(), app_id="", namespace=None).documents
    return read


def entry(serving: ComponentManifest, newest: ComponentManifest | None = None, state: State = State.READY) -> Entry:
    built = Component(Build(serving.name, serving.type_name, Settings()))
    return Entry(
        serving.name,
        state,
        newest or serving,
        Instance(manifest=serving, component=built, fingerprint=b""),
        tried=serving.digest,
    )


def test_only_what_is_new_is_told() -> None:
    """A second report names what changed; nothing new makes no report."""
    reporter = Reporter()
    one, two = entry(manifest("one")), entry(manifest("two"))
    first = reporter.report(Catalog(1, {"one": one, "two": two}), "")
    assert first is not None
    assert {report.name for report in first.changed} == {"one", "two"}
    assert {document.name for document in first.documents} == {"one", "two"}
    assert reporter.report(Catalog(1, {"one": one, "two": two}), "") is None
    stale = replace(two, state=State.STALE, problems=(Problem("llm.yaml", 1, "", "broken"),))
    second = reporter.report(Catalog(2, {"two": stale}), "")
    assert second is not None
    assert [(report.name, report.state, report.problems) for report in second.changed] == [
        ("two", "stale", ("llm.yaml:1: broken",))
    ]
    assert (second.removed, second.documents) == (("one",), ())


def test_a_change_of_readiness_alone_is_told() -> None:
    """The parent learns that a worker is ready though its catalog is the same."""
    reporter = Reporter()
    assert reporter.report(Catalog(1), "[llm (starting)]") is not None
    report = reporter.report(Catalog(1), "")
    assert report is not None
    assert (report.missing, report.changed) == ("", ())


def test_the_text_told_is_the_one_that_serves() -> None:
    """A stale component's last good text is told, at the file where its trouble is now."""
    good, bad = manifest("llm", model="good"), manifest("llm", file="moved.yaml", model="bad")
    report = Reporter().report(Catalog(1, {"llm": entry(good, bad, State.STALE)}), "")
    assert report is not None
    (document,) = report.documents
    assert (document.file, "good" in document.text) == (b"moved.yaml", True)


RESILIENCY = (
    "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: %s}\nspec: {policies: {timeouts: {a: 5s}}}\n"
)


def test_resiliency_manifests_are_told_whole_whenever_one_changes() -> None:
    """Their order matters, so the list is told again; a replacement reads it beside the components."""
    reporter = Reporter()
    text = RESILIENCY % "one" + "---\n" + RESILIENCY % "two"
    applied = read_file("calm.yaml", text.encode(), app_id="", namespace=None).resiliencies
    first = reporter.report(Catalog(1, {"llm": entry(manifest("llm"))}), "", applied)
    assert first is not None
    assert first.resiliencies is not None
    assert reporter.report(Catalog(1, {"llm": entry(manifest("llm"))}), "", applied) is None
    scan = scan_of((*first.documents, *first.resiliencies))
    (state,) = [state for state in scan.files.values() if state.resiliencies]
    assert [(read.name, read.place, read.digest) for read in state.resiliencies] == [
        (read.name, read.place, read.digest) for read in applied
    ]
    assert [read.name for read in scan.manifests] == ["llm"]
    second = reporter.report(Catalog(2, {}), "", applied)
    assert second is not None
    assert second.resiliencies is None
    third = reporter.report(Catalog(2, {}), "")
    assert third is not None
    assert third.resiliencies == ()


def test_a_replacement_reads_what_was_told() -> None:
    """The documents make a scan with the same components, at the same places."""
    told = [manifest("one"), manifest("two"), manifest("three", file="other.yaml", comment="# first\n")]
    report = Reporter().report(Catalog(1, {read.name: entry(read) for read in told}), "")
    assert report is not None
    scan = scan_of(report.documents)
    assert {(read.name, read.place, read.digest) for read in scan.manifests} == {
        (read.name, read.place, read.digest) for read in told
    }
    assert {str(Path(file)) for file in scan.files} == {"llm.yaml", "other.yaml"}
