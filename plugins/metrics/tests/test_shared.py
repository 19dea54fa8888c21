"""The folder that workers share: who goes on with what, and who cleans up."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from jackfield import Record
from jackfield_metrics.ledger import Ledger, Series
from jackfield_metrics.recorder import Recorder
from jackfield_metrics.shared import SharedFolder
from jackfield_metrics.text import merge

CALLS: Series = ("dapr_component_conversation_count", ("", "true"))
GENERATION: Series = ("jackfield_generation", ())


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedFolder:
    """A folder that nobody else has."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return SharedFolder("some-group")


def counted(folder: SharedFolder, times: int) -> Recorder:
    """A worker's recorder, which has counted."""
    recorder = Recorder()
    recorder.move(folder.open())
    for _ in range(times):
        recorder.request_finished(Record(status=200))
    return recorder


def end(folder: SharedFolder, recorder: Recorder) -> None:
    """End a worker as the kernel ends one that is killed: its locks are gone, and nothing else happens."""
    storage = recorder.ledger._storage
    recorder.move(None)
    storage.close()  # type: ignore[attr-defined]


def test_two_workers_are_added_up(folder: SharedFolder) -> None:
    """Counters are added, and a gauge of which the lowest counts is the lowest."""
    first, second = counted(folder, 2), counted(folder, 3)
    first.ledger.add({GENERATION: [7.0]})
    second.ledger.add({GENERATION: [5.0]})
    merged = merge(folder.series())
    assert merged[CALLS] == [5]
    assert merged[GENERATION] == [5]


def test_a_worker_that_ended_counts_and_is_gone_on_with(folder: SharedFolder) -> None:
    """Its counters stay, its gauges don't, and the next worker takes its file over, not another's."""
    first, second = counted(folder, 2), counted(folder, 3)
    first.ledger.add({GENERATION: [4.0]})
    second.ledger.add({GENERATION: [5.0]})
    end(folder, first)
    merged = merge(folder.series())
    assert (merged[CALLS], merged[GENERATION]) == ([5], [5])
    third = counted(folder, 1)
    assert third.ledger.series()[CALLS] == [3]
    assert third.ledger.series()[GENERATION] == [0]
    assert len(list(folder.path.iterdir())) == 2
    assert merge(folder.series())[CALLS] == [6]


def test_the_last_one_cleans_up(folder: SharedFolder) -> None:
    """The folder stays while a worker lives, and goes with the last."""
    first, second = counted(folder, 1), counted(folder, 1)
    end(folder, first)
    folder.leave()
    assert merge(folder.series())[CALLS] == [2]
    end(folder, second)
    folder.leave()
    assert not folder.path.exists()


@pytest.mark.parametrize(("hours", "held", "stays"), [(2, False, False), (2, True, True), (0, False, True)])
def test_what_a_killed_host_left_is_swept(folder: SharedFolder, hours: int, held: bool, stays: bool) -> None:
    """A folder of another host goes if it is old and nobody holds a file in it; else it stays."""
    other = SharedFolder("another-group")
    left = counted(other, 1)
    if not held:
        end(other, left)
    then = time.time() - 3600 * hours
    os.utime(other.path, (then, then))
    counted(folder, 1)
    assert other.path.exists() is stays
    assert merge(folder.series())[CALLS] == [1]


def test_a_line_that_was_cut_off_is_passed(folder: SharedFolder) -> None:
    """A worker that is killed while it notes a series loses that one, and the file is gone on with."""
    first = counted(folder, 2)
    end(folder, first)
    (file,) = folder.path.iterdir()
    with file.open("ab") as ledger:
        ledger.write(b'["jackfield_cache_total", 90, "llm", "hi')
    second = counted(folder, 1)
    second.request_finished(Record(status=200, component="llm", served_by="llm", cache="hit"))
    series = merge(folder.series())
    assert series[CALLS] == [3]
    assert series["jackfield_cache_total", ("llm", "hit")] == [1]


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file"])
def test_a_folder_that_is_not_ours_alone_is_not_used(folder: SharedFolder, kind: str, tmp_path: Path) -> None:
    """Somebody who got there first neither reads nor writes the numbers."""
    if kind == "open to others":
        folder.path.mkdir()
        folder.path.chmod(0o755)
    elif kind == "a link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        folder.path.symlink_to(tmp_path / "theirs")
    else:
        folder.path.write_text("")
    with pytest.raises(OSError, match="some-group"):
        folder.open()


def test_what_an_older_version_counted_is_left_alone(folder: SharedFolder) -> None:
    """A metric that this code doesn't know is passed, and its place is cleared before it is used again."""
    first = counted(folder, 1)
    place = first.ledger._end
    first.ledger.values[place] = 99.0
    first.ledger._storage.note(("jackfield_forgotten_total", ()), place)
    end(folder, first)
    second = Ledger(folder.open())
    assert ("jackfield_forgotten_total", ()) not in second.series()
