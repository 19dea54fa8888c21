"""How often Python looks for garbage while a host serves, and afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import RunningHost

from jackfield.garbage import Garbage


@pytest.fixture(name="threshold", autouse=True)
def _threshold() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield (701, 11, 12)
    gc.set_threshold(*before)


def test_a_closed_host_leaves_the_process_s_collections_as_they_were(
    tmp_path: Path, threshold: tuple[int, int, int]
) -> None:
    """While it serves there are fewer; then the thresholds are the process's own, and nothing is kept from them."""
    with RunningHost(tmp_path) as host:
        host.request("GET", "/v1.0/healthz")
        assert gc.get_threshold()[0] > threshold[0]
        assert gc.get_freeze_count()
    assert gc.get_threshold() == threshold
    assert not gc.get_freeze_count()


def test_hosts_that_overlap_leave_nothing_behind(threshold: tuple[int, int, int]) -> None:
    """Whichever of two hosts in a process is closed first, the thresholds are the process's own in the end."""
    for first in (0, 1):
        both = Garbage(), Garbage()
        for each in both:
            each.collect_seldom()
        both[first].collect_as_before()
        both[1 - first].collect_as_before()
        assert gc.get_threshold() == threshold
