"""Every client of the page is run as the page has it, against a host with canned replies and against the real model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from markdown import ROOT, Block, page
from openai import OpenAI

from jackfield import ToolCall
from jackfield.testing import CannedHost, RunningHost

pytest_plugins = ["jackfield.testing"]

BLOCKS = [block for block in page("docs/clients.md").blocks if block.told("client") and block.language == "python"]
SAID = "It is\nParis, of course."


def run(block: Block, url: str) -> None:
    """Run a block's code, for a host at another address than the page's."""
    code = block.text.replace("http://localhost:3500", url)
    assert code != block.text
    names: dict[str, object] = {"__name__": "client"}
    try:
        exec(compile(code, f"docs/clients.md:{block.line}", "exec"), names)
    finally:
        for value in names.values():
            if isinstance(value, OpenAI):
                value.close()  # a program that ends does so


def of_kind(kind: str) -> list[Block]:
    """The blocks that are marked so."""
    return [block for block in BLOCKS if block.told("client") == kind]


@pytest.mark.parametrize("block", of_kind("llm"), ids=lambda block: block.section)
def test_text(block: Block, host: CannedHost, capsys: pytest.CaptureFixture[str]) -> None:
    """The client prints what the model says, in pieces."""
    host.reply(SAID)
    run(block, host.url)
    assert capsys.readouterr().out == SAID
    assert host.asked[0].stream


@pytest.mark.parametrize("block", of_kind("llm"), ids=lambda block: block.section)
def test_text_of_the_embedded_model(block: Block, capsys: pytest.CaptureFixture[str]) -> None:
    """What a fresh clone serves answers the same code."""
    with RunningHost(ROOT / "manifests", options={"environment": dict(os.environ)}) as running:
        run(block, f"http://127.0.0.1:{running.port}")
    assert "Paris" in capsys.readouterr().out


def test_what_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first reply is a miss, the next a hit, and neither shows the address."""
    (block,) = of_kind("kept")
    (tmp_path / "echo.yaml").write_text(
        (ROOT / "manifests/echo.yaml").read_text("utf-8").replace("name: echo", "name: llm"), encoding="utf-8"
    )
    with RunningHost(tmp_path) as running:
        for _ in range(2):
            run(block, f"http://127.0.0.1:{running.port}")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("miss Say hello to <")
    assert second == first.replace("miss", "hit")


def test_tools(host: CannedHost, capsys: pytest.CaptureFixture[str]) -> None:
    """The tool is called with what the model says, and its result goes back."""
    (block,) = of_kind("tools")
    host.reply("", ToolCall("c1", "Weather", '{"city": "Bremen"}'))
    run(block, host.url)
    assert capsys.readouterr().out == "You said: It rains in Bremen.\n"
