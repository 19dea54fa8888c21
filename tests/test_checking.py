"""A check and a host say the same of the same folder, and a check makes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from running import RunningHost, component

from jackfield import Build, Conversation, SecretStore, Settings
from jackfield.builtin.modules import BUILTINS
from jackfield.checking import Checked, check_folders
from jackfield.options import HostOptions
from jackfield.plugins.manager import load_plugins
from jackfield.plugins.types import ComponentType, ComponentTypes

DENIED = ("redis",)
HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Component\n"


def with_secret(name: str, store: str, type_name: str = "conversation.echo") -> str:
    """A manifest that reads its seed from a secret store."""
    metadata = "  metadata:\n  - name: seed\n    secretKeyRef: {name: number}\n"
    return f"{component(name, type_name)}{metadata}auth:\n  secretStore: {store}\n"


def store(name: str, other: str) -> str:
    """A manifest of a secret store that reads a secret from another."""
    metadata = "  metadata:\n  - name: prefix\n    secretKeyRef: {name: p}\n"
    return f"{component(name, 'secretstores.local.env')}{metadata}auth:\n  secretStore: {other}\n"


BAD: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "not YAML": ("a: 'b", ("quotes are opened and not closed",)),
    "not UTF-8": (b"\xff", ("the file is not UTF-8",)),
    "empty": ("", ("the file is empty",)),
    "no name": (f"{HEAD}spec:\n  type: conversation.echo\n", ("metadata.name: is missing",)),
    "no type": (f"{HEAD}metadata:\n  name: no-type\n", ("spec.type: is missing",)),
    "slash": (component("a/b"), ("has a '/' in it",)),
    "version": (component("version").replace("v1\n", "v7\n"), ("there is no version 'v7'",)),
    "quoted boolean": (component("q", extra="  ignoreErrors: 'true'\n"), ("spec.ignoreErrors: must be true or false",)),
    "key twice": (component("twice", extra="  version: v1\n"), ("the key version stands in line",)),
    "misspelt type": (component("ehco", "conversation.ehco"), ("did you mean conversation.echo?",)),
    "blocked plugin": (component("x", "cache.redis"), ("plugin redis", "--deny-plugins")),
    "upper case": (component("upper", "Conversation.echo"), ("must be in lower case",)),
    "unknown setting": (component("u", "conversation.llamacpp", modle="smollm2"), ("did you mean model?",)),
    "out of range": (component("r", "conversation.llamacpp", parallel="900"), ("parallel: must be at most 64",)),
    "two sources": (component("s", "conversation.llamacpp", model="smollm2", path="x"), ("model and path are both",)),
    "item twice": (component("i", seed="1", Seed="2"), ("the item stands in line",)),
    "overrides": (component("o", requestOverrides="modle"), ("'modle' is no setting of a request",)),
    "key override": (component("k", requestOverrides="key"), ("'key' can't be allowed",)),
    "three errors": (
        component("all", requestOverrides="modle", temperature="hot", seed="{podName}"),
        ("requestOverrides", "temperature: must be a number", "there is no pod name"),
    ),
    "pod name": (component("pod", stop="{podName}"), ("refers to {podName}, and there is no pod name",)),
    "no store": (with_secret("lonely", "nowhere"), ("the secret store nowhere that it reads from isn't loaded",)),
    "no such store": (
        f"{with_secret('misled', 'plain')}---\n{component('plain')}",
        ("plain is a conversation.echo, not a secret store",),
    ),
    "secrets file": (
        f"{with_secret('behind', 'lost')}---\n{component('lost', 'secretstores.local.file', secretsFile='none.json')}",
        ("the secrets file none.json can't be read", "the secret store lost that it reads from isn't loaded; mend it"),
    ),
    "no secrets file": (component("file", "secretstores.local.file"), ("spec.metadata.secretsFile: is missing",)),
    "circle": (
        f"{store('one', 'two')}---\n{store('two', 'one')}",
        ("its references form a circle: one -> two -> one", "its references form a circle: two -> one -> two"),
    ),
    "itself": (store("self", "self"), ("its references form a circle: self -> self",)),
    "duplicates": (f"{component('same')}---\n{component('same')}", ("the name same is defined 2 times",)),
    "one of two": (f"{component('good', seed='1')}---\n{component('not-so', seed='x')}", ("must be a whole number",)),
}
FINE: dict[str, str] = {
    "echo": component("fine"),
    "a warning": component("warned", colour="red"),
    "another kind": "apiVersion: dapr.io/v1alpha1\nkind: Subscription\nmetadata:\n  name: other\n",
    "another category": component("state", "state.redis"),
    "unset": f"{component('unset')}  metadata:\n  - name: stop\n    envRef: NOT_SET\n",
}


@dataclass(frozen=True)
class Verdicts:
    """What check and serve say, as (severity, text) by file name."""

    check: Mapping[str, set[tuple[str, str]]]
    serve: Mapping[str, set[tuple[str, str]]]


def installed() -> ComponentTypes:
    """The component types of this environment."""
    return load_plugins(builtins=BUILTINS, deny=DENIED).component_types()


def checked(folder: Path, types: ComponentTypes, *, strict: bool = False, **environment: str) -> Checked:
    """Check a folder."""
    options = HostOptions(folders=(folder,), environment=environment, deny_plugins=DENIED)
    return asyncio.run(check_folders(options, types, load_plugins(builtins=BUILTINS, deny=DENIED), strict=strict))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Every manifest above in one folder, checked and served."""
    folder = tmp_path_factory.mktemp("manifests")
    for name, text in {**{name: text for name, (text, _) in BAD.items()}, **FINE}.items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    check: dict[str, set[tuple[str, str]]] = {}
    for problem in checked(folder, installed()).problems:
        check.setdefault(Path(problem.file).stem, set()).add((problem.severity, str(problem)))
    serve: dict[str, set[tuple[str, str]]] = {}
    with RunningHost(folder, options={"deny_plugins": DENIED}) as running:
        for name in [
            entry["name"] for entry in running.request("GET", "/v1.0/metadata").json["jackfield"]["components"]
        ]:
            reply = running.converse(name)  # waits for the component's first build
            entry = running.host.catalog.entries[name]
            failed = {str(problem) for problem in entry.problems if problem.severity == "error"}
            assert (reply.status == 200) == (not failed and entry.manifest.type_key.startswith("conversation."))
            for problem in entry.problems:
                serve.setdefault(Path(problem.file).stem, set()).add((problem.severity, str(problem)))
        for text in running.host.unreadable:
            serve.setdefault(Path(text.partition(".yaml")[0]).name, set()).add(("error", text))
    return Verdicts(check, serve)


