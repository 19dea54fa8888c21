"""Secrets, environment variables and template tags."""

# ruff: noqa: E501  (a message stands in one line, to be found by a search)
from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import pytest

from jackfield import Build, SecretNotFound, SecretStore, Settings
from jackfield.manifests.documents import Document
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resolve import Resolved, resolve

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: llm}\nspec:\n  type: conversation.test\n"


class Store(SecretStore[Settings]):
    """A store with a few secrets, which counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__(Build("vault", "secretstores.test", Settings(), {}))
        self.asked: list[str] = []

    async def get(self, name: str) -> Mapping[str, str]:
        """Return the secret of that name, or fail in the ways a store may."""
        self.asked.append(name)
        if name == "broken":
            raise RuntimeError("the token hunter2 is wrong")
        if name == "missing":
            raise SecretNotFound("there is no secret 'missing' here")
        return {"openai": {"openai": "s3cret", "other": "s3cond"}, "empty": {"empty": ""}, "tag": {"tag": "{appID}!"}}[
            name
        ]


def run(
    *items: str,
    auth: str = "auth: {secretStore: vault}\n",
    environment: Mapping[str, str] | None = None,
    store: Store | None = None,
    pod_name: str = "",
) -> Resolved:
    """Resolve a manifest with these items, the first in line 7."""
    text = f"{HEAD}  metadata:\n" + "".join(f"  - {item}\n" for item in items) + auth
    manifest = parse_document(Document(text, 1), file="f.yaml").manifest
    assert manifest is not None
    found = store or Store()
    return asyncio.run(
        resolve(
            manifest,
            stores=lambda name: found if name == "vault" else None,
            environment=environment or {},
            app_id="app",
            namespace="space",
            pod_name=pod_name,
        )
    )


def told(resolved: Resolved) -> list[str]:
    """Return the problems, which are all warnings."""
    assert {problem.severity for problem in resolved.problems} <= {"warning"}
    return [str(problem) for problem in resolved.problems]


@pytest.mark.parametrize(
    ("item", "value", "secret"),
    [
        ("{name: a, value: b}", "b", False),
        ("{name: a, value: [1, {b: yes}]}", [1, {"b": True}], False),
        ("{name: a, value: ''}", "", False),
        ("{name: a}", None, False),
        ("{name: a, value: ~}", None, False),
        ("{name: a, envRef: SET}", "from env", True),
        ("{name: a, value: b, envRef: SET}", "b", False),
        ("{name: a, value: '', envRef: SET}", "", False),
        ("{name: a, value: ~, envRef: SET}", "from env", True),
        ("{name: a, secretKeyRef: {name: openai}}", "s3cret", True),
        ("{name: a, secretKeyRef: {name: openai, key: other}}", "s3cond", True),
        ("{name: a, value: b, secretKeyRef: {name: openai}}", "s3cret", True),
        ("{name: a, envRef: SET, secretKeyRef: {name: openai}}", "s3cret", True),
    ],
)
def test_where_a_value_comes_from(item: str, value: object, secret: bool) -> None:
    """A secret wins over a value, a value over a variable; only what is secret goes on the redaction list."""
    resolved = run(item, environment={"SET": "from env"})
    (found,) = resolved.items
    assert (found.value, found.from_secret, found.unset, found.line) == (value, secret, "", 7)
    assert resolved.secrets == ((value,) if secret else ())
    assert (told(resolved), resolved.waiting_for) == ([], "")


@pytest.mark.parametrize(
    ("reference", "environment", "cause"),
    [
        ("NOPE", {}, "the environment variable NOPE is not set; set NOPE"),
        ("EMPTY", {"EMPTY": ""}, "the environment variable EMPTY is empty; set EMPTY"),
        ("DAPR_API_TOKEN", {"DAPR_API_TOKEN": "t"}, "the environment variable DAPR_API_TOKEN is not for components"),
        ("dapr_x", {"dapr_x": "t"}, "the environment variable dapr_x is not for components"),
        ("APP_API_TOKEN", {"APP_API_TOKEN": "t"}, "the environment variable APP_API_TOKEN is not for components"),
        ("A B", {"A B": "t"}, "'A B' is no environment variable: there is a space in it"),
        ("C", {"C": "t", "DAPR_ENV_KEYS": "A B"}, "the environment variable C is not listed in DAPR_ENV_KEYS"),
    ],
)
def test_a_variable_that_may_not_be_read_leaves_the_item_empty(
    reference: str, environment: dict[str, str], cause: str
) -> None:
    """A variable that isn't there or is refused is a warning and the empty text, and its value stays unknown."""
    resolved = run(f"{{name: a, envRef: {reference}}}", environment=environment)
    (item,) = resolved.items
    assert (item.value, item.unset, resolved.secrets) == ("", f"the environment variable {reference}", ())
    assert told(resolved) == [f"f.yaml:7: spec.metadata.a: stays empty: {cause}"]


