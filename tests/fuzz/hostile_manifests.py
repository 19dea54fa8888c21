"""Manifests as nobody should write them: each loads, or is refused with file, line and cause, and in time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from nasty import edited, json_values, mutated_json, texts
from searching import Growth, Property

from jackfield.builtin.modules import BUILTINS
from jackfield.catalog.examine import Examined, StoreNotLoaded, examine, settings_classes
from jackfield.components import Build, Conversation
from jackfield.errors import ConfigurationError, JackfieldError, ManifestError, Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.configuration import read_configuration
from jackfield.manifests.folder import FileState, read_file
from jackfield.manifests.names import fields_of
from jackfield.manifests.reading import parse_document
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType, ComponentTypes

__all__ = ["SOURCES", "target"]

ROOT = Path(__file__).parents[2]
FILE = "m.yaml"
ENVIRONMENT = {"OPENAI_API_KEY": "a-test-key", "POD_NAME": "pod"}

_FENCED = re.compile(r"^```ya?ml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _sources() -> tuple[bytes, ...]:
    pages = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("plugins/*/README.md")), ROOT / "README.md"]
    found = [text for page in pages for text in _FENCED.findall(page.read_text()) if "apiVersion" in text]
    found += [path.read_text() for path in sorted((ROOT / "manifests").glob("*.yaml"))]
    return tuple(text.encode() for text in dict.fromkeys(found))


def _trees(sources: tuple[bytes, ...]) -> tuple[Any, ...]:
    trees = []
    for source in sources:
        with suppress(yaml.YAMLError):
            trees += [json.loads(json.dumps(one, default=str)) for one in yaml.safe_load_all(source) if one]
    return tuple(trees)


SOURCES = _sources()
"""Every example manifest of the documentation, and those that a clone serves."""
TREES = _trees(SOURCES)
_SIGNS = (
    rb"- |: |{|}|[|]|&a |*a|!!int |!!binary |!!str |!x |<<: |<<: *a|<<: [*a, *a]|---\n|...\n|#|? |\n|\n  |\t|'"
    rb'|"|%YAML 1.1\n|\r\n|\r|>-\n|&a [*a]|\xff|\xef\xbb\xbf|\x00|\xc2\x85|\xe2\x80\xa8|null|~|0x'
    rb"|1e999|kind: Resiliency\n|"
    rb"scopes: |kind: Configuration\n|auth: {secretStore: s}\n|envRef: HOME|secretKeyRef: {name: a, key: b}"
)
TOKENS = (*(sign.decode("unicode_escape").encode("latin-1") for sign in _SIGNS.split(b"|")), b"|", b"| \n")
NAMES = ("apiVersion", "kind", "metadata", "spec", "name", "value", "type", "version", "scopes", "auth", "envRef")


def examined(data: bytes, types: ComponentTypes) -> str:
    """Read a file as the host does, and decode every component in it; returns what came of it."""
    state = read_file(FILE, data, app_id="app", namespace=None)
    sound(state.problems)
    assert state.broken <= any(problem.severity == "error" for problem in state.problems)
    outcomes = {decoded(manifest, types) for manifest in (*state.documents, *state.excluded)}
    for manifest in (*state.documents, *state.excluded):
        again = parse_document(manifest.document, file=FILE).manifest
        assert again is not None
        assert again.digest == manifest.digest
    for resiliency in state.resiliencies:
        assert resiliency.digest
        outcomes.add("policies refused" if resiliency.broken else "policies")
    return "broken" if state.broken else " and ".join(sorted(outcomes)) or "nothing to load"


def decoded(manifest: ComponentManifest, types: ComponentTypes) -> str:
    """Find a component's type and decode its settings; a conversation component is made, but not started."""
    try:
        found = asyncio.run(examine_one(manifest, types))
        problems = found.inspect()
        sound(problems)
        settings = found.decode().settings[-1]
    except ManifestError as error:
        sound(tuple(error.problems))
        return "refused" if error.problems else "refused without a reason"
    except StoreNotLoaded:
        return "waits for a store"
    if issubclass(found.kind.cls, Conversation) and found.kind.name not in _HEAVY:
        try:
            component = found.kind.cls(Build(manifest.name, found.kind.name, settings, ENVIRONMENT))
        except (ValueError, JackfieldError) as error:
            return "not to be made" if str(error) else "not to be made, without a reason"
        assert "a-secret" not in repr(component)
    return "loads"


