"""Every example of the pages is executed: manifests are checked, requests sent, commands parsed or run, code run."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import click
import pytest
from markdown import PAGES, ROOT, Block, Page, page
from pageworld import PageWorld, reader_of
from running import Reply, RunningHost
from shell import SHELLS, Curl, commands

from jackfield.builtin.modules import BUILTINS
from jackfield.checking import check_folders
from jackfield.cli.group import cli
from jackfield.errors import Problem
from jackfield.manifests.configuration import read_configuration
from jackfield.options import HostOptions
from jackfield.plugins.manager import load_plugins

every_page = pytest.mark.parametrize("page", PAGES, ids=str)
# A page in steps has a test of its own, which does what the page says in the page's order.
every_page_at_once = pytest.mark.parametrize("page", [page for page in PAGES if not page.in_steps], ids=str)

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: llm\n"
UNSET = ("is not set", "has no value", "names no secret store", "can't be read from the secret store")
STAND_IN = "/conversation/llm/"
OTHERS = {"apt", "nox", "pip", "python3", "uvicorn"}


def place(page: Page, block: Block) -> str:
    """Where a block stands, for a failure's message."""
    return f"{page}:{block.line}"


def with_next(page: Page) -> list[tuple[Block, Block | None]]:
    """Each block and the one after it."""
    return list(zip(page.blocks, [*page.blocks[1:], None], strict=False))


@every_page_at_once
def test_every_manifest_is_in_order(page: Page, tmp_path: Path) -> None:
    """What `jackfield check` would say of a page's manifests is nothing, but for secrets that a reader has to set."""
    with reader_of(page, tmp_path):
        plugins = load_plugins(builtins=BUILTINS)
        for number, block in enumerate(page.blocks):
            if block.language != "yaml" or block.told("broken"):
                continue
            text = HEAD + block.text if block.text.startswith("spec:") else block.text
            folder = tmp_path / f"block{number}"
            folder.mkdir()
            file = folder / "manifest.yaml"
            file.write_text(text)
            os.utime(file, (1, 1))
            if "kind: Configuration" in text:
                assert not read_configuration([file], environment={}).problems, place(page, block)
                continue
            options = HostOptions(folders=(folder,), app_id="shop", namespace="production")
            checked = asyncio.run(check_folders(options, plugins.component_types(), plugins))
            found = [problem for problem in checked.problems if not _is_expected(problem, page)]
            assert not found, f"{place(page, block)}: {[str(problem) for problem in found]}"
            assert len(checked.components) == text.count("kind: Component"), place(page, block)


def _is_expected(problem: Problem, page: Page) -> bool:
    if "names no secret store" in problem.cause:
        return page.path.parent.parent.name == "plugins"  # a plugin's page shows the part that is its own
    return problem.severity == "warning" and any(text in problem.cause for text in UNSET)


@every_page_at_once
def test_every_request_is_answered_as_the_page_says(page: Page, tmp_path: Path) -> None:
    """Each curl command succeeds, or gives the very reply that the page shows after it."""
    calls: dict[str, list[tuple[Block, Curl, Block | None]]] = {}
    for block, following in with_next(page):
        for words in commands(block) if block.language in SHELLS else ():
            if words[0] == "curl":
                calls.setdefault(page.told(block, "host"), []).append((block, Curl.parse(words), following))
    if not calls:
        return
    with reader_of(page, tmp_path) as world:
        for options, listed in calls.items():
            with world.serving(json.loads(options or "{}")) as host:
                for block, call, following in listed:
                    reply = _send(host, call)
                    shown = following if following is not None and following.follows_directly else None
                    _compare(reply, shown, call, page, block)


def _send(host: RunningHost, call: Curl) -> Reply:
    headers = {name.replace("-", "_"): value for name, value in call.headers.items()}
    return host.request(call.method, call.path, call.data, **headers)


def _compare(reply: Reply, shown: Block | None, call: Curl, page: Page, block: Block) -> None:
    where = f"{place(page, block)}: {reply.status} {reply.body!r}"
    if shown is None or shown.language not in {"json", "http"}:
        assert reply.status < 400, where
        return
    if shown.language == "json":
        assert reply.status < 400, where
        if STAND_IN in call.path or shown.told("compare") == "shape":
            assert _has_shape(reply.json, json.loads(shown.text)), where
        else:
            assert reply.json == json.loads(shown.text), where
        return
    head, _, body = shown.text.partition("\n\n")
    status, *lines = head.splitlines()
    assert status == f"HTTP/1.1 {reply.status}", where
    for name, value in (line.split(": ", 1) for line in lines):
        assert reply.headers.get(name) == value, where
    if reply.headers["content-type"] == "application/json":
        assert reply.json == json.loads(body), where
    elif reply.headers["content-type"] == "text/event-stream":
        given, expected = _events(reply.body.decode()), _events(body)
        assert [name for name, _ in given] == [name for name, _ in expected], where
        for (_, real), (name, told) in zip(given, expected, strict=True):
            # What stands at the end of a stream is different each time.
            assert _has_shape(real, told) if name == "done" else real == told, where
    else:
        assert reply.body.decode() == body, where


def _events(stream: str) -> list[tuple[str, Any]]:
    """Return the name and the JSON of each event of a stream."""
    found = re.findall(r"(?:event: (\w+)\n)?data: (.+)\n", stream + "\n")
    return [(name, json.loads(data)) for name, data in found]


