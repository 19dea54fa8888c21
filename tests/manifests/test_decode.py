"""Decoding items into settings."""

# ruff: noqa: E501  (a message stands in one line, to be found by a search)
from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from jackfield import ByteSize, DaprSettings, Duration, Secret, Settings, StringList
from jackfield.errors import ManifestError
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.decode import Decoded, decode, inspect
from jackfield.manifests.documents import Document
from jackfield.manifests.reading import parse_document
from jackfield.manifests.resolve import Resolved, resolve

HEAD = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: llm}\nspec:\n  type: conversation.test\n"


class Target(BaseModel):
    """An element of a list."""

    model_config = ConfigDict(extra="forbid")
    name: str
    weight: int = 1
    token: Secret | None = None


class HostSettings(Settings):
    """What the host reads from every component."""

    response_cache_ttl: Duration | None = Field(
        default=None, validation_alias=AliasChoices("responseCacheTTL", "cacheTTL")
    )
    scrub_pii: Literal["input", "output"] | None = Field(default=None, validation_alias="scrubPII")


class OwnSettings(Settings):
    """Settings of a type of ours."""

    model: str = "small"
    key: Secret | None = None
    flag: bool = False
    count: int = 1
    ratio: float | None = None
    wait: Duration = 5.0
    size: ByteSize = 0
    tags: StringList = ["a"]
    headers: Mapping[str, str] = {}
    targets: tuple[Target, ...] = ()
    either: str | Target = ""
    anything: Any = None
    mode: Annotated[Literal["fast", "good"], Field(description="How.")] = "fast"


class OldSettings(DaprSettings):
    """Settings of a type that Dapr has too."""

    model: str = "small"
    flag: bool = False
    count: int = 1
    wait: Duration | None = None
    tags: StringList = ["a"]
    api_type: Literal["open_ai", "azure"] = "open_ai"


class NeedsKey(Settings):
    """Settings that are not whole without a key."""

    key: Secret
    model: str


def prepare(*items: str, environment: Mapping[str, str] | None = None) -> tuple[ComponentManifest, Resolved]:
    """Read and resolve a manifest with these items, the first in line 7."""
    text = f"{HEAD}  metadata:\n" + "".join(f"  - {item}\n" for item in items)
    manifest = parse_document(Document(text, 1), file="f.yaml").manifest
    assert manifest is not None
    return manifest, asyncio.run(
        resolve(manifest, stores=lambda _: None, environment=environment or {}, app_id="app", namespace="")
    )


def run(*items: str, to: type[Settings] = OwnSettings, environment: Mapping[str, str] | None = None) -> Decoded:
    """Decode a manifest into the host's settings and a type's own."""
    return decode(*prepare(*items, environment=environment), (HostSettings, to))


def errors(*items: str, to: type[Settings] = OwnSettings, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the messages of a manifest that can't be decoded."""
    with pytest.raises(ManifestError) as caught:
        run(*items, to=to, environment=environment)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("{name: model, value: 1.10}", "model", "1.10"),
        ("{name: MODEL, value: yes}", "model", "yes"),
        ("{name: flag, value: yes}", "flag", True),
        ("{name: flag, value: 'OFF'}", "flag", False),
        ("{name: count, value: 7}", "count", 7),
        ("{name: count, value: '7'}", "count", 7),
        ("{name: ratio, value: 0.5}", "ratio", 0.5),
        ("{name: ratio, value: ~}", "ratio", None),
        ("{name: wait, value: 1m}", "wait", 60.0),
        ("{name: wait, value: 30}", "wait", 30.0),
        ("{name: wait}", "wait", 5.0),
        ("{name: size, value: 64Mi}", "size", 64 << 20),
        ("{name: size, value: 1.5k}", "size", 1500),
        ("{name: tags, value: 'b, c,'}", "tags", ["b", "c"]),
        ("{name: tags, value: [b, c]}", "tags", ["b", "c"]),
        ('{name: tags, value: \'["b", "c"]\'}', "tags", ["b", "c"]),
        ("{name: tags, value: ''}", "tags", []),
        ("{name: headers, value: {a: b}}", "headers", {"a": "b"}),
        ('{name: headers, value: \'{"a": "b"}\'}', "headers", {"a": "b"}),
        ("{name: targets, value: [{name: x, weight: 2}]}", "targets", (Target(name="x", weight=2),)),
        ("{name: either, value: plain}", "either", "plain"),
        ("{name: either, value: {name: x}}", "either", Target(name="x")),
        ("{name: either, value: '{x'}", "either", "{x"),
        ("{name: anything, value: [1, {a: ~}]}", "anything", [1, {"a": None}]),
        ("{name: mode, value: good}", "mode", "good"),
        ("{name: wait, envRef: NOPE}", "wait", 5.0),
        ("{name: flag, envRef: NOPE}", "flag", False),
        ("{name: tags, envRef: NOPE}", "tags", ["a"]),
        ("{name: mode, envRef: NOPE}", "mode", "fast"),
        ("{name: model, envRef: NOPE}", "model", ""),
    ],
)
def test_what_stands_in_a_manifest_becomes_a_setting(written: str, field: str, value: object) -> None:
    """Text, lists and objects become what the field is made for; an unset variable is empty text or the default."""
    decoded = run(written)
    assert getattr(decoded.settings[1], field) == value
    assert decoded.problems == ()


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        *[(f"{{name: flag, value: '{text}'}}", "flag", True) for text in ("y", "YES", " true ", "t", "On", "1")],
        *[(f"{{name: flag, value: '{text}'}}", "flag", False) for text in ("", "no", "2", "enabled", "truth")],
        ("{name: flag, envRef: NOPE}", "flag", False),
        ("{name: model, value: [1, {a: é}]}", "model", '[1,{"a":"é"}]'),
        ("{name: wait, value: ''}", "wait", None),
        ("{name: count, value: ''}", "count", 1),
        ("{name: tags, value: 'b,c'}", "tags", ["b", "c"]),
        ("{name: apiType, value: azure}", "api_type", "azure"),
        ("{name: apiType, value: ''}", "api_type", "open_ai"),
    ],
)
def test_the_types_of_dapr_are_decoded_as_daprd_does(written: str, field: str, value: object) -> None:
    """For a type that Dapr has too, any text is a boolean and a list is its JSON where text is wanted."""
    assert getattr(run(written, to=OldSettings).settings[1], field) == value


