"""The JSON Schema for editors, held against manifests."""

from __future__ import annotations

import json
import re
from typing import Any, Literal
from urllib.parse import unquote

import pytest
import yaml
from pydantic import AliasChoices, BaseModel, Field

from jackfield import DaprSettings, Duration, Secret, Settings, StringList
from jackfield.builtin.local_file import FileSettings
from jackfield.manifests.schema import manifest_schema


class Target(BaseModel):
    """An element of a list."""

    name: str
    weight: int = 1


class HostSettings(Settings):
    """What every component may have."""

    response_cache_ttl: Duration | None = Field(
        default=None, validation_alias=AliasChoices("responseCacheTTL", "cacheTTL"), description="How long."
    )


class OwnSettings(Settings):
    """A type of ours."""

    key: Secret
    mode: Literal["fast", "good"] | None = None
    tags: StringList = []
    targets: tuple[Target, ...] = ()


class OldSettings(DaprSettings):
    """A type that Dapr has too."""

    model: str = ""


SCHEMA = manifest_schema(
    {
        "conversation.own": (HostSettings, OwnSettings),
        "conversation.old": (HostSettings, OldSettings),
        "secretstores.local.file": (FileSettings,),
    }
)
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


def fits(value: Any, schema: Any) -> bool:
    """Check a value against the part of JSON Schema that is used; a keyword that isn't known fails the test."""
    if isinstance(schema, bool):
        return schema
    return all(_keyword(keyword, value, schema) for keyword in schema)


def _keyword(keyword: str, value: Any, schema: dict[str, Any]) -> bool:  # noqa: C901, PLR0912  one case a keyword
    given = schema[keyword]
    match keyword:
        case "type":
            kinds = [given] if isinstance(given, str) else given
            return any(
                isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in kinds
            )
        case "const":
            return bool(value == given)
        case "enum":
            return value in given
        case "pattern":
            return not isinstance(value, str) or re.search(given, value) is not None
        case "required":
            return not isinstance(value, dict) or set(given) <= value.keys()
        case "properties":
            return not isinstance(value, dict) or all(
                fits(value[name], inner) for name, inner in given.items() if name in value
            )
        case "additionalProperties":
            others = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
            return all(fits(value[name], given) for name in others)
        case "items":
            return not isinstance(value, list) or all(fits(item, given) for item in value)
        case "contains":
            return not isinstance(value, list) or any(fits(item, given) for item in value)
        case "anyOf":
            return any(fits(value, inner) for inner in given)
        case "allOf":
            return all(fits(value, inner) for inner in given)
        case "if":
            return fits(value, schema["then"] if fits(value, given) else schema.get("else", True))
        case "$ref":
            found: Any = SCHEMA
            for part in given.removeprefix("#/").split("/"):
                found = found[unquote(part)]
            return fits(value, found)
        case "minimum":
            return not isinstance(value, int) or value >= given
        case "then" | "else" | "$schema" | "$defs" | "title" | "description" | "deprecated" | "examples" | "default":
            return True
    raise AssertionError(keyword)


