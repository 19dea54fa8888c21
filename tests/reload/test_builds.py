"""Builds that end otherwise than plugins should let them end: nobody else is held up, and nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from building import builder_of
from running import component

from jackfield import Conversation, Result, SecretStore, Settings
from jackfield.builtin.modules import BUILTINS
from jackfield.catalog.catalog import Entry, State
from jackfield.components import Component
from jackfield.manifests.folder import FileState, Scan, read_file
from jackfield.messages import ConversationRequest
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType
from jackfield.reload.reconciler import Reconciler


class ProbeSettings(Settings):
    """The settings of the probes."""

    version: str = ""
    key: str = ""
    to: str = ""


class Probe(Conversation[ProbeSettings]):
    """A component whose tests say what its start and close do."""

    Settings = ProbeSettings

    async def converse(self, request: ConversationRequest) -> Result:
        return Result.of_text(self.settings.version)


def reconciler_with(*classes: type[Component[Settings] | Probe]) -> Reconciler:
    """Make a reconciler that knows some classes, each as the component type of its name, and the host's own types."""
    types = list(load_plugins(builtins=BUILTINS).component_types())
    for cls in classes:
        kind: type[Component[Settings]] = SecretStore if issubclass(cls, SecretStore) else Conversation
        prefix = "secretstores" if kind is SecretStore else "conversation"
        types.append(ComponentType(f"{prefix}.{cls.__name__.lower()}", kind, cls, cls, cls.Settings, "test"))
    return Reconciler(builder_of(types))


def folder(**documents: str) -> Scan:
    """Make the scan of a folder with one file per name."""
    files: dict[str, FileState] = {}
    for name, text in documents.items():
        files[f"{name}.yaml"] = read_file(f"{name}.yaml", text.encode(), app_id="", namespace=None)
    return Scan(files, {})


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario; one that hangs has failed."""
    asyncio.run(asyncio.wait_for(scenario(), 10))


def failed(reconciler: Reconciler, name: str) -> Entry:
    """Return the entry of a component that is to have failed."""
    entry = reconciler.catalog.entries[name]
    assert entry.state is State.FAILED
    return entry


@pytest.mark.parametrize("error", [asyncio.CancelledError, SystemExit])
def test_a_start_that_gives_up_by_a_signal_of_its_own_fails_its_component_alone(error: type[BaseException]) -> None:
    """A plugin that lets CancelledError or SystemExit out has failed; its requests don't wait, and the host goes on."""

    class GivesUp(Probe):
        async def start(self) -> None:
            raise error

    async def scenario() -> None:
        reconciler = reconciler_with(GivesUp)
        await reconciler.apply(folder(a=component("a", "conversation.givesup")))
        await reconciler.settled()
        await reconciler.started("a")
        assert error.__name__ in failed(reconciler, "a").cause
        await reconciler.close()

    run(scenario)


def test_the_end_waits_for_builds_that_were_given_up() -> None:
    """A build that an edit has put aside still closes its component, and the host doesn't end before it has."""
    closed: list[str] = []

    class Slow(Probe):
        async def start(self) -> None:
            if self.settings.version == "1":
                await asyncio.Event().wait()

        async def close(self) -> None:
            await asyncio.sleep(0.05)
            closed.append(self.settings.version)

    async def scenario() -> None:
        reconciler = reconciler_with(Slow)
        await reconciler.apply(folder(a=component("a", "conversation.slow", version="1")))
        await reconciler.apply(folder())
        await reconciler.close()
        assert closed == ["1"]

    run(scenario)


@pytest.mark.parametrize("edited", [True, False])
def test_a_start_that_ignores_its_cancellation_leaves_nothing_behind(edited: bool) -> None:
    """What a build makes after it was given up is closed, and neither replaces its successor nor returns."""
    closed: list[str] = []
    ended = asyncio.Event()

    class Stubborn(Probe):
        async def start(self) -> None:
            if self.settings.version == "1":
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                ended.set()

        async def close(self) -> None:
            closed.append(self.settings.version)

    async def scenario() -> None:
        reconciler = reconciler_with(Stubborn)
        await reconciler.apply(folder(a=component("a", "conversation.stubborn", version="1")))
        second = folder(a=component("a", "conversation.stubborn", version="2")) if edited else folder()
        await reconciler.apply(second)
        await ended.wait()
        await reconciler.settled()
        names = {name: entry.manifest.items[0].value for name, entry in reconciler.catalog.entries.items()}
        assert names == ({"a": "2"} if edited else {})
        await reconciler.close()
        assert sorted(closed) == (["1", "2"] if edited else ["1"])

    run(scenario)


def test_a_build_that_is_put_aside_does_not_disturb_its_successor() -> None:
    """An old build may still be closing while the new one waits for its secret store: both come to their end."""
    closing = asyncio.Event()

    class Lingers(Probe):
        async def start(self) -> None:
            if self.settings.version == "1":
                await asyncio.Event().wait()

        async def close(self) -> None:
            if self.settings.version == "1":
                await asyncio.sleep(0.02)
                closing.set()

    class Store(SecretStore[Settings]):
        async def start(self) -> None:
            await closing.wait()
            await asyncio.sleep(0)

        async def get(self, name: str) -> dict[str, str]:
            return {name: "sesame"}

    async def scenario() -> None:
        reconciler = reconciler_with(Lingers, Store)
        await reconciler.apply(folder(a=component("a", "conversation.lingers", version="1")))
        secret = component("a", "conversation.lingers", version="2") + (
            "  - {name: key, secretKeyRef: {name: k, key: k}}\nauth: {secretStore: store}\n"
        )
        await reconciler.apply(folder(a=secret, store=component("store", "secretstores.store")))
        await reconciler.settled()
        await reconciler.started("a")
        assert reconciler.catalog.entries["a"].state is State.READY
        await reconciler.close()

    run(scenario)


