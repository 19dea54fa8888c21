"""A host in the event loop of a test: its start, its end, and what happens when they meet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_site import site_on_path
from running import component

from jackfield.host import Host
from jackfield.manifests.folder import FolderReader, Scan, read_file
from jackfield.options import HostOptions

SLOW = """
import asyncio
from jackfield import Conversation, Result, SecretStore, Settings, hookimpl

class Slow(Conversation[Settings]):
    async def start(self):
        await asyncio.Event().wait()

    async def converse(self, request):
        return Result.of_text("slow")

class Store(SecretStore[Settings]):
    async def get(self, name):
        return {name: "sesame"}

    async def changed(self):
        raise RuntimeError("lost")

@hookimpl
def register_components(register):
    register.conversation("conversation.slow", Slow)
    register.secret_store("secretstores.lost", Store)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for manifests, and a plugin with a component that never gets ready."""
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    with site_on_path(tmp_path / "site", monkeypatch) as site:
        site.install("slow", SLOW)
        yield manifests


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario; one that hangs has failed."""
    asyncio.run(asyncio.wait_for(scenario(), 10))


def _quiet() -> asyncio.Event:
    """What a server sets when its last connection has ended."""
    quiet = asyncio.Event()
    quiet.set()
    return quiet


def host_of(folder: Path, **settings: Any) -> tuple[Host, list[bool]]:
    """Make a host, and the list of the stops that it asks for."""
    stops: list[bool] = []
    first, changed = settings.pop("first", None), settings.pop("changed", lambda: None)
    return Host(HostOptions(folders=(folder,), **settings), stop=stops.append, first=first, changed=changed), stops


def test_a_stop_during_the_first_start_is_no_failure(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With --strict, too, a host that is stopped while a component still starts ends with code 0."""
    (folder / "slow.yaml").write_text(component("slow", "conversation.slow", extra="  initTimeout: 60s\n"))

    async def scenario() -> None:
        host, stops = host_of(folder, strict=True)
        await host.start()
        await host.drain(_quiet())
        await host.close()
        assert host.exit_code == 0
        assert stops == []

    with caplog.at_level(logging.WARNING):
        run(scenario)
    assert caplog.records == []


def test_a_stop_ends_the_wait_for_what_a_predecessor_served(folder: Path) -> None:
    """A replaced worker that still builds its predecessor's documents stops when it is told to."""
    text = component("slow", "conversation.slow", extra="  initTimeout: 60s\n")
    scan = Scan({"slow.yaml": read_file("slow.yaml", text.encode(), app_id="", namespace=None)}, {})

    async def scenario() -> None:
        host, _ = host_of(folder, first=(scan, 7))
        starting = asyncio.ensure_future(host.start())
        await asyncio.sleep(0)
        await host.drain(_quiet())
        await starting
        await host.close()

    run(scenario)


def test_reload_survives_whatever_a_look_at_the_folders_raises(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the host's own in one look costs that look and nothing else, and the log tells of it."""
    real, broken = FolderReader.scan, asyncio.Event()

    def scan(reader: FolderReader) -> Scan:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("lost")
        return real(reader)

    async def scenario() -> None:
        changed = asyncio.Event()
        host, _ = host_of(folder, changed=changed.set)
        await host.start()
        monkeypatch.setattr(FolderReader, "scan", scan)
        (folder / "store.yaml").write_text(component("store", "secretstores.lost"))
        while "store" not in host.catalog.entries:
            changed.clear()
            await changed.wait()
        await host.close()

    with caplog.at_level(logging.ERROR):
        run(scenario)
    assert [record.getMessage() for record in caplog.records] == ["a look at the folders failed"]