async def examine_one(manifest: ComponentManifest, types: ComponentTypes) -> Examined:
    """Examine a manifest beside no other."""
    return await examine(
        manifest, lambda _: None, types=types, environment=ENVIRONMENT, app_id="app", namespace="default"
    )


_HEAVY = frozenset({"conversation.llamacpp"})


def sound(problems: tuple[Problem, ...]) -> None:
    """Check that every problem says where and what, on a line that can be read."""
    for problem in problems:
        assert problem.file == FILE
        assert problem.line >= 0
        assert problem.cause.strip()
        assert str(problem).isprintable(), repr(problem)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """Draw a manifest whose tree resembles an example's, in flow or block style."""
    tree = draw(mutated_json(TREES, names=NAMES))
    if draw(st.booleans()):
        return json.dumps(tree).encode()
    return yaml.safe_dump(tree, allow_unicode=draw(st.booleans()), encoding="utf-8")


def metadata_of(kind: ComponentType) -> st.SearchStrategy[bytes]:
    """Draw manifests of a component type whose metadata names its settings and has any values."""
    known = [name for cls in settings_classes(kind) for one in fields_of(cls) for name in (*one.names, one.attribute)]
    names = st.sampled_from(sorted(set(known))) | texts(20)
    items = st.fixed_dictionaries(
        {"name": names}, optional={"value": json_values(), "envRef": texts(10), "secretKeyRef": json_values(3)}
    )
    key = {"name": "key", "value": "a-secret-key"}

    def manifest(metadata: list[Any]) -> bytes:
        spec = {"type": kind.name, "version": "v1", "metadata": [key, *metadata]}
        top = {"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata": {"name": "c"}, "spec": spec}
        return json.dumps(top).encode()

    return st.lists(items, max_size=5).map(manifest)


def configured(data: bytes, folder: Path) -> str:
    """Read a file as ``--config`` does."""
    file = folder / FILE
    file.write_bytes(data)
    try:
        configuration = read_configuration([file], environment=ENVIRONMENT)
    except ConfigurationError as error:
        return "refused" if str(error) else "refused without a reason"
    return "notices" if configuration.problems else "loads"


_CONFIGURATION = """\
apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: c}
spec:
  api: {denied: [{name: shutdown, version: v1, protocol: http}], allowed: [{name: conversation, version: v1alpha2}]}
  features: [{name: a, enabled: true}]
  logging: {apiLogging: {enabled: true}}
  components: {deny: [conversation.x/v1]}
  tracing: {samplingRate: "1", otel: {endpointAddress: "h:4317", isSecure: false, protocol: grpc}}
"""
CONFIGURATIONS = (*(source for source in SOURCES if b"Configuration" in source), _CONFIGURATION.encode())
POLICIES = tuple(source for source in SOURCES if b"kind: Resiliency" in source)

_HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: c}\nspec:\n  type: conversation.echo\n"
_ITEMS = f"{_HEAD}  version: v1\n  metadata:\n"


def _items(size: int) -> bytes:
    return (_ITEMS + "".join(f"  - {{name: n{n}, value: v{n}}}\n" for n in range(size))).encode()


