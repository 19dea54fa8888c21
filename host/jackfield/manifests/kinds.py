"""Which documents are manifests of this host, and which component types exist (contract sheet, 4.4 and 4.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.spelling import nearest

__all__ = ["API_VERSION", "COMPONENT", "RESILIENCY", "check_type", "skip_kind", "skip_type"]

API_VERSION = "dapr.io/v1alpha1"
COMPONENT = "Component"
RESILIENCY = "Resiliency"

_KINDS = (COMPONENT, RESILIENCY)
_PLURALS = {COMPONENT: "components", RESILIENCY: "Resiliency manifests"}

_OTHER_KINDS = {
    "Configuration": "name its file with --config",
    "HTTPEndpoint": "",
    "Subscription": "",
}
_OTHER_CATEGORIES = (
    "bindings.",
    "configuration.",
    "crypto.",
    "lock.",
    "middleware.",
    "nameresolution.",
    "pubsub.",
    "state.",
    "workflowbackend.",
)
_CATEGORIES = ("cache.", "conversation.", "scrubber.", "secretstores.")
_PLUGINS = {
    "cache.redis": "jackfield-redis",
    "conversation.anthropic": "jackfield-anthropic",
    "conversation.aws.bedrock": "jackfield-bedrock",
    "conversation.deepseek": "jackfield-deepseek",
    "conversation.echo": "jackfield-echo",
    "conversation.googleai": "jackfield-googleai",
    "conversation.huggingface": "jackfield-huggingface",
    "conversation.llamacpp": "jackfield-llamacpp",
    "conversation.mistral": "jackfield-mistral",
    "conversation.ollama": "jackfield-ollama",
    "conversation.openai": "jackfield-openai",
    "conversation.openrouter": "jackfield-openrouter",
    "scrubber.presidio": "jackfield-presidio",
}
"""The distribution that brings a type, as of November 2026. A plugin that is not listed is found by its own name."""
_SWITCHES = {"conversation.router": "--no-route"}
"""The options that take away a type of the host's own; so does ``--deny-plugins``."""


def skip_kind(api_version: str, kind: str, at: Problem) -> Problem | None:
    """Say why a document is no manifest of this host; None if it is a component or Resiliency manifest.

    Returns:
        A notice for a document of another kind; a warning where the kind looks misspelt; an error where half of
        ``apiVersion`` and ``kind`` is missing, as in a file that is being written.
    """
    if api_version == API_VERSION and kind in _KINDS:
        return None
    if not kind and not api_version:
        return replace(at, cause="the document has neither apiVersion nor kind and is skipped", severity="notice")
    if not kind and api_version == API_VERSION:
        return replace(at, field="kind", cause="is missing", fix="add `kind: Component`")
    if not api_version and kind in _KINDS:
        fix = f"add `apiVersion: {API_VERSION}`"
        return replace(at, field="apiVersion", cause="is missing", fix=fix)
    if kind in _KINDS:
        cause, fix = f"{api_version[:60]} is not an apiVersion of {_PLURALS[kind]}; skipped", f"write {API_VERSION}"
        return replace(at, field="apiVersion", cause=cause, fix=fix, severity="notice")
    cause = f"a document of kind {kind[:60] or '(none)'} is not a component; skipped"
    if api_version == API_VERSION and (near := nearest(kind, _KINDS, likeness=0.8)):
        return replace(at, field="kind", cause=cause, fix=f"did you mean {near}?", severity="warning")
    return replace(at, field="kind", cause=cause, fix=_OTHER_KINDS.get(kind, ""), severity="notice")


def skip_type(type_name: str, at: Problem) -> Problem | None:
    """Return a notice for a Dapr component that is neither a conversation nor a secret store; None for any other."""
    if not type_name.startswith(_OTHER_CATEGORIES):
        return None
    cause = f"{type_name[:60]} is of a category that this host doesn't serve; skipped"
    return replace(at, field="spec.type", cause=cause, severity="notice")


def check_type(manifest: ComponentManifest, registered: Collection[str]) -> Problem | None:
    """Check that a manifest's component type is registered.

    Args:
        manifest: the manifest.
        registered: the type names that plugins have registered, in lower case.

    Returns:
        None if the type is known; otherwise an error with the plugin to install, or with the nearest known name. The
        category is matched as written and the rest in any case, as in daprd.
    """
    type_key = manifest.type_key
    category = type_key.partition(".")[0] + "."
    categories = {*_CATEGORIES, *(name.partition(".")[0] + "." for name in registered)}
    if category in categories and not manifest.type_name.startswith(category):
        cause = f"the category of {manifest.type_name[:60]} must be in lower case"
        return manifest.problem("spec.type", cause, f"write {type_key}")
    if type_key in registered:
        return None
    cause = f"there is no component type {manifest.type_name[:60]}"
    if switch := _SWITCHES.get(type_key):
        return manifest.problem("spec.type", f"{cause}, as routing is switched off", f"start the host without {switch}")
    if plugin := _PLUGINS.get(type_key):
        cause += ", as its plugin is not installed"
        return manifest.problem("spec.type", cause, f"run `jackfield install {plugin}`")
    if near := nearest(type_key, {*registered, *_PLUGINS}):
        return manifest.problem("spec.type", cause, f"did you mean {near}?")
    kinds = sorted(name for name in registered if name.startswith(category)) or sorted(registered)
    return manifest.problem("spec.type", cause, f"known are {', '.join(kinds)}" if kinds else "")
