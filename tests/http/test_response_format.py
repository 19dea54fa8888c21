"""Structured output: both forms in which a caller may ask for it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from jackfield.http.response_format import read_response_format
from jackfield.messages import ResponseFormat

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def test_a_flat_schema_gives_up_its_extra_keys() -> None:
    """Name, description and strict are taken out of a flat schema, and an open object is closed."""
    sent = {"name": "person", "description": "who", "strict": True, **PERSON}
    assert read_response_format(sent) == ResponseFormat(
        schema={**PERSON, "additionalProperties": False}, name="person", description="who", strict=True
    )


def test_a_flat_schema_has_defaults() -> None:
    """Without extra keys the name is response, and the format isn't strict."""
    assert read_response_format({"type": "string"}) == ResponseFormat(
        schema={"type": "string"}, name="response", description="", strict=False
    )


def test_every_whole_object_of_a_flat_schema_is_closed_and_the_rest_kept() -> None:
    """Nested objects are closed wherever a whole schema stands; data, explicit wishes and mergers are left alone."""
    nested: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer", "minimum": 1}}}
    closed = {**nested, "additionalProperties": False}
    sent = {
        "type": "object",
        "properties": {
            "properties": nested,
            "list": {"type": "array", "items": nested, "prefixItems": [nested]},
            "either": {"anyOf": [nested, {"$ref": "#/$defs/node"}], "oneOf": [nested]},
            "open": {**nested, "additionalProperties": True},
            "map": {"type": "object", "additionalProperties": nested},
            "free": {"type": "object"},
            "fixed": {"enum": [nested], "const": nested, "default": nested, "examples": [nested]},
            "merged": {**nested, "allOf": [nested]},
            "extended": {**nested, "$ref": "#/$defs/node"},
            "conditional": {"if": nested, "then": nested, "else": nested, "not": nested},
            "any": True,
        },
        "additionalProperties": False,
        "patternProperties": {"^x": nested},
        "$defs": {"node": nested},
        "definitions": {"node": nested},
    }
    before = copy.deepcopy(sent)
    result = read_response_format(sent)
    assert sent == before
    assert result is not None
    assert result.schema == {
        "type": "object",
        "properties": {
            "properties": closed,
            "list": {"type": "array", "items": closed, "prefixItems": [closed]},
            "either": {"anyOf": [closed, {"$ref": "#/$defs/node"}], "oneOf": [closed]},
            "open": {**nested, "additionalProperties": True},
            "map": {"type": "object", "additionalProperties": closed},
            "free": {"type": "object"},
            "fixed": {"enum": [nested], "const": nested, "default": nested, "examples": [nested]},
            "merged": {**nested, "allOf": [nested]},
            "extended": {**nested, "$ref": "#/$defs/node"},
            "conditional": {"if": nested, "then": nested, "else": nested, "not": nested},
            "any": True,
        },
        "additionalProperties": False,
        "patternProperties": {"^x": closed},
        "$defs": {"node": closed},
        "definitions": {"node": closed},
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"oneOf": [{"type": "string"}]},
        {"allOf": [{"type": "string"}]},
        {"enum": ["a", 1]},
        {"const": 5},
        {"type": ["object", "null"]},
    ],
)
def test_schemas_that_daprd_gives_up_on_are_kept(schema: dict[str, Any]) -> None:
    """References, alternatives, lists of types and typeless values arrive unchanged."""
    assert read_response_format(schema) == ResponseFormat(schema=schema)


def test_openai_envelope_is_unwrapped_as_it_is() -> None:
    """The envelope's schema isn't touched, as its caller wrote it for OpenAI."""
    sent = {
        "type": "json_schema",
        "json_schema": {"name": "person", "description": "who", "strict": True, "schema": PERSON},
    }
    assert read_response_format(sent) == ResponseFormat(schema=PERSON, name="person", description="who", strict=True)


def test_openai_json_object_asks_for_any_object() -> None:
    """The json_object type has no schema."""
    assert read_response_format({"type": "json_object"}) == ResponseFormat(schema=None)


@pytest.mark.parametrize("sent", [{"type": "text"}, {}])
def test_plain_text_is_no_format(sent: dict[str, Any]) -> None:
    """OpenAI's text type and an empty object ask for nothing."""
    assert read_response_format(sent) is None


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        ({"properties": {}}, "responseFormat: a JSON Schema needs a type, such as object, or anyOf or $ref"),
        ({"name": "x"}, "responseFormat: a JSON Schema needs a type"),
        ({"type": None, "strict": True}, "responseFormat: a JSON Schema needs a type"),
        ({"type": "json_objct"}, "responseFormat.type: must be one of array, boolean"),
        ({"type": []}, "responseFormat.type: must be one of"),
        ({"type": [{}]}, "responseFormat.type: must be one of"),
        ({"type": 5}, "responseFormat.type: must be one of"),
        ({"type": "object", "name": 5}, "responseFormat.name: expected a string, got a number"),
        ({"type": "object", "description": []}, "responseFormat.description: expected a string, got an array"),
        ({"type": "object", "strict": "true"}, "responseFormat.strict: expected a boolean, got a string"),
        ({"type": "json_schema"}, "responseFormat.json_schema: expected an object, got null"),
        ({"type": "json_schema", "json_schema": []}, "responseFormat.json_schema: expected an object, got an array"),
        ({"type": "json_schema", "json_schema": {}}, "responseFormat.json_schema.schema: expected a JSON Schema"),
        (
            {"type": "json_schema", "json_schema": {"schema": {}, "strict": 1}},
            "responseFormat.json_schema.strict: expected a boolean, got a number",
        ),
    ],
)
def test_a_format_that_cannot_be_kept_is_an_error(sent: dict[str, Any], cause: str) -> None:
    """Where daprd goes on without structured output, the caller is told what is wrong."""
    with pytest.raises(ValueError, match=r"^responseFormat") as caught:
        read_response_format(sent)
    assert str(caught.value).startswith(cause)