def test_a_secret_that_changes_during_a_build_is_read_again(tmp_path: Path) -> None:
    """A component that read its secret before it changed, and went live after, gets the new one all the same."""
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"k": "old"}))
    go_on = asyncio.Event()
    keys: list[str] = []

    class Slow(Probe):
        async def start(self) -> None:
            keys.append(self.settings.key)
            await go_on.wait()

    async def scenario() -> None:
        reconciler = reconciler_with(Slow)
        text = component("a", "conversation.slow", version="1") + (
            "  - {name: key, secretKeyRef: {name: k, key: k}}\nauth: {secretStore: store}\n"
        )
        scan = folder(a=text, store=component("store", "secretstores.local.file", secretsFile=str(secrets)))
        await reconciler.apply(scan)
        assert keys == ["old"]
        secrets.write_text(json.dumps({"k": "new one"}))
        await reconciler.apply(scan, force=await reconciler.with_changed_secrets())
        go_on.set()
        await reconciler.settled()
        await reconciler.apply(scan, force=await reconciler.with_changed_secrets())
        await reconciler.settled()
        assert keys[-1] == "new one"
        await reconciler.close()

    run(scenario)


def test_a_secret_store_that_fails_to_say_whether_it_changed_stops_nothing() -> None:
    """Reload goes on when a store raises, for its own dependents and for all others."""

    class Store(SecretStore[Settings]):
        async def get(self, name: str) -> dict[str, str]:
            return {name: "sesame"}

        async def changed(self) -> bool:
            raise RuntimeError("lost")

    async def scenario() -> None:
        reconciler = reconciler_with(Store)
        await reconciler.apply(folder(store=component("store", "secretstores.store")))
        assert await reconciler.with_changed_secrets() == set()
        await reconciler.close()

    run(scenario)


def test_a_close_that_is_cancelled_from_within_gives_its_references_back() -> None:
    """However badly a component closes, what it referred to is closed too."""
    closed: list[str] = []

    class Rough(Probe):
        async def start(self) -> None:
            pass

        async def close(self) -> None:
            closed.append(self.name)
            raise asyncio.CancelledError

    class Store(SecretStore[Settings]):
        async def get(self, name: str) -> dict[str, str]:
            return {name: "sesame"}

        async def close(self) -> None:
            closed.append(self.name)

    async def scenario() -> None:
        reconciler = reconciler_with(Rough, Store)
        text = component("a", "conversation.rough", version="1") + (
            "  - {name: key, secretKeyRef: {name: k, key: k}}\nauth: {secretStore: store}\n"
        )
        await reconciler.apply(folder(a=text, store=component("store", "secretstores.store")))
        await reconciler.settled()
        await reconciler.close()
        assert closed == ["a", "store"]

    run(scenario)


def test_an_edit_is_tried_without_the_patience_that_its_predecessor_earned() -> None:
    """Waits between tries grow with the failures of one manifest, and begin anew with the next."""

    class Broken(Probe):
        async def start(self) -> None:
            raise ConnectionError("no database")

    async def scenario() -> None:
        reconciler = reconciler_with(Broken)
        waits = []
        for version in "112":
            scan = folder(a=component("a", "conversation.broken", version=version))
            await reconciler.apply(scan, force={"a"})
            await reconciler.settled()
            waits.append(reconciler._retries._waits["a"][0])
        assert waits == [1.0, 2.0, 1.0]
        await reconciler.close()

    run(scenario)


def test_a_component_is_not_ready_before_it_is_built() -> None:
    """A trouble with documents that is over doesn't make ready what still builds, whatever else is edited meanwhile."""
    go_on = asyncio.Event()

    class Slow(Probe):
        async def start(self) -> None:
            await go_on.wait()

    async def scenario() -> None:
        reconciler = reconciler_with(Slow)
        slow = component("a", "conversation.slow", version="1")
        await reconciler.apply(folder(a=slow, b=slow))
        failed(reconciler, "a")
        await reconciler.apply(folder(a=slow))
        await reconciler.apply(folder(a=slow, other=component("other", "conversation.slow")))
        entry = reconciler.catalog.entries["a"]
        assert (entry.state, entry.instance) == (State.STARTING, None)
        go_on.set()
        await reconciler.settled()
        assert reconciler.catalog.entries["a"].state is State.READY
        await reconciler.close()

    run(scenario)


def test_an_instance_that_has_closed_is_forgotten() -> None:
    """What an edit has replaced is not kept until the next one: it may be a large model."""

    class Watched(Probe):
        """Closes at once."""

    async def run() -> None:
        reconciler = reconciler_with(Watched)
        await reconciler.apply(folder(one=component("one", "conversation.watched", version="1")))
        entry = reconciler.catalog.entries["one"]
        assert entry.instance is not None
        instance, seen = entry.instance, weakref.ref(entry.instance.component)
        await reconciler.apply(folder(one=component("one", "conversation.watched", version="2")))
        await instance.closed()
        del entry, instance
        gc.collect()
        assert seen() is None
        await reconciler.close()

    asyncio.run(run())