def test_a_listed_variable_may_be_read() -> None:
    """DAPR_ENV_KEYS is a list parted by spaces."""
    resolved = run("{name: a, envRef: B}", environment={"B": "b", "DAPR_ENV_KEYS": "A B"})
    assert resolved.items[0].value == "b"


@pytest.mark.parametrize(
    ("reference", "cause"),
    [
        (
            "{name: missing}",
            "the secret 'missing' can't be read from the secret store vault: there is no secret 'missing' here",
        ),
        (
            "{name: broken}",
            "the secret store vault failed to give the secret 'broken' (RuntimeError); see its component",
        ),
        (
            "{name: openai, key: nope}",
            "the secret 'openai' in the secret store vault has no key 'nope'; mend secretKeyRef.key",
        ),
        ("{name: empty}", "the secret 'empty' in the secret store vault is empty or not there; set it"),
    ],
)
def test_a_secret_that_is_not_there_leaves_the_item_as_it_was(reference: str, cause: str) -> None:
    """A secret that can't be had is a warning naming store and secret; the item's own value stands, or none."""
    resolved = run(f"{{name: a, secretKeyRef: {reference}}}", f"{{name: b, value: own, secretKeyRef: {reference}}}")
    assert [item.value for item in resolved.items] == ["", "own"]
    assert resolved.items[0].unset
    places = ("f.yaml:7: spec.metadata.a: stays empty: ", "f.yaml:8: spec.metadata.b: keeps its own value: ")
    assert set(told(resolved)) <= {f"{place}{cause}" for place in places}
    assert told(resolved)[0].startswith(places[0])
    assert "hunter2" not in repr(resolved)


def test_a_store_that_is_not_loaded_is_waited_for() -> None:
    """A manifest whose secret store isn't there is to wait, without a warning that it stays empty."""
    resolved = run("{name: a, secretKeyRef: {name: openai}}", auth="auth: {secretStore: other}\n")
    assert (resolved.waiting_for, told(resolved)) == ("other", [])


def test_a_secret_without_a_store_is_a_warning() -> None:
    """Without auth.secretStore the item stays empty, and the warning says what to add."""
    resolved = run("{name: a, secretKeyRef: {name: openai}}", auth="")
    assert (resolved.items[0].value, resolved.waiting_for) == ("", "")
    assert told(resolved) == [
        "f.yaml:7: spec.metadata.a: stays empty: refers to a secret, and the manifest names no secret store; add `auth:` with `secretStore: ...`, the name of a secret store component, at the top level"
    ]


def test_a_secret_is_read_once_for_all_items() -> None:
    """Two items of one secret cost one call of the store."""
    store = Store()
    run(
        *["{name: a, secretKeyRef: {name: openai}}", "{name: b, secretKeyRef: {name: openai, key: other}}"], store=store
    )
    assert store.asked == ["openai"]


def test_template_tags_are_filled_in_everywhere() -> None:
    """Tags are replaced in texts, in lists and objects, and in secrets; both forms of a secret are redacted."""
    resolved = run(
        "{name: a, value: 'x-{appID}-{namespace}-{podName}-{other}'}",
        "{name: b, value: [{c: '{appID}'}]}",
        "{name: d, secretKeyRef: {name: tag}}",
        pod_name="pod-1",
    )
    assert [item.value for item in resolved.items] == ["x-app-space.app-pod-1-{other}", [{"c": "app"}], "app!"]
    assert resolved.secrets == ("{appID}!", "app!")


def test_every_uuid_tag_is_another() -> None:
    """{uuid} gives a new one at each place."""
    value = run("{name: a, value: '{uuid} {uuid}'}").items[0].value
    assert isinstance(value, str)
    first, second = value.split()
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first)


def test_a_pod_name_that_is_not_known_is_an_error() -> None:
    """{podName} where there is no pod can't be filled in."""
    (problem,) = run("{name: a, value: '{podName}'}").problems
    assert problem.severity == "error"
    assert str(problem) == (
        "f.yaml:7: spec.metadata.a: refers to {podName}, and there is no pod name; set the environment variable POD_NAME"
    )


def test_no_value_is_in_the_repr() -> None:
    """What was resolved can be logged by mistake and shows nothing."""
    resolved = run("{name: a, secretKeyRef: {name: openai}}", "{name: b, value: inline}")
    assert "s3cret" not in repr(resolved)
    assert "inline" not in repr(resolved)
