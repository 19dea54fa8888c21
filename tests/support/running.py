"""A running host for tests in this process, the manifests to give it, and requests to hosts in others."""

from __future__ import annotations

import http.client
import json

from jackfield.testing.running import Reply, RunningHost, send

__all__ = ["Reply", "RunningHost", "component", "converse_on", "get_on", "send"]


def component(name: str, type_name: str = "conversation.echo", *, extra: str = "", **items: str) -> str:
    """Write a component manifest; ``items`` become its metadata, ``extra`` further lines of ``spec``."""
    metadata = "".join(f"  - name: {key}\n    value: {json.dumps(value)}\n" for key, value in items.items())
    listing = f"  metadata:\n{metadata}" if metadata else ""
    return (
        f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n"
        f"spec:\n  type: {type_name}\n  version: v1\n{extra}{listing}"
    )


def converse_on(port: int, name: str, text: str, *, scrub: bool = False, **headers: str) -> Reply:
    """Say something over alpha2 to a component of a host that listens on a port."""
    said = {"messages": [{"ofUser": {"content": [{"text": text}]}}], "scrubPII": scrub}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        return send(connection, "POST", f"/v1.0-alpha2/conversation/{name}/converse", {"inputs": [said]}, **headers)
    finally:
        connection.close()


def get_on(port: int, path: str) -> Reply:
    """Get something from a host that listens on a port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        return send(connection, "GET", path)
    finally:
        connection.close()
