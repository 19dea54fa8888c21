"""The folder reader, on real files."""

# ruff: noqa: E501  (a manifest stands in one line)
from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jackfield.manifests.folder import LARGEST_FILE, SETTLE_SECONDS, FolderReader, Scan

LONG_AGO = 1_000_000_000


def text(name: str, extra: str = "") -> str:
    """Return a manifest."""
    return f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: conversation.echo\n{extra}"


def put(path: Path, content: str, *, age: float | None = None) -> None:
    """Write a file whose time is long ago, or ``age`` seconds ago."""
    path.write_text(content)
    moment = LONG_AGO if age is None else time.time() - age
    os.utime(path, (moment, moment))


def reader(*folders: Path, app_id: str = "app", namespace: str | None = None) -> FolderReader:
    """Make a reader."""
    return FolderReader(folders, app_id=app_id, namespace=namespace)


def names(scan: Scan) -> list[str]:
    """Return the names of the components in a scan."""
    return [manifest.name for manifest in scan.manifests]


def until(scan: Callable[[], Scan], settled: Callable[[Scan], bool]) -> Scan:
    """Scan until something holds; the settling of a file is a matter of the clock."""
    deadline = time.monotonic() + 10
    while not settled(found := scan()):
        assert time.monotonic() < deadline, found
    return found


def test_files_are_read_in_lexical_order_folder_by_folder(tmp_path: Path) -> None:
    """Load order is folders as given, then file names; folders within are not looked into."""
    first, second = tmp_path / "z", tmp_path / "a"
    for folder in (first, second, first / "inner"):
        folder.mkdir()
    put(first / "b.yaml", text("one"))
    put(first / "c.YML", text("two") + "---\n" + text("three"))
    put(first / "a.txt", text("no"))
    put(first / "inner" / "a.yaml", text("no"))
    put(second / "a.Yaml", text("four"))
    scan = reader(first, second, first).scan()
    assert names(scan) == ["one", "two", "three", "four"]
    assert scan.folders == {str(first): True, str(second): True}
    assert not scan.unsettled


def test_other_files_are_named_once_and_leftovers_never(tmp_path: Path) -> None:
    """A file that is no YAML gets one notice; hidden files and editors' leftovers get none."""
    for name in ("notes.txt", ".hidden.yaml", ".a.yaml.swp", "a.yaml~", "#a.yaml#", "..data", "4913.tmp"):
        put(tmp_path / name, text("no"))
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    found = reader(tmp_path)
    scan = found.scan()
    assert [str(problem) for problem in scan.all_problems] == [
        f"{tmp_path}/notes.txt: the file is no YAML and is not loaded; name a manifest .yaml or .yml"
    ]
    assert scan.files == {}
    assert found.scan().problems == ()
    (tmp_path / "notes.txt").unlink()
    found.scan()
    put(tmp_path / "notes.txt", "back")
    assert len(found.scan().problems) == 1


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    """Unchanged files keep their very state; of a thousand only the changed one is read."""
    put(tmp_path / "a.yaml", text("one"))
    put(tmp_path / "b.yaml", text("two"))
    found = reader(tmp_path)
    first = found.scan()
    put(tmp_path / "b.yaml", text("three"))
    second = found.scan()
    assert names(second) == ["one", "three"]
    assert second.files[f"{tmp_path}/a.yaml"] is first.files[f"{tmp_path}/a.yaml"]
    assert found.scan().files[f"{tmp_path}/b.yaml"] is second.files[f"{tmp_path}/b.yaml"]


def test_a_new_file_is_read_once_it_has_held_still(tmp_path: Path) -> None:
    """A file written just now is unsettled and gives nothing yet; one that is 50 ms old is read."""
    found = reader(tmp_path)
    (tmp_path / "a.yaml").write_text(text("one"))
    scan = found.scan()
    assert (names(scan), scan.unsettled) == ([], True)
    os.utime(tmp_path / "a.yaml", (time.time() - SETTLE_SECONDS * 1.1,) * 2)
    scan = found.scan()
    assert (names(scan), scan.unsettled) == (["one"], False)


