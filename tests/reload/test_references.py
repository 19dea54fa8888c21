"""Components that refer to others: whichever comes first, and never in a circle."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from building import builder_of
from running import component

from jackfield import Build, Conversation, Settings
from jackfield.builtin.modules import BUILTINS
from jackfield.catalog.catalog import Entry, State
from jackfield.manifests.folder import FileState, Scan, read_file
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType
from jackfield.reload.reconciler import Reconciler


class LinkSettings(Settings):
    """The settings of ``conversation.link``."""

    to: str = ""


class Link(Conversation[LinkSettings]):
    """A component that refers to another when it is made, and guards itself as plugins do."""

    Settings = LinkSettings

    def __init__(self, build: Build[LinkSettings]) -> None:
        super().__init__(build)
        self.target: Link | None = None
        if build.settings.to:
            try:
                self.target = build.reference(build.settings.to, Link)
            except Exception as error:
                raise ValueError(f"no target: {error}") from error


def entries_of(**targets: str) -> Mapping[str, Entry]:
    """Build components that refer to others, each from a file of its name in this order; returns the entries."""
    installed = load_plugins(builtins=BUILTINS).component_types()
    link = ComponentType("conversation.link", Conversation, Link, Link, LinkSettings, "test")
    files: dict[str, FileState] = {}
    for name, target in targets.items():
        text = component(name, "conversation.link", to=target)
        files[f"{name}.yaml"] = read_file(f"{name}.yaml", text.encode(), app_id="", namespace=None)

    async def build() -> Mapping[str, Entry]:
        reconciler = Reconciler(builder_of([*installed, link]))
        try:
            await reconciler.apply(Scan(files, {}))
            await reconciler.settled()
            return reconciler.catalog.entries
        finally:
            await reconciler.close()

    return asyncio.run(asyncio.wait_for(build(), 20))


@pytest.mark.parametrize("user_first", [True, False])
def test_a_component_may_refer_to_one_that_is_built_after_it(user_first: bool) -> None:
    """The order of files means nothing: a reference waits until what it names is built."""
    entries = entries_of(user="used", used="") if user_first else entries_of(used="", user="used")
    assert {entry.state for entry in entries.values()} == {State.READY}
    made = {name: entry.instance.component for name, entry in entries.items() if entry.instance is not None}
    link = made["user"]
    assert isinstance(link, Link)
    assert link.target is made["used"]


def test_a_circle_fails_all_who_are_in_it_and_nobody_else() -> None:
    """References in a circle end as failed components with the circle's names, not as builds that never end."""
    entries = entries_of(a="b", b="c", c="a", outside="")
    states = {name: entry.state for name, entry in entries.items()}
    assert states == {**dict.fromkeys("abc", State.FAILED), "outside": State.READY}
    assert any("its references form a circle: " in entry.cause for entry in entries.values())


def test_a_reference_to_nothing_fails_with_its_name() -> None:
    """What a component refers to and isn't there is named."""
    entry = entries_of(a="nobody")["a"]
    assert entry.state is State.FAILED
    assert "there is no component nobody" in entry.cause


def test_what_a_build_refers_to_stays_open_while_it_builds() -> None:
    """A reference is a lease from the moment it is asked for: an edit of the target doesn't close it under a build."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    closed: list[Link] = []

    class Target(Link):
        async def close(self) -> None:
            closed.append(self)

    class Slow(Link):
        async def start(self) -> None:
            begun.set()
            await go_on.wait()
            assert self.target not in closed

    def scan(extra: str) -> Scan:
        user = component("user", "conversation.slow", to="used")
        used = component("used", "conversation.target", maxTokens=extra)
        texts = {"user": user, "used": used}
        return Scan(
            {name: read_file(f"{name}.yaml", text.encode(), app_id="", namespace=None) for name, text in texts.items()},
            {},
        )

    async def main() -> None:
        types = [
            ComponentType(f"conversation.{c.__name__.lower()}", Conversation, c, c, LinkSettings, "test")
            for c in (Target, Slow)
        ]
        reconciler = Reconciler(builder_of(types))
        await reconciler.apply(scan("1"))
        await begun.wait()
        await reconciler.apply(scan("2"))
        go_on.set()
        await reconciler.settled()
        assert reconciler.catalog.entries["user"].state is State.READY
        # It was built upon a target that has been replaced since, so it is built again, and lets go of the old one.
        await reconciler.apply(scan("2"))
        await reconciler.settled()
        user, used = (reconciler.catalog.entries[name].instance for name in ("user", "used"))
        assert user is not None
        assert used is not None
        assert isinstance(user.component, Slow)
        assert user.component.target is used.component
        await asyncio.sleep(0)
        await reconciler.close()
        assert len(closed) == len(set(closed)) == 2

    asyncio.run(asyncio.wait_for(main(), 10))


def test_who_refers_to_a_component_is_built_again_when_that_changes() -> None:
    """An edit of one component reaches those that hold it, directly or through others, in the same generation."""

    def scan(limit: str) -> Scan:
        texts = {
            "top": component("top", "conversation.link", to="middle"),
            "middle": component("middle", "conversation.link", to="bottom"),
            "bottom": component("bottom", "conversation.link", maxTokens=limit),
        }
        return Scan(
            {name: read_file(f"{name}.yaml", text.encode(), app_id="", namespace=None) for name, text in texts.items()},
            {},
        )

    async def main() -> None:
        link = ComponentType("conversation.link", Conversation, Link, Link, LinkSettings, "test")
        reconciler = Reconciler(builder_of([link]))
        for limit in "12":
            await reconciler.apply(scan(limit))
            await reconciler.settled()
            found = {name: entry.instance for name, entry in reconciler.catalog.entries.items()}
            made = {name: instance.component for name, instance in found.items() if instance is not None}
            top, middle, bottom = made["top"], made["middle"], made["bottom"]
            assert isinstance(top, Link)
            assert isinstance(middle, Link)
            assert top.target is middle
            assert middle.target is bottom
        await reconciler.close()

    asyncio.run(asyncio.wait_for(main(), 10))