def manifest(type_name: str, *items: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Return a manifest."""
    spec: dict[str, Any] = {"type": type_name, "version": "v1"}
    if items:
        spec["metadata"] = list(items)
    return {"apiVersion": "dapr.io/v1alpha1", "kind": "Component", "metadata": {"name": "llm"}, "spec": spec, **top}


def resiliency(text: str) -> dict[str, Any]:
    """Return a Resiliency manifest with this spec."""
    head = {"apiVersion": "dapr.io/v1alpha1", "kind": "Resiliency", "metadata": {"name": "calm"}}
    return {**head, "spec": yaml.safe_load(text)}


BY_HAND = """
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: 1}
spec: {type: conversation.old}
"""
KEY = {"name": "key", "secretKeyRef": {"name": "openai"}}


@pytest.mark.parametrize(
    "document",
    [
        manifest("conversation.own", KEY),
        manifest("conversation.own", KEY, {"name": "cacheTTL", "value": "10m"}, {"name": "mode", "value": "fast"}),
        manifest("conversation.own", KEY, {"name": "tags", "value": "a,b"}, {"name": "targets", "envRef": "TARGETS"}),
        manifest("conversation.own", KEY, {"name": "tags", "value": ["a"]}),
        manifest("conversation.own", KEY, {"name": "targets", "value": [{"name": "a", "weight": 2}]}),
        manifest("conversation.old"),
        manifest("conversation.old", {"name": "somethingElse", "value": 1}),
        manifest("conversation.old", auth={"secretStore": "vault"}, scopes=["app", 1]),
        manifest("secretstores.local.file", {"name": "secretsFile", "value": "secrets.json"}),
        yaml.safe_load(BY_HAND),
        resiliency("{}"),
        resiliency("policies: {timeouts: {a: 5s, b: 250}, retries: {c: {policy: exponential, maxRetries: -1}, d: }}"),
        resiliency("policies: {retries: {a: {matching: {httpStatusCodes: '429,500-599', gRPCStatusCodes: 3}}}}"),
        resiliency("policies: {circuitBreakers: {a: {maxRequests: 1, timeout: 45s, trip: requests > 1}, b: {}}}"),
        resiliency("targets: {components: {llm: {outbound: {timeout: a}, inbound: {}}, b: }, apps: {x: {retry: y}}}"),
    ],
)
def test_a_good_manifest_fits(document: dict[str, Any]) -> None:
    """What the host takes, an editor takes."""
    assert fits(document, SCHEMA)


@pytest.mark.parametrize(
    "document",
    [
        {},
        manifest("conversation.nope"),
        manifest("conversation.own"),
        manifest("conversation.own", {"name": "cacheTTL", "value": "10m"}),
        manifest("conversation.own", KEY, {"name": "modle", "value": "fast"}),
        manifest("conversation.own", KEY, {"name": "mode", "value": ["fast"]}),
        manifest("conversation.own", KEY, {"name": "tags", "value": {"a": "b"}}),
        manifest("conversation.own", KEY, {"name": "targets", "value": [{"weight": 2}]}),
        manifest("conversation.own", KEY, {"value": "x"}),
        manifest("conversation.own", {"name": "key", "secretKeyRef": {"key": "a"}}),
        manifest("conversation.old", metadata={"name": "a/b"}),
        manifest("conversation.old", metadata={"name": ".."}),
        manifest("conversation.old", metadata={}),
        manifest("conversation.old", kind="Configuration"),
        resiliency("policies: {timeouts: {a: [5s]}}"),
        resiliency("policies: {retries: {a: {policy: often}}}"),
        resiliency("policies: {retries: {a: {maxRetries: '3'}}}"),
        resiliency("policies: {retries: {a: {matching: {httpStatusCodes: 5xx}}}}"),
        resiliency("policies: {circuitBreakers: {a: {maxRequests: -1}}}"),
        resiliency("targets: {components: {llm: {outbound: slow}}}"),
        manifest("conversation.old", scopes="app"),
        manifest("secretstores.local.file"),
    ],
)
def test_a_bad_manifest_does_not_fit(document: dict[str, Any]) -> None:
    """What the host refuses, or warns of in a type of ours, an editor underlines."""
    assert not fits(document, SCHEMA)


def test_a_setting_has_its_description_and_an_alias_is_deprecated() -> None:
    """An editor shows what a setting does, and strikes out its other names."""
    names = SCHEMA["$defs"]["items conversation.own"]["items"]["properties"]["name"]["anyOf"]
    assert names[:2] == [
        {"const": "responseCacheTTL", "description": "How long."},
        {"const": "cacheTTL", "deprecated": True, "description": "The same as responseCacheTTL."},
    ]


def test_the_schema_is_json() -> None:
    """The schema can be written to a file, and nothing in it is Python's own."""
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