def test_a_file_that_is_being_written_keeps_its_previous_content(tmp_path: Path) -> None:
    """While a file is unsettled its previous state stands, even where it is cut short."""
    put(tmp_path / "a.yaml", text("one"))
    found = reader(tmp_path)
    before = found.scan()
    with (tmp_path / "a.yaml").open("w") as file:
        file.write(text("two")[:30])
        file.flush()
        scan = found.scan()
        assert scan.unsettled
        assert scan.files == before.files
        file.write(text("two")[30:])
    scan = until(found.scan, lambda scan: not scan.unsettled)
    assert names(scan) == ["two"]


def test_a_time_in_the_future_does_not_keep_a_file_from_being_read(tmp_path: Path) -> None:
    """Where the clock can't tell, a file is read when it was seen unchanged 50 ms later."""
    put(tmp_path / "a.yaml", text("one"), age=-3600)
    found = reader(tmp_path)
    assert found.scan().unsettled
    assert names(until(found.scan, lambda scan: not scan.unsettled)) == ["one"]


def test_an_atomic_replace_is_seen_even_with_the_same_size_and_time(tmp_path: Path) -> None:
    """A file put in another's place is another file."""
    put(tmp_path / "a.yaml", text("one"))
    found = reader(tmp_path)
    found.scan()
    put(tmp_path / "new", text("two"))
    (tmp_path / "new").replace(tmp_path / "a.yaml")
    assert names(found.scan()) == ["two"]


def test_a_broken_file_says_so_and_keeps_its_good_documents(tmp_path: Path) -> None:
    """One bad document leaves its neighbours alone and marks the file."""
    put(tmp_path / "a.yaml", text("one") + "---\nkind: [\n---\n" + text("two"))
    scan = reader(tmp_path).scan()
    (state,) = scan.files.values()
    assert (names(scan), state.broken) == (["one", "two"], True)
    assert [problem.line for problem in state.problems] == [8]


@pytest.mark.parametrize("content", ["", " \n", "# only\n"])
def test_an_emptied_file_is_broken_and_one_of_comments_is_not(tmp_path: Path, content: str) -> None:
    """An editor that empties a file first removes nothing; an operator who comments all out does."""
    put(tmp_path / "a.yaml", content)
    (state,) = reader(tmp_path).scan().files.values()
    assert state.broken is (not content.strip())
    assert state.documents == ()


def test_a_deleted_file_is_gone(tmp_path: Path) -> None:
    """A file that is gone from a readable folder is gone from the scan."""
    put(tmp_path / "a.yaml", text("one"))
    found = reader(tmp_path)
    found.scan()
    (tmp_path / "a.yaml").unlink()
    until(found.scan, lambda scan: not scan.unsettled)
    assert found.scan().files == {}


def test_a_file_that_is_written_anew_is_never_gone(tmp_path: Path) -> None:
    """Editors take a file away before they write the new one: what it said counts until that is there and read."""
    put(tmp_path / "a.yaml", text("one"))
    put(tmp_path / "b.yaml", text("two"))
    found = reader(tmp_path)
    found.scan()
    (tmp_path / "a.yaml").rename(tmp_path / "a.yaml~")
    away = found.scan()
    assert (names(away), away.unsettled) == (["one", "two"], True)

    put(tmp_path / "a.yaml", text("three"))
    back = found.scan()
    assert (names(back), back.unsettled) == (["three", "two"], False)


def test_a_file_whose_place_a_folder_takes_is_gone(tmp_path: Path) -> None:
    """What stands there now is no manifest, so the file doesn't count as one that comes back."""
    put(tmp_path / "a.yaml", text("one"))
    found = reader(tmp_path)
    found.scan()
    (tmp_path / "a.yaml").unlink()
    (tmp_path / "a.yaml").mkdir()
    assert names(until(found.scan, lambda scan: not scan.unsettled)) == []


