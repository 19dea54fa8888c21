"""The part of a build that makes nothing: a manifest's component type and the values of its items.

``jackfield check`` ends here, so that it says what ``jackfield serve`` would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

from jackfield.catalog.instance import ConversationInstance, Instance
from jackfield.chain.handler import Handler
from jackfield.components import Component, Conversation, SecretStore
from jackfield.errors import JackfieldError, ManifestError, NoSuchComponent, Problem
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.decode import Decoded, decode, inspect
from jackfield.manifests.kinds import check_type
from jackfield.manifests.resolve import Resolved, resolve
from jackfield.plugins.types import ComponentType, ComponentTypes
from jackfield.policies import PolicySettings
from jackfield.scrubbing import Scrubber
from jackfield.settings import Settings
from jackfield.stores import CacheStore

__all__ = ["Examined", "Find", "References", "StoreNotLoaded", "examine", "settings_classes"]

ComponentT = TypeVar("ComponentT", bound=Component[Any])
Find: TypeAlias = Callable[[str], Instance | None]
"""Gives another instance of the same snapshot, or None; it may raise to have a build awaited."""

_KINDS: Mapping[type[Component[Any]], tuple[str, str]] = MappingProxyType(
    {
        Conversation: ("conversation component", "conversation.*"),
        CacheStore: ("cache store", "cache.*"),
        Scrubber: ("scrubber", "scrubber.*"),
        SecretStore: ("secret store", "secretstores.*"),
    }
)
"""What each kind is called, and what its types begin with."""


class StoreNotLoaded(JackfieldError):
    """A manifest names a secret store that isn't there (yet); the component waits for it."""

    def __init__(self, store: str) -> None:
        super().__init__(store)
        self.store = store


class References:
    """What one build refers to: a lease on each instance, from the moment it is asked for.

    Args:
        find: finds an instance by its name.
    """

    def __init__(self, find: Find) -> None:
        self._find = find
        self._found: dict[str, Instance] = {}

    @property
    def found(self) -> tuple[Instance, ...]:
        """The instances that were asked for."""
        return tuple(self._found.values())

    def store(self, name: str) -> SecretStore[Any] | None:
        """Return a secret store; None if there is none of that name."""
        instance = self._look_for(name)
        if instance is None or not isinstance(instance.component, SecretStore):
            return None
        self._lease(name, instance)
        return instance.component

    def component(self, name: str, kind: type[ComponentT], *, setting: str = "") -> ComponentT:
        """Return another component.

        Raises:
            NoSuchComponent: there is none of that name and kind.
        """
        instance = self._named(name, setting)
        if not isinstance(instance.component, kind):
            raise _wrong_kind(instance, kind, setting)
        self._lease(name, instance)
        return instance.component

    def target(self, name: str, setting: str = "") -> Handler:
        """Return the chain of another conversation component, as a router enters it.

        Raises:
            NoSuchComponent: there is no conversation component of that name.
        """
        instance = self._named(name, setting)
        if not isinstance(instance, ConversationInstance):
            raise _wrong_kind(instance, Conversation, setting)
        self._lease(name, instance)
        return instance.entry

    def release(self) -> None:
        """Give all leases back: nothing has come of the build."""
        for instance in self._found.values():
            instance.release()
        self._found = {}

    def _named(self, name: str, setting: str) -> Instance:
        instance = self._look_for(name)
        if instance is None:
            fix = "add it, or mend it if its own manifest has a problem"
            raise NoSuchComponent(name, setting, f"there is no component {name}", fix)
        return instance

    def _look_for(self, name: str) -> Instance | None:
        """Find an instance; the same one again even if it has been replaced meanwhile."""
        return self._found.get(name) or self._find(name)

    def _lease(self, name: str, instance: Instance) -> None:
        if name not in self._found:
            instance.acquire()
            self._found[name] = instance


def _wrong_kind(instance: Instance, kind: type[Component[Any]], setting: str) -> NoSuchComponent:
    name, type_name = instance.manifest.name, instance.manifest.type_name
    wanted, types = _KINDS.get(kind, (kind.__name__, ""))
    fix = f"name a component of a type {types}" if types else ""
    return NoSuchComponent(name, setting, f"{name} is a {type_name}, not a {wanted}", fix)


@dataclass(frozen=True)
class Examined:
    """A manifest whose type is known and whose items have their values.

    Attributes:
        manifest: the manifest.
        kind: its component type.
        references: what it refers to so far; whoever examines takes over its leases.
        resolved: its items with their values.
    """

    manifest: ComponentManifest
    kind: ComponentType
    references: References
    resolved: Resolved

    def decode(self) -> Decoded:
        """Decode the settings; those of the component type are the last.

        Raises:
            ManifestError: a setting is wrong; every problem is in it.
        """
        before = self.resolved.problems
        try:
            decoded = decode(self.manifest, self.resolved, self._classes)
        except ManifestError as error:
            raise ManifestError([*before, *error.problems]) from None
        if any(problem.severity == "error" for problem in before):
            raise ManifestError([*before, *decoded.problems])
        return decoded

    def inspect(self) -> tuple[Problem, ...]:
        """Return the problems of ``decode``, as warnings those that are due to an unset secret or variable alone."""
        return (*self.resolved.problems, *inspect(self.manifest, self.resolved, self._classes))

    @property
    def _classes(self) -> tuple[type[Settings], ...]:
        return settings_classes(self.kind)


def settings_classes(kind: ComponentType) -> tuple[type[Settings], ...]:
    """The settings classes that a manifest of a type is decoded into; the type's own is the last."""
    return (PolicySettings, kind.settings) if issubclass(kind.cls, Conversation) else (kind.settings,)


async def examine(
    manifest: ComponentManifest,
    find: Find,
    *,
    types: ComponentTypes,
    environment: Mapping[str, str],
    app_id: str,
    namespace: str,
) -> Examined:
    """Find a manifest's component type and give its items their values.

    Args:
        manifest: the manifest.
        find: finds the secret store that it names.
        types: the component types there are.
        environment: for ``envRef`` and ``{podName}``.
        app_id: for ``{appID}``.
        namespace: for ``{namespace}``.

    Raises:
        ManifestError: there is no such type, or it can't be used.
        StoreNotLoaded: the manifest names a secret store that isn't there.
    """
    kind = _type(manifest, types)
    references = References(find)
    try:
        resolved = await resolve(
            manifest,
            stores=references.store,
            environment=environment,
            app_id=app_id,
            namespace=namespace,
            pod_name=environment.get("POD_NAME", ""),
        )
        if resolved.waiting_for:
            raise StoreNotLoaded(resolved.waiting_for)
    except BaseException:
        references.release()
        raise
    return Examined(manifest, kind, references, resolved)


def _type(manifest: ComponentManifest, types: ComponentTypes) -> ComponentType:
    problem = check_type(manifest, types.names)
    found = types.find(manifest.type_name)
    if problem is None and found is not None:
        return found
    cause = types.clash(manifest.type_name) or types.hint(manifest.type_name)
    if cause or problem is None:
        problem = manifest.problem("spec.type", cause)
    raise ManifestError([problem])
