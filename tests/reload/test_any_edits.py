"""Whatever is done to the folders, what serves is what a few plain rules say."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeAlias

from building import builder_of
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield import Conversation, ConversationRequest, Result, Settings
from jackfield.catalog.catalog import Catalog, State
from jackfield.manifests.folder import FileState, Scan, read_file
from jackfield.plugins.types import ComponentType, ComponentTypes
from jackfield.reload.reconciler import Reconciler

NAMES = ("a", "b")
FILES = ("m/one.yaml", "m/two.yaml", "m/three.yaml")


class VersionSettings(Settings):
    v: str


class Version(Conversation[VersionSettings]):
    Settings = VersionSettings

    async def start(self) -> None:
        if self.settings.v == "unlucky":
            raise OSError("the start fails")

    async def converse(self, request: ConversationRequest) -> Result:
        return Result.of_text(self.settings.v)


TYPES = ComponentTypes([ComponentType("conversation.version", Conversation, Version, Version, VersionSettings, "test")])

# A document is a name and a version; the versions below can't be built, each for a reason of its own.
BAD = ("unlucky", "untyped", "unset")
Document: TypeAlias = tuple[str, str]
# A file is its documents and whether something in it can't be read; None is no file.
File: TypeAlias = tuple[tuple[Document, ...], bool] | None

documents = st.tuples(st.sampled_from(NAMES), st.sampled_from(("1", "2", "3", *BAD)))
files = st.none() | st.tuples(st.lists(documents, max_size=2).map(tuple), st.booleans())
steps = st.lists(st.tuples(st.sampled_from(FILES), files), min_size=1, max_size=10)


def text(document: Document) -> str:
    name, version = document
    kind = "conversation.none" if version == "untyped" else "conversation.version"
    items = "" if version == "unset" else f"  metadata:\n  - {{name: v, value: {version}}}\n"
    head = f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\n"
    return f"{head}spec:\n  type: conversation.version\n{items}".replace("conversation.version", kind)


class Folder:
    """Scans as the folder reader gives them: a file that has not changed keeps its object."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[File, FileState]] = {}

    def scan(self, contents: dict[str, File]) -> Scan:
        for path in FILES:
            content = contents.get(path)
            if content is None:
                self.states.pop(path, None)
            elif path not in self.states or self.states[path][0] is not content:
                pieces = [text(document) for document in content[0]] + ([": : [\n"] if content[1] else [])
                state = read_file(path, "---\n".join(pieces).encode(), app_id="", namespace=None)
                self.states[path] = (content, state)
        return Scan({path: state for path, (_, state) in self.states.items()}, {"m": True})


@dataclass
class Rules:
    """What should serve, by the rules of the documentation."""

    serving: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)

    def see(self, contents: dict[str, File]) -> None:
        found: dict[str, list[tuple[str, str]]] = {}
        broken = set()
        for path in FILES:
            content = contents.get(path)
            if content is not None:
                broken |= {path} if content[1] or not content[0] else set()
                for name, version in content[0]:
                    found.setdefault(name, []).append((path, version))
        for name in NAMES:
            places = found.get(name, [])
            if len(places) == 1:
                self.homes[name] = places[0][0]
                if places[0][1] not in BAD:
                    self.serving[name] = places[0][1]
            elif places:
                self.homes.setdefault(name, places[0][0])
            elif self.homes.get(name) not in broken:
                self.homes.pop(name, None)
                self.serving.pop(name, None)


def serving(catalog: Catalog) -> dict[str, str]:
    return {
        name: entry.instance.component.settings.v
        for name, entry in catalog.entries.items()
        if entry.instance is not None
    }


@settings(max_examples=250, deadline=None)
@given(steps)
def test_what_serves_follows_from_the_rules(steps: list[tuple[str, File]]) -> None:
    """A readable document that can be built serves; anything else keeps what served; what is gone is gone."""

    async def run() -> None:
        reconciler, rules, folder = Reconciler(builder_of(TYPES)), Rules(), Folder()
        contents: dict[str, File] = {}
        generation = 0
        for path, content in steps:
            contents[path] = content
            rules.see(contents)
            await reconciler.apply(folder.scan(contents))
            await reconciler.settled()
            catalog = reconciler.catalog
            assert rules.serving == serving(catalog)
            assert rules.homes.keys() == catalog.entries.keys()
            assert all(entry.state is not State.STARTING for entry in catalog.entries.values())
            assert all((entry.state is State.READY) == (not entry.cause) for entry in catalog.entries.values())
            assert catalog.generation >= generation
            generation = catalog.generation
            # A second look at the same files changes nothing.
            await reconciler.apply(folder.scan(contents))
            assert catalog is reconciler.catalog or serving(catalog) == serving(reconciler.catalog)
        instances = {entry.instance for entry in reconciler.catalog.entries.values() if entry.instance is not None}
        await reconciler.close()
        assert all(instance.closing is not None and instance.closing.done() for instance in instances)

    asyncio.run(run())
