"""What the API demands of a request: the shapes of the service's model, and the rules beyond them."""

# botocore comes without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from jackfield.testing import Refused

__all__ = ["check_rules", "check_shapes"]


@cache
def _shape() -> Shape:
    model = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model, "bedrock-runtime").shape_for("ConverseRequest")


def check_shapes(parameters: Mapping[str, Any]) -> None:
    """Refuse what the service's model in botocore doesn't allow.

    Args:
        parameters: those of ``Converse``, the model's id among them.

    Raises:
        Refused: they break the model; the text says where.
    """
    report = ParamValidator().validate(parameters, _shape())
    problems = [report.generate_report()] if report.has_errors() else list(_unfit(parameters, _shape(), "request"))
    if problems:
        raise Refused("; ".join(problems))


def _unfit(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Find what the service's model restricts and botocore's validator lets pass: enumerations, patterns, sizes."""
    if getattr(shape, "is_document_type", False):
        return
    limits = shape.metadata
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{path}: not one of {shape.enum}"
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            yield f"{path}: doesn't satisfy {limits['pattern']}"
    if "max" in limits and (len(value) if isinstance(value, str | list | dict) else value) > limits["max"]:
        yield f"{path}: more than {limits['max']}"
    for inner, inner_shape, name in _inside(value, shape):
        yield from _unfit(inner, inner_shape, f"{path}.{name}")


def _inside(value: Any, shape: Any) -> Iterator[tuple[Any, Shape, str]]:
    if shape.type_name == "structure":
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            raise Refused(f"a union has one member, not {sorted(value)}")
        yield from ((member, shape.members[name], name) for name, member in value.items())
    elif shape.type_name == "list":
        yield from ((member, shape.member, str(position)) for position, member in enumerate(value))
    elif shape.type_name == "map":
        yield from ((name, shape.key, "key") for name in value)
        yield from ((member, shape.value, name) for name, member in value.items())


def check_rules(body: Mapping[str, Any]) -> None:
    """Refuse what the API refuses beyond its shapes, in words like its own.

    Raises:
        Refused: the body breaks a rule.
    """
    turns = body.get("messages") or []
    if not turns or turns[0]["role"] != "user":
        raise Refused("A conversation must start with a user message. Try again with a conversation that does.")
    waiting: list[str] = []
    for position, turn in enumerate(turns):
        blocks = turn["content"]
        if position and turns[position - 1]["role"] == turn["role"]:
            raise Refused(f"messages.{position}: roles must alternate between user and assistant")
        if not blocks:
            raise Refused(f"The content field in the Message object at messages.{position} is empty.")
        inner = [text for block in blocks if "toolResult" in block for text in block["toolResult"]["content"]]
        if any("text" in block and not block["text"].strip() for block in [*blocks, *inner]):
            raise Refused(f"The text field in the ContentBlock object at messages.{position} is blank.")
        results = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
        if sorted(results) != sorted(waiting):
            raise Refused(f"messages.{position}: the toolResult blocks don't match the toolUse blocks before them")
        waiting = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
        if (waiting or results) and "toolConfig" not in body:
            raise Refused("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        if any(not isinstance(block["toolUse"]["input"], dict) for block in blocks if "toolUse" in block):
            raise Refused(f"messages.{position}: the format of the value at toolUse.input is invalid")
    tools = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in tool]
    if any(tool["inputSchema"]["json"].get("type") != "object" for tool in tools):
        raise Refused("The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of: object.")
