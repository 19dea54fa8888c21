"""Building: from a manifest to a component that can serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from jackfield.catalog.chains import Chain, Chains, component_digest
from jackfield.catalog.examine import Examined, Find, examine
from jackfield.catalog.instance import ConversationInstance, Instance, close_quietly
from jackfield.components import Build, Component, Conversation
from jackfield.durations import format_go
from jackfield.errors import InvalidSetting, JackfieldError, ManifestError, NoSuchComponent, Problem
from jackfield.faults import is_fault, text_of
from jackfield.logs import frames
from jackfield.manifests.component import ComponentManifest
from jackfield.manifests.decode import Decoded
from jackfield.manifests.places import setting_problem
from jackfield.overrides import OverridePolicy
from jackfield.plugins.asking import HookFailed
from jackfield.plugins.types import ComponentTypes
from jackfield.policies import PolicySettings

__all__ = ["Builder", "StartFailed", "Unusable", "redactor", "refused_settings"]

_SHORTEST_SECRET = 4
"""Shorter texts are everywhere: taking them out would spoil every error text and hide nothing."""


class Unusable(ManifestError):
    """Settings that can be read can't be used.

    Args:
        manifest: where they stand.
        settings: which, and why.
        redact: takes the component's secrets out of a text.
    """

    def __init__(
        self, manifest: ComponentManifest, settings: Sequence[InvalidSetting], redact: Callable[[str], str]
    ) -> None:
        found = [setting_problem(manifest, setting) for setting in settings]
        super().__init__([replace(problem, cause=redact(problem.cause)) for problem in found])
        self.refused = frozenset(setting.name for setting in settings if isinstance(setting, NoSuchComponent))


class StartFailed(JackfieldError):
    """A component's manifest is in order, but the component could not be made or started; trying again may help."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class Builder:
    """Makes instances.

    Attributes:
        types: the component types that plugins registered.
        environment: the process's environment.
        app_id: fills the ``{appID}`` and ``{namespace}`` tags.
        namespace: the host's namespace, empty if it has none.
        chains: makes the chains of conversation components.
    """

    types: ComponentTypes
    chains: Chains = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    app_id: str = ""
    namespace: str = ""

    async def build(
        self, manifest: ComponentManifest, find: Find, serving: Instance | None = None
    ) -> tuple[Instance, tuple[Problem, ...]]:
        """Build a component, or find that the one that serves is the same.

        Args:
            manifest: what to build.
            find: gives another instance of the same snapshot, or None; it may raise to have a build awaited.
            serving: what serves under this name; returned as it is if nothing that matters has changed.

        Returns:
            The instance, holding a lease on each instance it refers to, and the manifest's warnings.

        Raises:
            ManifestError: the manifest is wrong; every problem is in it.
            StoreNotLoaded: the manifest names a secret store that isn't there.
            StartFailed: the component could not be made or started within its ``initTimeout``.
        """
        examined = await self.examine(manifest, find)
        references = examined.references
        fingerprint = _fingerprint(examined.resolved.secrets)
        try:
            if serving is not None and _unchanged(serving, manifest, fingerprint, find):
                references.release()
                return serving, tuple(examined.resolved.problems)
            return await self._make(examined, fingerprint)
        except BaseException:
            references.release()
            raise

    async def _make(self, examined: Examined, fingerprint: bytes) -> tuple[Instance, tuple[Problem, ...]]:
        manifest, kind, references = examined.manifest, examined.kind, examined.references
        decoded = examined.decode()
        redact = redactor(decoded.secrets)
        build = Build(
            name=manifest.name,
            type_name=kind.name,
            settings=decoded.settings[-1],
            environment=self.environment,
            references=references.component,
            plugin=kind.plugin,
        )
        component, chain = await self._started(examined, decoded, build, redact)
        instance: dict[str, Any] = {
            "manifest": manifest,
            "component": component,
            "fingerprint": fingerprint,
            "references": references.found,
        }
        problems = (*examined.resolved.problems, *decoded.problems)
        if chain is None:
            return Instance(**instance), problems
        policies = _policies(decoded)
        overrides = OverridePolicy.from_manifest(policies.request_overrides, policies.generation())
        return ConversationInstance(**instance, **chain._asdict(), overrides=overrides), problems

    async def examine(self, manifest: ComponentManifest, find: Find) -> Examined:
        """Do the part of a build that makes nothing; raises and takes what ``build`` does."""
        return await examine(
            manifest,
            find,
            types=self.types,
            environment=self.environment,
            app_id=self.app_id,
            namespace=self.namespace,
        )

    def fold(
        self,
        examined: Examined,
        decoded: Decoded,
        build: Build[Any],
        component: Component[Any],
        redact: Callable[[str], str],
    ) -> Chain | None:
        """Make the chain of a component; None for one that is no conversation.

        Raises:
            InvalidSetting: a stage can't use a setting; also several in an ``ExceptionGroup``.
            PluginError: a plugin's hook failed, or gave what can't be used.
        """
        if not isinstance(component, Conversation):
            return None
        items = [item for item in examined.resolved.items if not (item.from_secret or item.item.env_ref)]
        return self.chains.make(
            build,
            component,
            _policies(decoded),
            digest=component_digest(build, _fingerprint(decoded.secrets)),
            spec={item.name: item.value for item in items if item.value not in decoded.secrets},
            references=examined.references,
            redact=redact,
        )

    async def _started(
        self, examined: Examined, decoded: Decoded, build: Build[Any], redact: Callable[[str], str]
    ) -> tuple[Component[Any], Chain | None]:
        manifest, kind = examined.manifest, examined.kind

        def failed(cause: str, fix: str = "") -> StartFailed:
            text = f"{kind.name} of plugin {kind.plugin} {cause}"
            return StartFailed(manifest.problem("", redact(text), fix))

        component: Component[Any] | None = None
        limit = asyncio.timeout(manifest.init_timeout)
        try:
            async with limit:
                component = kind.factory(build)
                # What it refers to is looked up before it starts: another build may have to be awaited, and this one
                # done again.
                chain = self.fold(examined, decoded, build, component, redact)
                await component.start()
                self.chains.warm(_policies(decoded))
        except BaseException as error:
            if component is not None:
                await close_quietly(component)
            if isinstance(error, TimeoutError) and limit.expired():
                fix = "raise spec.initTimeout if it needs longer"
                raise failed(f"did not start within {format_go(manifest.init_timeout)}", fix) from None
            if refused := refused_settings(error):
                raise Unusable(manifest, refused, redact) from None
            if isinstance(error, HookFailed):
                raise StartFailed(manifest.problem("", redact(text_of(error)))) from error
            if isinstance(error, JackfieldError | LookupError | OSError | ValueError):
                raise failed(f"could not start: {text_of(error)}") from error
            if is_fault(error):
                raise failed(
                    f"could not start: {type(error).__name__}: {text_of(error)} (at {frames(error)})"
                ) from error
            raise
        return component, chain