SHAPES = {
    "items": _items,
    "the same item": lambda n: (_ITEMS + "  - {name: a, value: b}\n" * n).encode(),
    "documents": lambda n: (f"{_HEAD}---\n" * n).encode(),
    "keys in one object": lambda n: ("".join(f"k{k}: v\n" for k in range(n))).encode(),
    "equal keys": lambda n: b"a: b\n" * n,
    "aliases": lambda n: (f"{_HEAD}  version: v1\nx: &a [1, 2, 3]\ny: [{'*a,' * n}]\n").encode(),
    "merges of one object": lambda n: (f"{_HEAD}x: &a {{p: 1, q: 2}}\ny:\n" + "  <<: *a\n" * n).encode(),
    "open brackets": lambda n: b"[" * n,
    "open braces": lambda n: b"{a: " * n,
    "nested blocks": lambda n: b"".join(b" " * (k % 60) + b"- a:\n" for k in range(n)),
    "a long scalar": lambda n: (f"{_ITEMS}  - name: a\n    value: '{'x' * n}'\n").encode(),
    "a long name": lambda n: (f"{_ITEMS}  - name: {'endpont' * (n // 7)}\n    value: x\n").encode(),
    "a long type": lambda n: _HEAD.replace("echo", "openia" * (n // 6)).encode(),
    "a long key": lambda n: f"{_HEAD}{'scpoes' * (n // 6)}: x\n".encode(),
    "a long kind": lambda n: f"apiVersion: dapr.io/v1alpha1\nkind: {'Compnent' * (n // 8)}\n".encode(),
    "comments": lambda n: b"# a\n" * n,
    "blank lines": lambda n: b"\n" * n + b"a: [",
    "dashes": lambda n: b"-" * n,
    "separators": lambda n: b"---\n" * n,
    "quotes": lambda n: b"'" * n,
    "carriage returns": lambda n: b"a\r" * n,
    "an error after many lines": lambda n: b"a: b\n" * 3 + b"# \xc3\xa9\n" * n + b"c: [\n",
    "tags": lambda n: b"- !!int 1\n" * n,
    "scopes": lambda n: (f"{_HEAD}scopes: [{'a, ' * n}]\n").encode(),
    "policies": lambda n: (
        "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    timeouts:\n"
        + "".join(f"      t{k}: 5s\n" for k in range(n))
    ).encode(),
    "a long trip": lambda n: (
        "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n"
        f"    circuitBreakers:\n      b: {{trip: '{'requests > 1 || ' * (n // 15)}true'}}\n"
    ).encode(),
    "a nested trip": lambda n: (
        "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n"
        f"    circuitBreakers:\n      b: {{trip: '{'(' * n}true{')' * n}'}}\n"
    ).encode(),
}


@contextmanager
def target() -> Iterator[list[Property | Growth]]:
    """Give the properties of manifests of every kind."""
    import tempfile

    types = load_plugins(builtins=BUILTINS).component_types()

    def look(data: bytes) -> str:
        return examined(data, types)

    def read(data: bytes) -> FileState:
        state = read_file(FILE, data, app_id="app", namespace=None)
        for manifest in state.documents[:1]:
            decoded(manifest, types)
        return state

    soup = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=4), max_size=60).map(b"".join)
    with tempfile.TemporaryDirectory() as folder:
        yield [
            Property("any bytes", st.binary(max_size=400) | texts(200).map(str.encode), look),
            Property("YAML's signs in any order", soup, look),
            Property("example manifests, edited", edited(SOURCES, TOKENS), look, few=40),
            Property("example manifests, other trees", written(), look, few=40),
            Property("Resiliency manifests, edited", edited(POLICIES, TOKENS), look),
            Property(
                "Configuration files",
                edited(CONFIGURATIONS, TOKENS) | soup,
                lambda data: configured(data, Path(folder)),
            ),
            *(
                Property(f"metadata of {kind.name}", metadata_of(kind), look, few=6)
                for kind in sorted(types, key=lambda one: one.name)
            ),
            *(Growth(f"growing: {name}", make, read, 2_000) for name, make in SHAPES.items()),
        ]
