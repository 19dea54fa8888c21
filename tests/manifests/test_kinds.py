"""Which component types there are."""

# ruff: noqa: E501  (a message stands in one line, to be found by a search)
from __future__ import annotations

import pytest

from jackfield.manifests.documents import Document
from jackfield.manifests.kinds import check_type
from jackfield.manifests.reading import parse_document

REGISTERED = {"conversation.echo", "conversation.openai", "secretstores.local.env", "cache.redis"}


@pytest.mark.parametrize(
    ("type_name", "message"),
    [
        ("conversation.echo", None),
        ("conversation.OpenAI", None),
        ("secretstores.LOCAL.env", None),
        ("cache.redis", None),
        ("Conversation.echo", "the category of Conversation.echo must be in lower case; write conversation.echo"),
        ("Cache.redis", "the category of Cache.redis must be in lower case; write cache.redis"),
        ("conversation.ecko", "there is no component type conversation.ecko; did you mean conversation.echo?"),
        (
            "openai",
            "there is no component type openai; known are cache.redis, conversation.echo, conversation.openai, secretstores.local.env",
        ),
        ("conversatoin.openai", "there is no component type conversatoin.openai; did you mean conversation.openai?"),
        (
            "conversation.aws.bedrock",
            "there is no component type conversation.aws.bedrock, as its plugin is not installed; run `jackfield install jackfield-bedrock`",
        ),
        (
            "conversation.llamacpp",
            "there is no component type conversation.llamacpp, as its plugin is not installed; run `jackfield install jackfield-llamacpp`",
        ),
        ("conversation.ollamma", "there is no component type conversation.ollamma; did you mean conversation.ollama?"),
        (
            "secretstores.hashicorp.vault",
            "there is no component type secretstores.hashicorp.vault; known are secretstores.local.env",
        ),
    ],
)
def test_an_unknown_type_is_told_what_to_do(type_name: str, message: str | None) -> None:
    """An unknown type's error names the nearest one, the plugin that brings it, or those that are known."""
    text = f"apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: llm}}\nspec:\n  type: {type_name}\n"
    manifest = parse_document(Document(text, 1), file="f.yaml").manifest
    assert manifest is not None
    problem = check_type(manifest, REGISTERED)
    assert (str(problem) if problem else None) == (f"f.yaml:5: spec.type: {message}" if message else None)