@pytest.mark.parametrize("name", BAD)
def test_what_keeps_a_component_from_loading_is_an_error_of_check(verdicts: Verdicts, name: str) -> None:
    """The errors are the same on both sides, word for word, and they are those the manifest was written for."""
    errors = {text for severity, text in verdicts.check[name] if severity == "error"}
    assert errors == {text for severity, text in verdicts.serve[name] if severity == "error"}
    for fragment in BAD[name][1]:
        assert any(fragment in text for text in errors), errors


@pytest.mark.parametrize("name", FINE)
def test_what_loads_is_no_error_of_check(verdicts: Verdicts, name: str) -> None:
    """A manifest that serve takes, or passes over, has no errors in a check."""
    both = verdicts.check.get(name, set()) | verdicts.serve.get(name, set())
    assert not [text for severity, text in both if severity == "error"]


def test_an_unset_secret_that_is_needed_keeps_its_text_and_only_strict_makes_it_an_error(tmp_path: Path) -> None:
    """What serve refuses for an unset variable is a warning, and an error of a strict check, in the same words."""
    text = component("real", "conversation.openai") + "  metadata:\n  - name: key\n    envRef: NOT_SET\n"
    (tmp_path / "a.yaml").write_text(text)
    with RunningHost(tmp_path) as running:
        assert running.converse("real").status == 400
        served = running.host.catalog.entries["real"].problems
    lenient, strict = (checked(tmp_path, installed(), strict=strict).problems for strict in (False, True))
    assert {str(problem) for problem in served} == set(map(str, lenient)) == set(map(str, strict))
    assert {problem.severity for problem in served} == {"warning", "error"}
    assert {problem.severity for problem in lenient} == {"warning"}
    assert {problem.severity for problem in strict} == {"error"}


class Untouchable(Conversation[Settings]):
    """A conversation component that must not be made."""

    def __init__(self, build: Build[Settings]) -> None:
        raise AssertionError(build.name)


class RemoteStore(SecretStore[Settings]):
    """A secret store that must not be made either, as asking it would take a network."""

    def __init__(self, build: Build[Settings]) -> None:
        raise AssertionError(build.name)


def types_of(cls: type[Conversation[Any] | SecretStore[Any]], name: str) -> ComponentTypes:
    """All installed types and one more."""
    kind = Conversation if issubclass(cls, Conversation) else SecretStore
    return ComponentTypes([*installed(), ComponentType(name, kind, cls, cls, cls.Settings, "test")])


def test_a_check_makes_no_component(tmp_path: Path) -> None:
    """A component's class is never called: its settings are all that is looked at."""
    (tmp_path / "a.yaml").write_text(component("heavy", "conversation.heavy"))
    found = checked(tmp_path, types_of(Untouchable, "conversation.heavy"))
    assert (found.components, found.problems) == (("heavy",), ())


@pytest.mark.parametrize("strict", [False, True])
def test_a_store_elsewhere_is_not_asked_and_its_secrets_are_no_error(tmp_path: Path, strict: bool) -> None:
    """Whether a remote store has a secret isn't known offline: that is a notice, strict or not."""
    (tmp_path / "a.yaml").write_text(component("vault", "secretstores.vault"))
    (tmp_path / "b.yaml").write_text(with_secret("user", "vault", "conversation.openai").replace("seed", "key"))
    found = checked(tmp_path, types_of(RemoteStore, "secretstores.vault"), strict=strict)
    assert {problem.severity for problem in found.problems} == {"notice"}
    cause = (
        "the secret 'number' can't be read from the secret store vault: a check is offline and asks only local stores"
    )
    assert f"stays empty: {cause}" in [problem.cause for problem in found.problems]


def test_a_store_whose_own_settings_are_unset_counts_as_one_that_is_not_asked(tmp_path: Path) -> None:
    """Where the path of a secrets file comes from an unset variable, that alone is a warning."""
    (tmp_path / "a.yaml").write_text(
        f"{component('file', 'secretstores.local.file')}  metadata:\n  - name: secretsFile\n    envRef: NOT_SET\n"
    )
    (tmp_path / "b.yaml").write_text(with_secret("user", "file"))
    assert {(problem.component, problem.severity) for problem in checked(tmp_path, installed()).problems} == {
        ("file", "warning"),
        ("user", "notice"),
    }
