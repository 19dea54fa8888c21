"""JSON Schema of the manifests, for editors (``jackfield schema``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticOmit, core_schema

from jackfield.manifests.kinds import API_VERSION, COMPONENT, RESILIENCY
from jackfield.manifests.names import SettingsField, fields_of
from jackfield.manifests.resiliency_schema import resiliency_schema
from jackfield.settings import DaprSettings, Settings

__all__ = ["manifest_schema"]

_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_TEXT = {"type": ["string", "number", "boolean"]}


class _Generator(GenerateJsonSchema):
    """Leaves out what JSON Schema has no words for, such as a validator of our own."""

    def handle_invalid_for_json_schema(
        self,
        schema: core_schema.CoreSchema,  # noqa: ARG002
        error_info: str,  # noqa: ARG002
    ) -> JsonSchemaValue:
        raise PydanticOmit


def manifest_schema(types: Mapping[str, Sequence[type[Settings]]]) -> dict[str, Any]:
    """Describe a manifest: of a component, or of kind Resiliency.

    Args:
        types: the settings classes of each component type, the type's own last.

    Returns:
        A JSON Schema (2020-12): the structure of either kind, the known types, and for each of them the names and
        values its ``spec.metadata`` takes. It describes the usual spelling; the host takes keys and names in any case.
    """
    definitions: dict[str, Any] = {
        "text": _TEXT | {"description": "Text; a number or a boolean is read as text."},
        "secret": _object(
            {
                "name": {"$ref": "#/$defs/text", "description": "The secret's name in the store."},
                "key": {"$ref": "#/$defs/text", "description": "The secret's entry; its name by default."},
            },
            ["name"],
        ),
    }
    branches = []
    for type_name, classes in sorted(types.items()):
        definitions[f"items {type_name}"] = _items(classes, definitions)
        items = {"$ref": f"#/$defs/{quote(f'items {type_name}')}"}
        branch = _at_spec("type", {"const": type_name}, needed=True)
        branches.append({"if": branch, "then": _at_spec("metadata", items, needed=_needed(classes))})
    definitions[COMPONENT] = {
        **_object(_top(sorted(types)), ["apiVersion", "kind", "metadata", "spec"]),
        "allOf": branches,
    }
    definitions[RESILIENCY] = resiliency_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Manifest",
        "if": {"properties": {"kind": {"const": RESILIENCY}}, "required": ["kind"]},
        "then": {"$ref": f"#/$defs/{RESILIENCY}"},
        "else": {"$ref": f"#/$defs/{COMPONENT}"},
        "$defs": definitions,
    }


def _top(type_names: list[str]) -> dict[str, Any]:
    text = {"$ref": "#/$defs/text"}
    spec = {
        "type": {"enum": type_names, "description": "The component type; a plugin brings it."},
        "version": {"enum": ["v1", "v0", ""], "description": "The type's version; all are the same."},
        "ignoreErrors": {"type": "boolean", "description": "The host may be ready without this component."},
        "initTimeout": {"type": "string", "description": "How long it may take to start; 5s by default."},
        "metadata": {"type": "array", "description": "The component's settings."},
    }
    return {
        "apiVersion": {"const": API_VERSION},
        "kind": {"const": COMPONENT},
        "metadata": _object(
            {
                "name": {
                    "type": ["string", "number"],
                    "pattern": r"^(?!\.{1,2}$)[^/%]+$",
                    "description": "The component's name: the one in the URL.",
                },
                "namespace": text | {"description": "Load it only in this namespace."},
            },
            ["name"],
        ),
        "spec": _object(spec, ["type"]),
        "auth": _object(
            {"secretStore": text | {"description": "The secret store component to read secrets from."}}, []
        ),
        "scopes": {"type": "array", "items": text, "description": "The app ids that may use it; all by default."},
    }


def _items(classes: Sequence[type[Settings]], definitions: dict[str, Any]) -> dict[str, Any]:
    """Describe ``spec.metadata`` of one type."""
    values: dict[str, Any] = {}
    descriptions: dict[str, Any] = {}
    for cls in classes:
        own = f"{cls.__module__}.{cls.__qualname__}"
        template = f"#/$defs/{quote(own)}/$defs/{{model}}"
        schema = cls.model_json_schema(by_alias=False, schema_generator=_Generator, ref_template=template)
        if "$defs" in schema:
            definitions[own] = {"$defs": schema["$defs"]}
        for field in fields_of(cls):
            value = _value(field, schema.get("properties", {}).get(field.attribute, {}))
            for name in field.names:
                values.setdefault(name, value | ({} if name == field.name else {"deprecated": True}))
                descriptions.setdefault(name, _named(field, name))
    named: dict[str, Any] = {"anyOf": list(descriptions.values())}
    if issubclass(classes[-1], DaprSettings):
        named["anyOf"].append({"type": "string"})
    item = _object(
        {
            "name": named,
            "value": True,
            "secretKeyRef": {"$ref": "#/$defs/secret"},
            "envRef": {"type": "string", "description": "The environment variable to take the value from."},
        },
        ["name"],
    )
    item["allOf"] = [
        {"if": _is_named(name), "then": {"properties": {"value": value}}} for name, value in values.items()
    ]
    needed = [{"contains": _is_named(*field.names)} for field in _needed(classes)]
    return {"type": "array", "items": item, **({"allOf": needed} if needed else {})}


def _named(field: SettingsField, name: str) -> dict[str, Any]:
    text = field.info.description or ""
    if name == field.name:
        return {"const": name} | ({"description": text} if text else {})
    return {"const": name, "deprecated": True, "description": f"The same as {field.name}."}


def _is_named(*names: str) -> dict[str, Any]:
    return {"properties": {"name": {"enum": list(names)}}, "required": ["name"]}


def _value(field: SettingsField, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the value of one setting; text is taken for anything, as items are text before they are decoded."""
    about = {"description": field.info.description} if field.info.description else {}
    choices = [choice for one in [schema, *schema.get("anyOf", [])] for choice in one.get("enum", [])]
    if choices and not field.takes_structure:
        return {"examples": choices, **_SCALAR, **about}
    if not field.takes_structure:
        return _SCALAR | about
    inner = {key: value for key, value in schema.items() if key not in {"default", "description", "title"}}
    return {"anyOf": [inner, _SCALAR], **about}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _needed(classes: Sequence[type[Settings]]) -> list[SettingsField]:
    return [field for cls in classes for field in fields_of(cls) if field.info.is_required()]


def _at_spec(key: str, schema: dict[str, Any], *, needed: object) -> dict[str, Any]:
    spec = {"properties": {key: schema}, "required": [key] if needed else []}
    return {"properties": {"spec": spec}, "required": ["spec"]}
