"""What a bad manifest is told: thirty and more of them, each with its exact messages."""

# ruff: noqa: E501  (a message stands in one line, to be found by a search)
from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

from jackfield import Duration, Secret, Settings
from jackfield.errors import ManifestError
from jackfield.manifests.decode import decode
from jackfield.manifests.folder import read_file
from jackfield.manifests.kinds import check_type
from jackfield.manifests.resolve import resolve


class Target(BaseModel):
    """An element of a list of objects."""

    name: str
    weight: int = 1


def _pin(value: str) -> str:
    if not value.isdigit():
        raise ValueError(f"{value!r} is no pin")
    return value


def _place(value: str) -> str:
    if value == "moon":
        raise PydanticCustomError("place", "must be on {planet}", {"planet": "earth"})
    return value


class KindSettings(Settings):
    """The settings of ``conversation.test``."""

    key: Secret
    model: str = ""
    retries: int = 0
    wait: Duration = 0
    targets: tuple[Target, ...] = ()
    pin: Annotated[SecretStr | None, BeforeValidator(_pin)] = None
    place: Annotated[SecretStr | None, BeforeValidator(_place)] = None


HEAD = """apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: llm
spec:
  type: conversation.test
  version: v1
"""
KEY = "- {name: key, value: k}"


def items(*lines: str) -> str:
    """Return a manifest with these lines below ``spec.metadata``, which stands in line 8."""
    return f"{HEAD}  metadata:\n" + "".join(f"  {line}\n" for line in lines)