def test_a_file_that_is_renamed_is_there_once(tmp_path: Path) -> None:
    """A file under another name takes its components along at once: no scan has them twice, or not at all."""
    put(tmp_path / "a.yaml", text("one"))
    found = reader(tmp_path)
    found.scan()
    (tmp_path / "a.yaml").rename(tmp_path / "b.yaml")
    scan = found.scan()
    assert list(scan.files) == [str(tmp_path / "b.yaml")]
    assert (names(scan), scan.unsettled) == (["one"], False)


def test_a_document_that_moves_to_another_file_is_there_throughout(tmp_path: Path) -> None:
    """What is taken out of one file counts until the other one, which is still being written, is read."""
    put(tmp_path / "a.yaml", text("one") + "---\n" + text("two"))
    put(tmp_path / "b.yaml", text("three"))
    found = reader(tmp_path)
    found.scan()
    put(tmp_path / "a.yaml", text("one"))
    put(tmp_path / "b.yaml", text("three") + "---\n" + text("two"), age=0)
    between = found.scan()
    assert (names(between), between.unsettled) == (["one", "two", "three"], True)

    assert names(until(found.scan, lambda scan: not scan.unsettled)) == ["one", "three", "two"]


def test_a_file_whose_document_moves_to_another_one_is_there_throughout(tmp_path: Path) -> None:
    """A deleted file counts, however long it is gone, while one that is being written mentions what was in it."""
    put(tmp_path / "a.yaml", text("one"))
    put(tmp_path / "b.yaml", text("two"))
    found = reader(tmp_path)
    found.scan()
    (tmp_path / "a.yaml").unlink()
    scan = found.scan()
    deadline = time.monotonic() + 3 * SETTLE_SECONDS
    while time.monotonic() < deadline:
        put(tmp_path / "b.yaml", text("two") + "---\n" + text("one"), age=0)
        scan = found.scan()
        assert (names(scan), scan.unsettled) == (["one", "two"], True)

    assert names(until(found.scan, lambda scan: not scan.unsettled)) == ["two", "one"]


def test_a_file_that_grows_past_what_is_read_is_not_searched_to_its_end(tmp_path: Path) -> None:
    """However large it becomes, no more of it is taken into memory; what it mentions there moves nowhere."""
    put(tmp_path / "a.yaml", text("one") + "---\n" + text("two"))
    found = reader(tmp_path)
    found.scan()
    put(tmp_path / "a.yaml", text("one"))
    with (tmp_path / "b.yaml").open("wb") as file:
        file.seek(LARGEST_FILE)
        file.write(b"two")
    scan = found.scan()
    assert (names(scan), scan.unsettled) == (["one"], True)


