"""The short form of `nox -s profile`: its table is made of the right samples, and its loads of right replies."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from loads import drive
from processes import script
from profiling import Profile, profiles, table
from stacks import LOOP, OTHER, part_of, shares

_SERVING = "run (asyncio/runners.py:118);start (jackfield/serving/worker.py:41)"


@pytest.mark.parametrize(
    ("frames", "part"),
    [
        ("__call__ (jackfield/http/gate.py:9)", "jackfield: http"),
        ("read (jackfield/overrides.py:9);__call__ (<string>:2)", "jackfield: http"),
        ("answer (jackfield/chain/wishes.py:9)", "jackfield: chain"),
        ("key_of (jackfield/builtin/cache/stored.py:9)", "jackfield: cache"),
        ("_post (jackfield/upstream/component.py:9);_request (aiohttp/client.py:9)", "aiohttp"),
        ("decode_reply (jackfield_openai/replies.py:9)", "jackfield: provider plugin"),
        ("answer (jackfield/builtin/scrub/scrub_in.py:9)", "jackfield: the rest"),
        ("send (h11/_connection.py:9);__instancecheck__ (<frozen abc>:119)", "h11"),
        ("send (uvicorn/protocols/http/httptools_impl.py:9)", "uvicorn"),
        ("app_send (hypercorn/protocol/http_stream.py:9);write (asyncio/streams.py:9)", "asyncio"),
        ("", LOOP),
    ],
)
def test_a_sample_is_its_innermost_known_files(frames: str, part: str) -> None:
    """Time is that of the innermost frame whose file belongs to a part; the standard library's is its caller's."""
    loop = "start (jackfield/serving/worker.py:41);run (asyncio/runners.py:118)"
    assert part_of(f"{loop};{frames}" if frames else loop) == part


def test_time_of_no_part_is_shown_as_such() -> None:
    """What belongs to no part is in the table all the same, under a name of its own."""
    assert part_of("main (elsewhere.py:1)") == OTHER


def test_only_the_serving_thread_counts() -> None:
    """Samples of other threads are left out, and the shares of the rest sum to 1."""
    folded = [
        f"{_SERVING};__call__ (jackfield/http/gate.py:9) 3",
        f"{_SERVING};send (h11/_connection.py:9) 1",
        "watch (watchfiles/main.py:9) 400",
    ]
    assert shares(folded) == {"jackfield: http": 0.75, "h11": 0.25}


def test_an_idle_host_is_no_profile() -> None:
    """A recording without a sample of the serving thread is an error, and not an empty table."""
    with pytest.raises(ValueError, match="any load"):
        shares(["watch (watchfiles/main.py:9) 400"])


def test_the_table_adds_up() -> None:
    """Each part has a line with its microseconds and its share, and the last lines have the whole and the kernel's."""
    found = [Profile("echo", 40.0, 0.25, {"h11": 0.75, "jackfield: http": 0.25})]
    lines = [line.split() for line in table("hypercorn", found).splitlines()]
    assert lines[1:] == [
        ["jackfield:", "http", "10.0", "us", "25%"],
        ["h11", "30.0", "us", "75%"],
        ["all", "of", "it", "40.0", "us", "100%"],
        ["of", "which", "in", "the", "kernel", "10.0", "us", "25%"],
    ]


def test_a_wrong_reply_voids_a_load() -> None:
    """A load that gets another reply than the right one ends the run: nothing is profiled that doesn't work."""
    with script("bare.py", "uvicorn") as bare, pytest.raises(SystemExit, match="void"):
        drive("echo", bare.port)(20)


@pytest.mark.timeout(180)
def test_the_host_is_profiled(tmp_path: Path) -> None:
    """A second of load gives a flame graph, and a table in which the host's own code has a part."""
    try:
        (found,) = profiles("hypercorn", ["cached"], tmp_path, seconds=1, requests=400)
    except SystemExit as refused:
        if re.search("permission|not permitted", str(refused), re.IGNORECASE):
            pytest.skip("py-spy may not look into another process here")
        raise
    assert found.cpu > 0
    assert found.shares["jackfield: http"] > 0
    assert "</svg>" in (tmp_path / "cached-hypercorn.svg").read_text()
