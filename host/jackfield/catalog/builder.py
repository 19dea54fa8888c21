"""Building: from a manifest to a component that can serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from jackfield.catalog.examine import Examined, Find, examine
from jackfield.catalog.instance import ConversationInstance, Instance, close_quietly
from jackfield.chain.handler import Handler, fold
from jackfield.chain.limits import Limits
from jackfield.chain.provider import ProviderHandler
from jackfield.chain.wishes import scrub_wishes
from jackfield.components import Build, Component, Conversation
from jackfield.durations import format_go
from jackfield.errors import JackfieldError, Problem
from jackfield.faults import is_fault
from jackfield.http.overrides import OverridePolicy
from jackfield.logs import frames
from jackfield.manifests.component import ComponentManifest
from jackfield.plugins.types import ComponentType, ComponentTypes
from jackfield.policies import PolicySettings

__all__ = ["Builder", "StartFailed", "redactor"]

_SHORTEST_SECRET = 4
"""Shorter texts are everywhere: taking them out would spoil every error text and hide nothing."""


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
    """

    types: ComponentTypes
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
        policies = decoded.settings[0] if isinstance(decoded.settings[0], PolicySettings) else PolicySettings()
        overrides = OverridePolicy.from_manifest(policies.request_overrides, policies.generation())
        build = Build(
            name=manifest.name,
            type_name=kind.name,
            settings=decoded.settings[-1],
            environment=self.environment,
            references=references.component,
        )
        component = await self._started(manifest, kind, build, redact)
        made: dict[str, Any] = {
            "manifest": manifest,
            "component": component,
            "fingerprint": fingerprint,
            "references": references.found,
        }
        instance = Instance(**made)
        if isinstance(component, Conversation):
            handler = _chain(component, policies, redact)
            instance = ConversationInstance(**made, handler=handler, overrides=overrides)
        return instance, (*examined.resolved.problems, *decoded.problems)

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

    async def _started(
        self, manifest: ComponentManifest, kind: ComponentType, build: Build[Any], redact: Callable[[str], str]
    ) -> Component[Any]:
        def failed(cause: str, fix: str = "") -> StartFailed:
            text = f"{kind.name} of plugin {kind.plugin} {cause}"
            return StartFailed(manifest.problem("", redact(text), fix))

        component: Component[Any] | None = None
        limit = asyncio.timeout(manifest.init_timeout)
        try:
            async with limit:
                component = kind.factory(build)
                await component.start()
        except BaseException as error:
            if component is not None:
                await close_quietly(component)
            if isinstance(error, TimeoutError) and limit.expired():
                fix = "raise spec.initTimeout if it needs longer"
                raise failed(f"did not start within {format_go(manifest.init_timeout)}", fix) from None
            if isinstance(error, JackfieldError | LookupError | OSError | ValueError):
                raise failed(f"could not start: {error}") from error
            if is_fault(error):
                raise failed(f"could not start: {type(error).__name__}: {error} (at {frames(error)})") from error
            raise
        return component


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


def _chain(component: Conversation[Any], policies: PolicySettings, redact: Callable[[str], str]) -> Handler:
    limits = None
    if policies.timeout or policies.max_concurrency:
        limits = Limits(timeout=policies.timeout, max_concurrency=policies.max_concurrency)
    innermost = ProviderHandler(component, limits=limits, redact=redact)
    return fold((scrub_wishes(policies.scrub_pii),), innermost)