def test_a_folder_that_is_made_anew_file_by_file_loses_none(tmp_path: Path) -> None:
    """While a folder that came back is being filled, the components of the files still to come are kept."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name in ("one", "two"):
        put(folder / f"{name}.yaml", text(name))
    found = reader(folder)
    found.scan()
    folder.rename(tmp_path / "away")
    assert names(found.scan()) == ["one", "two"]

    folder.mkdir()
    put(folder / "one.yaml", text("one"))
    assert names(found.scan()) == ["one", "two"]
    put(folder / "two.yaml", text("two"))
    assert names(found.scan()) == ["one", "two"]


def test_a_folder_that_is_gone_keeps_its_files(tmp_path: Path) -> None:
    """A missing folder is a problem, not the end of its components; when it returns, it counts again."""
    folder = tmp_path / "manifests"
    found = reader(folder)
    scan = found.scan()
    assert scan.folders == {str(folder): False}
    assert [str(problem) for problem in scan.problems] == [
        f"{folder}: the folder of manifests can't be read (No such file or directory); create it, or name another with --manifests"
    ]
    folder.mkdir()
    put(folder / "a.yaml", text("one"))
    assert names(found.scan()) == ["one"]
    (folder / "a.yaml").unlink()
    folder.rmdir()
    gone = found.scan()
    assert (names(gone), gone.folders) == (["one"], {str(folder): False})
    folder.mkdir()
    assert names(until(found.scan, lambda scan: not scan.unsettled)) == []


def test_the_swap_of_a_config_map_is_seen(tmp_path: Path) -> None:
    """Kubernetes switches one symlink for all files of a ConfigMap; each is then another file."""
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        put(tmp_path / f"..{version}" / "a.yaml", text(version))
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    found = reader(tmp_path)
    assert names(found.scan()) == ["one"]
    (tmp_path / "..data_tmp").symlink_to("..two")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    scan = found.scan()
    assert (names(scan), scan.unsettled, scan.all_problems) == (["two"], False, ())


def test_a_folder_may_be_a_symlink_that_is_switched(tmp_path: Path) -> None:
    """The files of the folder that the symlink points to now are the ones that count."""
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        put(tmp_path / version / "a.yaml", text(version))
    current = tmp_path / "current"
    current.symlink_to("one")
    found = reader(current)
    assert names(found.scan()) == ["one"]
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(current)
    assert names(found.scan()) == ["two"]


def test_a_symlink_that_points_to_nothing_is_broken_not_gone(tmp_path: Path) -> None:
    """A file that is there and can't be read keeps its components, and is read when it can be."""
    (tmp_path / "a.yaml").symlink_to("real")
    found = reader(tmp_path)
    (state,) = found.scan().files.values()
    assert state.broken
    assert [str(problem) for problem in state.problems] == [
        f"{tmp_path}/a.yaml: the file can't be read (No such file or directory); see what it points to"
    ]
    assert found.scan().files[f"{tmp_path}/a.yaml"] is state
    put(tmp_path / "real", text("one"))
    assert names(until(found.scan, lambda scan: bool(scan.manifests))) == ["one"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_without_permission_is_read_once_it_is_given(tmp_path: Path) -> None:
    """A change of mode alone is enough for a file to be read."""
    put(tmp_path / "a.yaml", text("one"))
    (tmp_path / "a.yaml").chmod(0)
    found = reader(tmp_path)
    assert [state.broken for state in found.scan().files.values()] == [True]
    (tmp_path / "a.yaml").chmod(0o600)
    assert names(found.scan()) == ["one"]


@pytest.mark.parametrize(
    ("extra", "namespace", "message"),
    [
        ("scopes: [other]\n", None, "scopes: is left out: the app id app is not among its scopes; see --app-id"),
        ("scopes: [other, app]\n", None, ""),
        ("scopes: []\n", None, ""),
        ("", "here", ""),
    ],
)
def test_manifests_for_other_apps_are_left_out(tmp_path: Path, extra: str, namespace: str | None, message: str) -> None:
    """Scopes decide which apps a component is for; without any it is for all."""
    put(tmp_path / "a.yaml", text("one", extra))
    scan = reader(tmp_path, namespace=namespace).scan()
    (state,) = scan.files.values()
    assert [manifest.name for manifest in state.excluded] == (["one"] if message else [])
    assert names(scan) == ([] if message else ["one"])
    assert [str(problem) for problem in scan.all_problems] == ([f"{tmp_path}/a.yaml:7: {message}"] if message else [])
    assert not state.broken


@pytest.mark.parametrize(
    ("own", "written", "loaded"),
    [("a", "a", True), ("a", "b", False), (None, "b", True), ("", "b", True), ("a", '""', True)],
)
def test_manifests_of_other_namespaces_are_left_out(
    tmp_path: Path, own: str | None, written: str, loaded: bool
) -> None:
    """A manifest is left out if it and the host both have a namespace and they differ."""
    put(tmp_path / "a.yaml", text("one").replace("  name: one", f"  name: one\n  namespace: {written}"))
    scan = reader(tmp_path, namespace=own).scan()
    assert names(scan) == (["one"] if loaded else [])
    assert [problem.severity for problem in scan.all_problems] == ([] if loaded else ["notice"])