ROWS: dict[str, tuple[str | bytes, list[str]]] = {
    "empty file": ("", ["bad.yaml: the file is empty; write a manifest into it or delete it"]),
    "only blanks": (" \n\n", ["bad.yaml: the file is empty; write a manifest into it or delete it"]),
    "not UTF-8": (
        b"apiVersion: dapr.io/v1alpha1\nkind: \xff\n",
        ["bad.yaml:2: the file is not UTF-8 (byte 0xff); save it as UTF-8"],
    ),
    "a tab": (HEAD + "\tmetadata: []\n", ["bad.yaml:8: a tab is used to indent; use spaces"]),
    "a colon in a value": (
        HEAD.replace("llm", "llm: big"),
        [
            "bad.yaml:4: a ':' stands where none can be; check the indentation, and put a value that has ': ' or ' #' in it in quotes"
        ],
    ),
    "an open quote": (
        items("- name: key", '  value: "abc'),
        ["bad.yaml:10: quotes are opened and not closed; add the closing quote"],
    ),
    "an open bracket": (
        items("- {name: key, value: k"),
        [
            "bad.yaml:9: an object in { } is not closed; add the '}' or a ',', or put a value that begins with { in quotes"
        ],
    ),
    "a template that was not filled in": (
        HEAD.replace("llm", "{{ .Values.name }}"),
        ["bad.yaml:4: a name must be text, not a list or an object; put a value that begins with { or [ in quotes"],
    ),
    "a wrong indentation": (
        HEAD + "   initTimeout: 5s\n",
        [
            "bad.yaml:8: a ':' stands where none can be; check the indentation, and put a value that has ': ' or ' #' in it in quotes"
        ],
    ),
    "an unknown alias": (
        items("- name: key", "  value: *key"),
        ["bad.yaml:10: *key refers to nothing; write &key before the value it stands for"],
    ),
    "text only": (
        "just some text\n",
        ["bad.yaml:1: the document must be an object, not text; write `name: value` lines"],
    ),
    "a list": (
        "- apiVersion: dapr.io/v1alpha1\n",
        ["bad.yaml:1: the document must be an object, not a list; write `name: value` lines"],
    ),
    "no kind": (HEAD.replace("kind: Component\n", ""), ["bad.yaml:1: kind: is missing; add `kind: Component`"]),
    "no apiVersion": (
        HEAD.replace("apiVersion: dapr.io/v1alpha1\n", ""),
        ["bad.yaml:1: apiVersion: is missing; add `apiVersion: dapr.io/v1alpha1`"],
    ),
    "no name": (
        HEAD.replace("  name: llm\n", "  labels: {a: b}\n"),
        ["bad.yaml:3: metadata.name: is missing; add `name: ...`, the name in the URL"],
    ),
    "a name with a slash": (
        HEAD.replace("llm", "a/b"),
        ["bad.yaml:4: metadata.name: the name 'a/b' has a '/' in it; use letters, digits and '-'"],
    ),
    "a name with an escape": (
        HEAD.replace("llm", "a%2Fb"),
        ["bad.yaml:4: metadata.name: the name 'a%2Fb' has a '%' in it; use letters, digits and '-'"],
    ),
    "a name of dots": (
        HEAD.replace("llm", ".."),
        ["bad.yaml:4: metadata.name: the name '..' can't be part of a URL; use letters, digits and '-'"],
    ),
    "no type": (
        HEAD.replace("  type: conversation.test\n", ""),
        ["bad.yaml:5: spec.type: is missing; add `type: ...`, such as conversation.openai"],
    ),
    "no spec": (
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: llm\n",
        ["bad.yaml:1: spec.type: is missing; add `type: ...`, such as conversation.openai"],
    ),
    "a misspelt type": (
        HEAD.replace("conversation.test", "conversation.tset"),
        ["bad.yaml:6: spec.type: there is no component type conversation.tset; did you mean conversation.test?"],
    ),
    "a type whose plugin is missing": (
        HEAD.replace("conversation.test", "conversation.anthropic"),
        [
            "bad.yaml:6: spec.type: there is no component type conversation.anthropic, as its plugin is not installed; run `jackfield install jackfield-anthropic`"
        ],
    ),
    "a category in upper case": (
        HEAD.replace("conversation.test", "Conversation.test"),
        ["bad.yaml:6: spec.type: the category of Conversation.test must be in lower case; write conversation.test"],
    ),
    "an unknown version": (
        HEAD.replace("version: v1\n", "version: v2\n"),
        ["bad.yaml:7: spec.version: there is no version 'v2' of any component type; write v1"],
    ),
    "ignoreErrors as text": (
        HEAD + '  ignoreErrors: "true"\n' + "  metadata:\n  - {name: key, value: k}\n",
        ["bad.yaml:8: spec.ignoreErrors: must be true or false, not text; take away the quotes"],
    ),
    "a key twice": (
        HEAD + "  type: conversation.test\n",
        ["bad.yaml:8: the key type stands in line 6 and again in line 8; keep one of the two"],
    ),
    "a key twice but for case": (
        HEAD + "  Type: conversation.test\n",
        [
            "bad.yaml:8: spec.type: is given as type in line 6 and as Type in line 8; keep one: keys are the same in any case"
        ],
    ),
    "metadata as an object": (
        HEAD + "  metadata:\n    key: k\n",
        [
            "bad.yaml:8: spec.metadata: must be a list, not an object; write a list: `- name: key` and below it `value: ...`"
        ],
    ),
    "an item without a name": (
        items("- value: k"),
        ["bad.yaml:9: spec.metadata[0]: the item has no name; add `name: ...`"],
    ),
    "an item that is text": (items("- key"), ["bad.yaml:9: spec.metadata[0]: must be an object, not text"]),
    "a secret without a name": (
        items("- name: key", "  secretKeyRef: {key: k}"),
        [
            "bad.yaml:10: spec.metadata.key.secretKeyRef: names no secret; add `name: ...`, the secret's name in the store"
        ],
    ),
    "scopes as text": (
        HEAD + "scopes: app\n",
        ["bad.yaml:8: scopes: must be a list, not text; write one `- name` a line"],
    ),
    "an item twice": (
        items(KEY, "- {name: Key, value: l}"),
        [
            "bad.yaml:10: spec.metadata.Key: the item stands in line 9 and again in line 10; keep one of the two: names are the same in any case"
        ],
    ),
    "a required item missing": (
        HEAD,
        [
            "bad.yaml:5: spec.metadata.key: is missing; add `- name: key` with `secretKeyRef`, `envRef` or `value` to spec.metadata"
        ],
    ),
    "an unknown item": (
        items(KEY, "- {name: modle, value: x}"),
        ["bad.yaml:10: spec.metadata.modle: is no setting of conversation.test; did you mean model?"],
    ),
    "a bad number": (
        items(KEY, "- {name: retries, value: many}"),
        ["bad.yaml:10: spec.metadata.retries: must be a whole number, not 'many'; write a number"],
    ),
    "a bad duration": (
        items(KEY, "- {name: wait, value: 10 minutes}"),
        [
            "bad.yaml:10: spec.metadata.wait: '10 minutes' is not a duration; write a number with a unit, such as 10m, 1h30m or 500ms"
        ],
    ),
    "a bad value in a list": (
        items(KEY, "- name: targets", "  value:", "  - {name: fast, weight: heavy}", "  - {weight: 1}"),
        [
            "bad.yaml:12: spec.metadata.targets[0].weight: must be a whole number, not 'heavy'; write a number",
            "bad.yaml:13: spec.metadata.targets[1].name: is missing; add it",
        ],
    ),
    "a variable that is not set": (
        items("- name: key", "  envRef: NO_SUCH_VARIABLE"),
        [
            "bad.yaml:9: spec.metadata.key: stays empty: the environment variable NO_SUCH_VARIABLE is not set; set NO_SUCH_VARIABLE",
            "bad.yaml:9: spec.metadata.key: is empty, as the environment variable NO_SUCH_VARIABLE has no value; set it",
        ],
    ),
    "a bad secret is not shown": (
        items("- name: pin", "  value: 12ab", KEY),
        ["bad.yaml:10: spec.metadata.pin: has a value that it can't have"],
    ),
    "a bad secret with an error that says why": (
        items("- name: place", "  value: moon", KEY),
        ["bad.yaml:10: spec.metadata.place: must be on earth"],
    ),
    "everything at once": (
        HEAD.replace("llm", "a/b").replace("version: v1\n", "version: v2\n")
        + "  ignoreErrors: 1\n  initTimeout: soon\nscope: [app]\n",
        [
            "bad.yaml:4: metadata.name: the name 'a/b' has a '/' in it; use letters, digits and '-'",
            "bad.yaml:7: spec.version: there is no version 'v2' of any component type; write v1",
            "bad.yaml:8: spec.ignoreErrors: must be true or false, not a number; write true or false",
            "bad.yaml:9: spec.initTimeout: 5s applies instead: 'soon' is not a duration; write a number with a unit, such as 10m, 1h30m or 500ms",
            "bad.yaml:10: scope: is not known and has no effect; did you mean scopes?",
        ],
    ),
}


def problems_of(data: bytes) -> list[str]:
    """Return all that the host says about a file, from reading it to decoding its settings."""
    state = read_file("bad.yaml", data, app_id="app", namespace=None)
    problems = list(state.problems)
    for manifest in state.documents:
        if problem := check_type(manifest, {"conversation.test"}):
            problems.append(problem)
            continue
        resolved = asyncio.run(
            resolve(manifest, stores=lambda _: None, environment={}, app_id="app", namespace="default")
        )
        problems += resolved.problems
        try:
            problems += decode(manifest, resolved, [KindSettings]).problems
        except ManifestError as error:
            problems += error.problems
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(("text", "expected"), ROWS.values(), ids=ROWS.keys())
def test_a_bad_manifest_is_told_all_that_is_wrong(text: str | bytes, expected: list[str]) -> None:
    """Each bad manifest gives exactly these messages, with file, line, field, cause and fix."""
    assert problems_of(text if isinstance(text, bytes) else text.encode()) == expected


def test_the_good_manifest_that_the_bad_ones_are_made_from_has_no_problems() -> None:
    """What the rows break is in order before it is broken."""
    assert problems_of(items(KEY, "- {name: wait, value: 10m}").encode()) == []