def test_several_classes_are_decoded_at_once() -> None:
    """An item belongs to each class that has a setting of that name."""
    decoded = run("{name: cacheTTL, value: 10m}", "{name: scrubPii, value: input}", "{name: model, value: big}")
    assert decoded.settings == (HostSettings(response_cache_ttl=600, scrub_pii="input"), OwnSettings(model="big"))


def test_the_canonical_name_wins_over_an_alias() -> None:
    """Where a setting is given under two names, the canonical one counts and the other is a warning."""
    decoded = run("{name: cacheTTL, value: 1m}", "{name: RESPONSECACHETTL, value: 2m}")
    assert decoded.settings[0] == HostSettings(response_cache_ttl=120)
    assert [(problem.severity, str(problem)) for problem in decoded.problems] == [
        (
            "warning",
            "f.yaml:7: spec.metadata.cacheTTL: has no effect: RESPONSECACHETTL in line 8 is the same setting; keep one",
        )
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{name: flag, value: maybe}", "flag: must be true or false, not 'maybe'; write true or false"),
        ("{name: count, value: 1.5}", "count: must be a whole number, not '1.5'; write a number"),
        ("{name: count, value: ''}", "count: is empty; give it a value or take the item out"),
        ("{name: count, value: [1]}", "count: must be a whole number; write a number"),
        ("{name: ratio, value: .nan}", "ratio: must be a number, not '.nan'; write a number"),
        ("{name: ratio, value: nan}", "ratio: must be a finite number, not 'nan'"),
        (
            "{name: wait, value: 1 hour}",
            "wait: '1 hour' is not a duration; write a number with a unit, such as 10m, 1h30m or 500ms",
        ),
        (
            "{name: size, value: 1MB}",
            "size: '1MB' is not a size; write bytes, or a number with a unit such as 512Ki, 64Mi or 1G",
        ),
        ("{name: mode, value: slow}", "mode: must be 'fast' or 'good', not 'slow'"),
        ("{name: model, value: [1]}", "model: must be text; put it in quotes"),
        ("{name: headers, value: '{'}", "headers: must be an object, not '{'"),
        ("{name: headers, value: {a: 1}}", "headers.a: must be text, not 1; put it in quotes"),
        ("{name: targets, value: [{name: a}, {nam: b}]}", "targets[1].name: is missing; add it"),
        ("{name: either, value: {weight: 1}}", "either.name: is missing; add it"),
        ("{name: scrubPII, value: all}", "scrubPII: must be 'input' or 'output', not 'all'"),
        ("{name: modell, value: x}", "modell: is no setting of conversation.test; did you mean model?"),
        (
            "{name: response_cache_ttl, value: x}",
            "response_cache_ttl: is no setting of conversation.test; did you mean responseCacheTTL?",
        ),
    ],
)
def test_a_value_that_can_not_be_is_an_error(written: str, message: str) -> None:
    """Every error names the item as it is written, its line, the cause and the fix."""
    assert f"f.yaml:7: spec.metadata.{message}" in errors(written)


def test_an_error_in_a_list_has_the_line_within_it() -> None:
    """An error deep in a value that spans lines points to its own line."""
    written = "name: targets\n    value:\n    - name: a\n      weight: heavy\n    - name: b\n      colour: red"
    assert errors(written) == [
        "f.yaml:10: spec.metadata.targets[0].weight: must be a whole number, not 'heavy'; write a number",
        "f.yaml:12: spec.metadata.targets[1].colour: is not known; take it out",
    ]


