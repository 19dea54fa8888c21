"""Protobuf's ways to hold any value, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from google.protobuf import any_pb2, struct_pb2, wrappers_pb2
from google.protobuf.message import DecodeError

__all__ = ["read_any", "read_struct"]

_LARGEST_EXACT = 2.0**53
_WRAPPERS = {
    f"google.protobuf.{cls.DESCRIPTOR.name}": cls
    for cls in (
        wrappers_pb2.BoolValue,
        wrappers_pb2.DoubleValue,
        wrappers_pb2.FloatValue,
        wrappers_pb2.Int32Value,
        wrappers_pb2.Int64Value,
        wrappers_pb2.StringValue,
        wrappers_pb2.UInt32Value,
        wrappers_pb2.UInt64Value,
    )
}


def read_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Read a ``Struct``. A whole number is an ``int`` as far as a double is exact.

    Raises:
        ValueError: a number is not finite.
    """
    return {key: _value(value) for key, value in struct.fields.items()}


def read_any(parameters: Mapping[str, any_pb2.Any]) -> dict[str, Any]:
    """Read the values of ``parameters``: well-known wrappers, and ``Value``, ``Struct`` and ``ListValue``.

    A value of another type stands as an object with its ``@type``.

    Raises:
        ValueError: a value is not what its type says.
    """
    return {key: _any(key, value) for key, value in parameters.items()}


def _any(key: str, value: any_pb2.Any) -> Any:
    name = value.TypeName()
    wrapper = _WRAPPERS.get(name)
    try:
        if wrapper is not None:
            return wrapper.FromString(value.value).value
        if name == "google.protobuf.Value":
            return _value(struct_pb2.Value.FromString(value.value))
        if name == "google.protobuf.Struct":
            return read_struct(struct_pb2.Struct.FromString(value.value))
        if name == "google.protobuf.ListValue":
            return [_value(item) for item in struct_pb2.ListValue.FromString(value.value).values]
    except DecodeError:
        raise ValueError(f"parameters.{key[:40]}: not the {name} that its type says") from None
    return {"@type": value.type_url}


def _value(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            if not isfinite(number):
                raise ValueError("a number in a structure is not finite")
            return int(number) if number.is_integer() and abs(number) <= _LARGEST_EXACT else number
        case "struct_value":
            return read_struct(value.struct_value)
        case "list_value":
            return [_value(item) for item in value.list_value.values]
    return None
