"""Manifests that are made to break what reads them: each is named with its cause, and the host serves the others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from process import Process, serving
from running import component, converse_on, get_on

from jackfield.manifests.folder import LARGEST_FILE

MEBIBYTE = 1 << 20
HEAD = component("bomb")


class Bomb(NamedTuple):
    """A manifest, and what the host says of it."""

    text: str
    told: str


def levels(count: int, *, merged: bool) -> str:
    """Write objects or lists that hold the ones before nine times each."""
    lines = ["a0: &a0 {x: 1}"]
    for number in range(1, count):
        nine = ", ".join([f"*a{number - 1}"] * 9)
        lines.append(f"a{number}: &a{number} " + (f"{{<<: [{nine}]}}" if merged else f"[{nine}]"))
    return "\n".join(lines)


BOMBS = {
    "laughs": Bomb(levels(12, merged=False), "more than 200,000 values"),
    "merges": Bomb(levels(12, merged=True), "more than 200,000 values"),
    "itself": Bomb("&a {b: *a}", "refers to the value it is part of"),
    "merged-itself": Bomb("a: &a\n  <<: *a\n", "refers to the value it is part of"),
    "deep": Bomb("[" * MEBIBYTE, "nests deeper than 64 levels"),
    "dashes": Bomb("- " * MEBIBYTE, "nests deeper than 64 levels"),
    "keys": Bomb("a:\n" + "".join(f"  k{number}: 1\n" for number in range(150_000)), "more than 200,000 values"),
    "same-keys": Bomb(HEAD + "  ignoreErrors: true\n" * 20_000, "18999 more problems of this file"),
    "integer": Bomb(HEAD.replace("version: v1", "version: " + "9" * MEBIBYTE), "spec.version"),
    "float": Bomb(HEAD + "  ignoreErrors: 1e" + "9" * 1000 + "\n", "spec.ignoreErrors"),
    "hexadecimal": Bomb(component("hexadecimal", maxConcurrency="0x" + "f" * MEBIBYTE), "maxConcurrency"),
    "object": Bomb("!!python/object/apply:os.system ['touch {marker}']\n", "must be an object"),
    "new-object": Bomb(HEAD + "  metadata: !!python/object/new:os.system ['touch {marker}']\n", "spec.metadata"),
    "module": Bomb("!!python/module:antigravity x\n", "must be an object"),
    "nul": Bomb("\0" * 1000, "control character"),
    "quotes": Bomb("'" * (MEBIBYTE + 1), "quotes are opened"),
    "too-large": Bomb("#" * (LARGEST_FILE + 1), "larger than 16 MiB"),
}


@pytest.fixture(scope="module")
def bombed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Path]]:
    """A host in a process of its own whose folder has all bombs, and a file that an object could have made."""
    folder = tmp_path_factory.mktemp("manifests")
    marker = tmp_path_factory.mktemp("marker") / "made"
    for name, bomb in BOMBS.items():
        (folder / f"{name}.yaml").write_text(bomb.text.replace("{marker}", str(marker)))
    # What is no regular file could keep a reader waiting for ever, or give it bytes without end.
    os.mkfifo(folder / "pipe.yaml")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "folder.yaml").mkdir()
    (folder / "many.yaml").write_text("---\n" * 200_000)
    (folder / "text.yaml").write_text(component("text", note="x" * (4 * MEBIBYTE)))
    (folder / "zz.yaml").write_text(component("echo"))
    with serving(folder) as process:
        yield process, marker


def told_of(process: Process) -> dict[str, Any]:
    """Return the host's own metadata once its first look at the folder is over."""
    process.wait_for(r"component loaded.*component=echo ")
    told: dict[str, Any] = get_on(process.port, "/v1.0/metadata").json["jackfield"]
    return told


def test_a_host_serves_beside_bombs(bombed: tuple[Process, Path]) -> None:
    """Manifests that expand, nest, repeat or never end leave the host to serve the others, in little memory."""
    process, _ = bombed
    told_of(process)
    assert converse_on(process.port, "echo", "hello").text == "hello"
    assert process.peak_memory() < 400 * MEBIBYTE


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_named_with_its_cause(bombed: tuple[Process, Path], name: str) -> None:
    """Each manifest that can't be read is told by file and cause, in a text of bounded length."""
    told = json.dumps([entry for entry in all_problems(told_of(bombed[0])) if f"/{name}.yaml" in entry])
    assert BOMBS[name].told in told
    assert len(told) < 300_000


def all_problems(told: dict[str, Any]) -> list[str]:
    """Return what is wrong with files and with components, each as a text."""
    return [json.dumps(entry) for entry in (*told["files"], *told["components"])]


def test_no_tag_makes_an_object(bombed: tuple[Process, Path]) -> None:
    """A tag that names a Python object is a name and no call: nothing of it is run or imported."""
    process, marker = bombed
    told_of(process)
    assert not marker.exists()


def test_what_is_no_regular_file_is_not_read(bombed: tuple[Process, Path]) -> None:
    """Pipes, devices, folders and links to themselves hold up no reading of manifests, whatever they are called."""
    told = told_of(bombed[0])
    assert not [entry for entry in all_problems(told) if "pipe.yaml" in entry or "zero.yaml" in entry]
    assert [entry for entry in all_problems(told) if "loop.yaml" in entry and "symbolic links" in entry]