def refused_settings(error: BaseException) -> tuple[InvalidSetting, ...]:
    """Return the settings that an error is about; none if it is about something else."""
    if isinstance(error, InvalidSetting):
        return (error,)
    if isinstance(error, ExceptionGroup):
        group, rest = error.split(InvalidSetting)
        if rest is None and group is not None:
            return tuple(one for one in group.exceptions if isinstance(one, InvalidSetting))
    return ()


def _policies(decoded: Decoded) -> PolicySettings:
    return decoded.settings[0] if isinstance(decoded.settings[0], PolicySettings) else PolicySettings()


def _unchanged(serving: Instance, manifest: ComponentManifest, fingerprint: bytes, find: Find) -> bool:
    return (
        serving.manifest.digest == manifest.digest
        and serving.fingerprint == fingerprint
        and all(find(reference.manifest.name) is reference for reference in serving.references)
    )


def _fingerprint(secrets: Iterable[str]) -> bytes:
    digest = blake2b(digest_size=16)
    for secret in sorted(secrets):
        digest.update(len(secret).to_bytes(8, "big") + secret.encode("utf-8", "surrogatepass"))
    return digest.digest()


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Make a function that replaces every secret in a text by ``***``, the longest first so that none shows in part."""
    wanted = sorted({secret for secret in secrets if len(secret.strip()) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in wanted:
            if secret in text:
                text = text.replace(secret, "***")
        return text

    return redact