def test_a_name_that_dapr_would_pass_over_is_a_warning() -> None:
    """For a type that Dapr has too, an unknown name has no effect and is a warning with the nearest known name."""
    decoded = run("{name: modle, value: x}", "{name: zzz, value: x}", to=OldSettings)
    assert {problem.severity for problem in decoded.problems} == {"warning"}
    assert [str(problem) for problem in decoded.problems] == [
        "f.yaml:7: spec.metadata.modle: is no setting of conversation.test and has no effect; did you mean model?",
        "f.yaml:8: spec.metadata.zzz: is no setting of conversation.test and has no effect; known are apiType, cacheTTL, count, flag, model, responseCacheTTL, scrubPII, tags, wait",
    ]


def test_all_errors_come_at_once() -> None:
    """One call tells everything that is wrong, in the order of the lines."""
    found = errors("{name: key, value: ''}", "{name: flag, value: x}", "{name: Key, value: y}", to=NeedsKey)
    assert found == [
        "f.yaml:6: spec.metadata.model: is missing; add `- name: model` with a `value` to spec.metadata",
        "f.yaml:7: spec.metadata.key: is empty; give it a value",
        "f.yaml:8: spec.metadata.flag: is no setting of conversation.test; known are cacheTTL, key, model, responseCacheTTL, scrubPII",
        "f.yaml:9: spec.metadata.Key: the item stands in line 7 and again in line 9; keep one of the two: names are the same in any case",
    ]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            "{name: key, envRef: NOPE}",
            "f.yaml:7: spec.metadata.key: is empty, as the environment variable NOPE has no value; set it",
        ),
        (
            "{name: key, secretKeyRef: {name: s}}",
            "f.yaml:7: spec.metadata.key: is empty, as the secret s has no value; set it",
        ),
        ("{name: key}", "f.yaml:7: spec.metadata.key: has no value; give it `secretKeyRef`, `envRef` or `value`"),
    ],
)
def test_a_required_setting_that_is_empty_is_an_error(item: str, message: str) -> None:
    """A required setting needs more than its name; the error says what has no value."""
    assert errors(item, "{name: model, value: m}", to=NeedsKey) == [message]


def test_inspecting_takes_an_unset_secret_for_a_warning() -> None:
    """What fails only because a secret or variable is unset here is a warning, all else stays an error."""
    manifest, resolved = prepare("{name: key, envRef: NOPE}", "{name: model}")
    problems = inspect(manifest, resolved, (HostSettings, NeedsKey))
    assert [(problem.field, problem.severity) for problem in problems] == [
        ("spec.metadata.key", "warning"),
        ("spec.metadata.model", "error"),
    ]


def test_every_secret_is_on_the_redaction_list() -> None:
    """Secrets are collected however they came there: inline, inside a list, or from the environment."""
    decoded = run(
        "{name: key, value: inline}",
        "{name: targets, value: [{name: a, token: inner}]}",
        "{name: model, envRef: MODEL}",
        environment={"MODEL": "from-env"},
    )
    assert decoded.secrets == ("from-env", "inline", "inner")
    assert "inner" not in repr(decoded)


class Careless(Settings):
    """Settings whose validators tell what they saw."""

    key: Annotated[Secret | None, Field(min_length=20)] = None
    wait: Duration = 0
    count: int = 0
    targets: tuple[Target, ...] = ()

    @model_validator(mode="after")
    def _tell(self) -> Careless:
        if self.count == 3:
            raise ValueError(f"the key {self.key.get_secret_value() if self.key else ''!r} does not go with 3")
        return self


@pytest.mark.parametrize(
    "items",
    [
        ["{name: key, value: hunter2}"],
        ["{name: count, envRef: SECRET}"],
        ["{name: wait, envRef: SECRET}"],
        ["{name: targets, envRef: SECRET}"],
        ["{name: targets, value: [{name: a, token: {hunter2: hunter2}}]}"],
        ["{name: targets, value: [{name: a, token: hunter2, weight: hunter2}]}"],
        ["{name: targets, value: hunter2}"],
        ["{name: key, value: hunter2hunter2hunter2hunter2}", "{name: count, value: 3}"],
    ],
)
def test_no_error_shows_a_secret(items: list[str]) -> None:
    """Whatever is wrong with a secret, or beside one, its text is in no message."""
    messages = errors(*items, to=Careless, environment={"SECRET": "hunter2"})
    assert messages
    assert "hunter2" not in "".join(messages)


def test_an_error_of_the_whole_is_told_without_its_secrets() -> None:
    """A rule about several settings is told in the words of the type's author, its secrets masked."""
    found = errors("{name: key, value: abcdefghijklmnopqrstuvwxyz}", "{name: count, value: 3}", to=Careless)
    assert found == ["f.yaml:6: spec.metadata: the key '***' does not go with 3"]


def test_an_error_of_resolving_keeps_the_component_from_being_built() -> None:
    """What could not be resolved at all is an error of the manifest."""
    assert errors("{name: model, value: '{podName}'}") == [
        "f.yaml:7: spec.metadata.model: refers to {podName}, and there is no pod name; set the environment variable POD_NAME"
    ]
