"""Which manifests are meant for this app (contract sheet, section 4.4)."""

from __future__ import annotations

from jackfield.errors import Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.resiliency import ResiliencyManifest

__all__ = ["excluded"]


def excluded(manifest: ComponentManifest | ResiliencyManifest, *, app_id: str, namespace: str | None) -> Problem | None:
    """Return a notice if the manifest is meant for another namespace or other apps; None if it is meant for this one.

    Args:
        manifest: the manifest.
        app_id: this app's id.
        namespace: this app's namespace; None or empty accepts all, as does a manifest without one.
    """
    if namespace and manifest.namespace and manifest.namespace != namespace:
        cause = f"is left out: its namespace is {manifest.namespace}, this app's is {namespace}"
        return manifest.problem("metadata.namespace", cause, severity="notice")
    if manifest.scopes and app_id not in manifest.scopes:
        cause = f"is left out: the app id {app_id or '(none)'} is not among its scopes"
        return manifest.problem("scopes", cause, "see --app-id", severity="notice")
    return None
