"""The events of a streamed reply, as a schema for the OpenAPI document.

OpenAPI 3.1 has no word for Server-Sent Events; 3.2 has `itemSchema`, which makes a 3.1 document invalid. Before 3.2 the
tools that know streams (schemathesis, and Speakeasy among the makers of clients) take the `schema` of
`text/event-stream` as that of each event after its lines have been read: an object with `event` and `data`. That `data`
is a text which holds JSON is said with `contentMediaType` and `contentSchema`, as OpenAPI 3.2 has it in `itemSchema`
(section 4.14.4, "Special Considerations for Server-Sent Events").
"""

from __future__ import annotations

from typing import Any

from jackfield.frontends.dialect import JSON_TYPE

__all__ = ["event_schema"]


def event_schema(whole: dict[str, Any], **named: dict[str, Any]) -> dict[str, Any]:
    """Describe each event of a stream.

    Args:
        whole: the schema of the JSON in a plain event's ``data``; it has no ``event`` line and so is a ``message``.
        named: the schema of the JSON in ``data`` of the events that have a name, by their names.
    """
    described = [_event(name, schema, ["event", "data"]) for name, schema in named.items()]
    return {"oneOf": [_event("message", whole, ["data"]), *described]}


def _event(name: str, schema: dict[str, Any], required: list[str]) -> dict[str, Any]:
    # A client may add `id` and `retry`, which the host never sends: other members are allowed.
    data = {"type": "string", "contentMediaType": JSON_TYPE, "contentSchema": schema}
    return {"type": "object", "required": required, "properties": {"event": {"const": name}, "data": data}}