def _has_shape(real: Any, shown: Any) -> bool:
    """Whether all keys that are shown are there, with values of the same kinds."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(key in real and _has_shape(real[key], shown[key]) for key in shown)
    if isinstance(shown, list):
        return isinstance(real, list) and all(any(_has_shape(item, wanted) for item in real) for wanted in shown)
    return type(real) is type(shown)


@every_page
def test_every_json_is_json(page: Page) -> None:
    """A reader may copy any JSON."""
    for block in page.blocks:
        if block.language == "json":
            json.loads(block.text)


@every_page
def test_every_command_exists_with_its_options(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of jackfield parse, sessions and extras are there, and all other commands are known ones."""
    monkeypatch.chdir(tmp_path)
    for block in page.blocks:
        for words in commands(block) if block.language in SHELLS else ():
            name = words[0].rpartition("/")[2]
            if name == "jackfield" and words[1] not in _commands_of(page):
                _parse(words[1:])
            elif name == "nox":
                assert all(session in _sessions() for session in _values(words, "-s")), place(page, block)
            elif name == "uvicorn":
                assert "jackfield.asgi:create_app" in words
            else:
                assert name in OTHERS | {"curl", "jackfield"}, f"{place(page, block)}: {words}"
            for extra in re.findall(r"jackfield\[(\w+)\]", " ".join(words)):
                assert extra in (metadata("jackfield").get_all("Provides-Extra") or ()), place(page, block)


def _commands_of(page: Page) -> set[str]:
    """Commands that the page's own plugins add; they are run by another test."""
    return {name for block in page.blocks for name in re.findall(r'@cli\.command\("([\w-]+)"\)', block.text)}


def _parse(words: list[str]) -> None:
    name, *args = words
    for arg in args:
        if re.fullmatch(r"[\w-]+\.pem", arg):
            Path(arg).touch()
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None, f"there is no command {name}"
    command.make_context(name, list(args), parent=context)


def _sessions() -> set[str]:
    return set(re.findall(r"@nox\.session\n(?:@.*\n)*def (\w+)", (ROOT / "noxfile.py").read_text("utf-8")))


def _values(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


@every_page_at_once
def test_every_printed_output_is_what_a_command_prints(page: Page, tmp_path: Path) -> None:
    """A console block shows each command with all that it prints."""
    elsewhere = {following for block, following in with_next(page) if block.told("broken")}
    shown = [
        block
        for block in page.blocks
        if block.language == "console" and block not in elsewhere and not block.told("stale")
    ]
    if not shown:
        return
    with reader_of(page, tmp_path) as world, world.serving({}) as host:
        for block in shown:
            printed = ""
            for words in commands(block):
                assert words[0] == "jackfield", place(page, block)
                ran = world.run(words[1:], JACKFIELD_URL=f"http://127.0.0.1:{host.port}")
                assert ran.returncode == 0, f"{place(page, block)}: {ran.stderr}"
                printed += ran.stdout
            assert printed == _output(block), place(page, block)


def _output(block: Block) -> str:
    return "".join(line for line in block.text.splitlines(keepends=True) if not line.startswith("$ "))


@every_page_at_once
def test_every_plugin_loads_and_every_test_passes(page: Page, tmp_path: Path) -> None:
    """Plugins load without a complaint and all their types answer; other code runs, and its tests pass."""
    code = [block for block in page.blocks if block.language == "python"]
    if not code:
        return
    with reader_of(page, tmp_path) as world:
        _check_plugins(world)
        for block in code:
            if "@hookimpl" in block.text or block.told("client"):  # clients have a test of their own
                continue
            names: dict[str, Any] = {"__name__": "page"}
            exec(compile(block.text, place(page, block), "exec"), names)
            tests = [value for name, value in names.items() if name.startswith("test_")]
            assert tests or "class " in block.text, f"{place(page, block)} does nothing"
            for test in tests:
                test()


def _check_plugins(world: PageWorld) -> None:
    plugins = load_plugins(builtins=BUILTINS)
    plugins.component_types()
    plugins.observers()
    assert not plugins.add_commands(click.Group())
    records = {record.name: record for record in plugins.records}
    for module in world.modules:
        record = records[module.removeprefix("jackfield_")]
        assert (record.state, record.reason) == ("loaded", ""), record
        assert record.hooks, record


@pytest.mark.parametrize("name", ["manifests", "resilience"])
def test_a_broken_manifest_is_told_as_the_page_says(name: str, tmp_path: Path) -> None:
    """A page shows a wrong manifest and what `jackfield check` prints of it, to the letter."""
    shows = page(f"docs/operators/{name}.md")
    ((wrong, shown),) = [pair for pair in with_next(shows) if pair[0].told("broken")]
    assert shown is not None
    file = tmp_path / wrong.told("broken")
    file.parent.mkdir()
    file.write_text(wrong.text)
    ran = PageWorld(shows, tmp_path).run(next(iter(commands(shown)))[1:])
    assert (ran.returncode, ran.stdout) == (1, _output(shown))


def test_a_stale_component_is_listed_as_the_page_says(tmp_path: Path) -> None:
    """The reload page shows what `jackfield components` prints of a type that was misspelt while the host ran."""
    reload = page("docs/operators/reload.md")
    (shown,) = [block for block in reload.blocks if block.told("stale")]
    world = PageWorld(reload, tmp_path)
    world.manifests.mkdir()
    file = world.manifests / "llm.yaml"
    file.write_text(
        text := (ROOT / "manifests/echo.yaml").read_text("utf-8").partition("\n")[2].replace("echo\ns", "llm\ns")
    )
    os.utime(file, (1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with world.serving({}) as host:
            file.write_text(text.replace("conversation.echo", shown.told("stale")))
            os.utime(file, (1, 1))
            while host.host.catalog.entries["llm"].state.value != "stale":
                host.host.rescan()
                assert host.converse("llm").status == 200
            ran = world.run(next(iter(commands(shown)))[1:], JACKFIELD_URL=f"http://127.0.0.1:{host.port}")
    assert ran.stdout == _output(shown)
