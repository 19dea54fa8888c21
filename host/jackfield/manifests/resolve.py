"""Give a manifest's items their values: secrets, variables and template tags (contract sheet, section 4.2)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jackfield.components import SecretStore
from jackfield.errors import JackfieldError, Problem
from jackfield.faults import is_fault
from jackfield.manifests.component import ComponentManifest, MetadataItem
from jackfield.manifests.environment import refusal
from jackfield.manifests.scalars import JSON

__all__ = ["Resolved", "ResolvedItem", "resolve"]

_TAG = re.compile(r"\{(uuid|podName|namespace|appID)\}")


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedItem:
    """One item of ``spec.metadata`` with its value.

    Attributes:
        item: the item as it stands in the manifest.
        value: text, or the JSON of a list or object; None for an item that has no value of any kind. A secret or a
            variable that isn't there gives the empty text.
        from_secret: true if the value must not be shown: it came from a secret or from the environment.
        unset: what isn't there, such as ``the environment variable X``; empty if the value is.
    """

    item: MetadataItem
    value: JSON = field(default=None, repr=False)
    from_secret: bool = False
    unset: str = ""

    @property
    def name(self) -> str:
        """The item's name as written."""
        return self.item.name

    @property
    def line(self) -> int:
        """The line on which the item begins."""
        return self.item.line


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A manifest's items with their values.

    Attributes:
        items: in the manifest's order.
        secrets: every text that came from a secret or from the environment, to be taken out of what others may read.
        problems: warnings, and an error where a template tag can't be filled in.
        waiting_for: the secret store that the manifest names and that isn't loaded. The component is to wait for it;
            its secrets are not resolved. Empty if there is none.
    """

    items: tuple[ResolvedItem, ...]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    problems: tuple[Problem, ...] = ()
    waiting_for: str = ""


async def resolve(
    manifest: ComponentManifest,
    *,
    stores: Callable[[str], SecretStore[Any] | None],
    environment: Mapping[str, str],
    app_id: str,
    namespace: str,
    pod_name: str = "",
) -> Resolved:
    """Resolve every item of a manifest; what is missing is a warning and leaves the item empty.

    Args:
        manifest: the manifest.
        stores: finds a loaded secret store by its component name.
        environment: where ``envRef`` looks, and ``DAPR_ENV_KEYS``, its allow-list.
        app_id: for ``{appID}`` and ``{namespace}``.
        namespace: for ``{namespace}``, which becomes ``namespace.appID``.
        pod_name: for ``{podName}``; empty if there is no pod.
    """
    resolver = _Resolver(manifest, stores, environment)
    tags = {"appID": app_id, "namespace": f"{namespace}.{app_id}", "podName": pod_name}
    items = [resolver.fill(await resolver.item(item), tags) for item in manifest.items]
    return Resolved(tuple(items), tuple(resolver.secrets), tuple(resolver.problems), resolver.waiting_for)


class _Resolver:
    """Resolves the items of one manifest, reading each secret once."""

    def __init__(
        self,
        manifest: ComponentManifest,
        stores: Callable[[str], SecretStore[Any] | None],
        environment: Mapping[str, str],
    ) -> None:
        self.problems: list[Problem] = []
        self.secrets: dict[str, None] = {}
        self.waiting_for = ""
        self._manifest = manifest
        self._stores = stores
        self._environment = environment
        self._read: dict[str, Mapping[str, str] | None] = {}

    async def item(self, item: MetadataItem) -> ResolvedItem:
        """Find an item's value: a secret that isn't empty, else its own value, else its environment variable."""
        if item.secret_name:
            if secret := await self._secret(item):
                return ResolvedItem(item, secret, from_secret=True)
            if not item.has_value and not item.env_ref:
                return ResolvedItem(item, "", from_secret=True, unset=f"the secret {item.secret_name}")
        if item.has_value:
            return ResolvedItem(item, item.value)
        if item.env_ref:
            text = self._variable(item)
            return ResolvedItem(item, text, True, "" if text else f"the environment variable {item.env_ref}")
        return ResolvedItem(item)

    def fill(self, item: ResolvedItem, tags: Mapping[str, str]) -> ResolvedItem:
        """Replace the template tags in an item's texts, and keep what is secret for the redaction list."""
        value = self._fill(item.value, item.item, tags)
        for text in (item.value, value) if item.from_secret else ():
            if isinstance(text, str) and text:
                self.secrets[text] = None
        return item if value is item.value else ResolvedItem(item.item, value, item.from_secret, item.unset)

    async def _secret(self, item: MetadataItem) -> str:
        manifest = self._manifest
        name = manifest.secret_store
        if not name:
            fix = "add `auth:` with `secretStore: ...`, the name of a secret store component, at the top level"
            self._empty(item, "refers to a secret, and the manifest names no secret store", fix)
            return ""
        store = self._stores(name)
        if store is None:
            self.waiting_for = name
            return ""
        if item.secret_name not in self._read:
            self._read[item.secret_name] = await self._fetch(store, item)
        entries = self._read[item.secret_name]
        if entries is None:
            return ""
        if item.secret_key not in entries:
            cause = f"the secret {item.secret_name!r} in the secret store {name} has no key {item.secret_key!r}"
            self._empty(item, cause, "mend secretKeyRef.key")
            return ""
        if not entries[item.secret_key]:
            cause = f"the secret {item.secret_name!r} in the secret store {name} is empty or not there"
            self._empty(item, cause, "set it")
        return entries[item.secret_key]

    async def _fetch(self, store: SecretStore[Any], item: MetadataItem) -> Mapping[str, str] | None:
        name = self._manifest.secret_store
        try:
            return await store.get(item.secret_name)
        except JackfieldError as error:
            cause = f"the secret {item.secret_name!r} can't be read from the secret store {name}: {error}"
            self._empty(item, cause, "")
        except BaseException as error:
            if not is_fault(error):
                raise
            # A store's fault is this item's, and its text may hold a secret.
            cause = f"the secret store {name} failed to give the secret {item.secret_name!r} ({type(error).__name__})"
            self._empty(item, cause, "see its component")
        return None

    def _variable(self, item: MetadataItem) -> str:
        name = item.env_ref
        if cause := refusal(name, self._environment):
            self._empty(item, cause, "")
            return ""
        text = self._environment.get(name)
        if not text:
            state = "not set" if text is None else "empty"
            self._empty(item, f"the environment variable {name} is {state}", f"set {name}")
        return text or ""

    def _empty(self, item: MetadataItem, cause: str, fix: str) -> None:
        effect = "keeps its own value" if item.has_value else "stays empty"
        cause = f"{effect}: {cause}"
        self.problems.append(self._manifest.problem(item.field, cause, fix, line=item.line, severity="warning"))

    def _fill(self, value: JSON, item: MetadataItem, tags: Mapping[str, str]) -> JSON:
        if isinstance(value, list):
            return [self._fill(entry, item, tags) for entry in value]
        if isinstance(value, dict):
            return {key: self._fill(entry, item, tags) for key, entry in value.items()}
        if not isinstance(value, str) or "{" not in value:
            return value
        if "{podName}" in value and not tags["podName"]:
            cause, fix = "refers to {podName}, and there is no pod name", "set the environment variable POD_NAME"
            self.problems.append(self._manifest.problem(item.field, cause, fix, line=item.line))
        return _TAG.sub(lambda tag: str(uuid.uuid4()) if tag[1] == "uuid" else tags[tag[1]], value)
