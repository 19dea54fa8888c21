"""What all measurements ask: one conversation, in Dapr's API or OpenAI's, and the manifests it is asked of."""

from __future__ import annotations

import json

__all__ = ["ALPHA2", "ASKED", "alpha2", "completion", "long", "manifest"]

ALPHA2 = "/v1.0-alpha2/conversation/{}/converse"
ASKED = (
    ("System", "You are a helpful assistant that answers in one sentence."),
    ("User", "What is the capital of France, and since when? " * 4),
)
"""Who says what."""


def long(size: int) -> tuple[tuple[str, str], ...]:
    """Make a conversation whose text has ``size`` bytes."""
    sentence = "The committee met again after lunch and went through what was left of its agenda without much debate. "
    return (("User", (sentence * (size // len(sentence) + 1))[:size]),)


def alpha2(asked: tuple[tuple[str, str], ...]) -> bytes:
    """Ask in Dapr's API, second version."""
    messages = [{f"of{role}": {"content": [{"text": text}]}} for role, text in asked]
    return json.dumps({"inputs": [{"messages": messages}], "temperature": 0.5}).encode()


def completion(asked: tuple[tuple[str, str], ...], model: str) -> bytes:
    """Ask in OpenAI's API."""
    messages = [{"role": role.lower(), "content": text} for role, text in asked]
    return json.dumps({"model": model, "messages": messages, "temperature": 0.5}).encode()


def manifest(name: str, type_name: str = "conversation.openai", *, upstream: int = 0) -> str:
    """Write a component's manifest; with the port of an upstream, one that asks it."""
    head = (
        f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\n"
        f"spec:\n  type: {type_name}\n  version: v1\n"
    )
    if not upstream:
        return head
    items = {"key": "k", "endpoint": f"'http://127.0.0.1:{upstream}/v1'", "model": "gpt-4o"}
    lines = "".join(f"  - {{name: {key}, value: {value}}}\n" for key, value in items.items())
    return f"{head}  metadata:\n{lines}"
