"""The order of a component's stages, and the folding of its chain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from json import dumps
from typing import Any, NamedTuple, TypeVar

from jackfield.catalog.examine import References
from jackfield.catalog.standing import Standing
from jackfield.chain.build import ChainBuild, ScrubStages
from jackfield.chain.handler import Handler, Stage, fold
from jackfield.chain.limits import Limits
from jackfield.chain.provider import ProviderHandler
from jackfield.chain.supply import Supply
from jackfield.chain.wishes import generation_defaults, one_conversation, scrub_anew, scrub_wishes
from jackfield.components import Build, Component, Conversation
from jackfield.errors import InvalidSetting, InvokeError
from jackfield.events import Event
from jackfield.messages import ConversationRequest
from jackfield.overrides import override_name
from jackfield.plugins.asking import Provided, sound
from jackfield.plugins.manager import Plugins
from jackfield.policies import PolicySettings
from jackfield.resilience.registry import Resilience
from jackfield.resilience.stage import resilience_stage
from jackfield.scrubbing import Scrubber

__all__ = ["Chain", "Chains", "component_digest"]

ComponentT = TypeVar("ComponentT", bound=Component[Any])
_OFF = "none"


class Chain(NamedTuple):
    """A component's chain; see ``ConversationInstance``."""

    handler: Handler
    entry: Handler
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Chains:
    """Makes chains from what plugins provide.

    Attributes:
        plugins: are asked for stages.
        standing: has the default store and scrubber.
        resilience: says which timeouts, retries and breakers apply.
        wrap_order: names of plugins whose wrap stages come first, in this order.
    """

    plugins: Plugins
    standing: Standing
    resilience: Resilience
    wrap_order: tuple[str, ...] = ()

    def make(
        self,
        build: Build[Any],
        component: Conversation[Any],
        policies: PolicySettings,
        *,
        digest: str,
        spec: Mapping[str, Any],
        references: References,
        redact: Callable[[str], str],
    ) -> Chain:
        """Ask for a component's stages and fold them.

        Args:
            build: what the component was made from.
            component: the component.
            policies: the settings that are the same for every type.
            digest: see ``component_digest``.
            spec: the manifest's items by name.
            references: leases what stages refer to.
            redact: takes the component's secrets out of a text.

        Raises:
            InvalidSetting: a stage can't use a setting; also several in an ``ExceptionGroup``.
            PluginError: a plugin's hook failed, or gave what can't be used.
        """
        about = ChainBuild(
            name=build.name,
            type_name=build.type_name,
            component=component,
            policies=policies,
            digest=digest,
            spec=spec,
            environment=build.environment,
            strategies=self.plugins.strategies(),
            references=references.component,
            targets=references.target,
            supplies=self._supply,
        )
        parts = self._ask(about)
        resilience = resilience_stage(self.resilience.holder(build.name, is_router=not component.has_provider))
        # The order of all stages, outermost first. A router enters its targets at `entry`.
        if component.has_provider:
            provider = ProviderHandler(component, limits=_limits(policies), redact=redact)
            inputs = _nothing if component.answers_each_input else one_conversation
            core = fold((parts.route, inputs, parts.cache, parts.scrub_out, resilience), provider)
        else:
            _check_without_provider(about, parts)
            # Its targets scrub the reply, each with its own scrubber; one that its manifest names comes on top of that.
            # Its time limit is for all targets together.
            core = fold((*parts.scrub_on_top, resilience, parts.route), _nobody)
        wishes = scrub_wishes(policies.scrub_pii)
        entry = fold((generation_defaults(policies.generation()), wishes, parts.scrub_in), core)
        handler = fold((*parts.unscrubbed, wishes, parts.scrub_in, *parts.wraps), core)
        return Chain(handler, entry, parts.names)

    def warm(self, policies: PolicySettings) -> None:
        """Have the default scrubber started where a manifest enforces scrubbing; one it names has been already."""
        if policies.scrub_pii is not None and policies.scrubber is None:
            kind: type[Scrubber[Any]] = Scrubber
            self.standing.begin(kind)

    def _ask(self, build: ChainBuild) -> _Parts:
        policies, plugins = build.policies, self.plugins
        scrub: Provided[ScrubStages] | None = None
        cache: Provided[Stage] | None = None
        route: Provided[Stage] | None = None
        if policies.scrubber != _OFF:
            scrub = plugins.scrub_stages(build, named=policies.scrubber is not None)
        wraps = plugins.wrap_stages(build, self.wrap_order)
        if policies.router != _OFF:
            route = plugins.route_stage(build)
        if policies.cache != _OFF and build.component.has_provider:
            cache = plugins.cache_stage(build, named=policies.cache is not None)
        return _Parts(scrub, wraps, route, cache, build)

    def _supply(self, kind: type[ComponentT]) -> Supply[ComponentT] | None:
        return self.standing.supply(kind)


@dataclass(frozen=True)
class _Parts:
    """What the hooks gave for one component."""

    scrub: Provided[ScrubStages] | None
    all_wraps: tuple[Provided[Stage], ...]
    routed: Provided[Stage] | None
    cached: Provided[Stage] | None
    build: ChainBuild
    unscrubbed: tuple[Stage, ...] = field(init=False)
    wraps: tuple[Stage, ...] = field(init=False)

    def __post_init__(self) -> None:
        for name, wish in (("unscrubbed", True), ("wraps", False)):
            chosen = tuple(
                sound("wrap_handler", wrap, wrap.answer) for wrap in self.all_wraps if _sees_unscrubbed(wrap) is wish
            )
            object.__setattr__(self, name, chosen)

    @property
    def scrub_in(self) -> Stage:
        return sound("provide_scrubber", self.scrub, self.scrub.answer.scrub_in) if self.scrub else _nothing

    @property
    def scrub_out(self) -> Stage:
        return sound("provide_scrubber", self.scrub, self.scrub.answer.scrub_out) if self.scrub else _nothing

    @property
    def scrub_on_top(self) -> tuple[Stage, ...]:
        """What scrubs the reply of a component without a provider again; its targets still have to scrub theirs."""
        return (self.scrub_out, scrub_anew()) if self.scrub and self.build.policies.scrubber is not None else ()

    @property
    def route(self) -> Stage:
        return sound("provide_router", self.routed, self.routed.answer) if self.routed else _nothing

    @property
    def cache(self) -> Stage:
        return sound("provide_cache", self.cached, self.cached.answer) if self.cached else _nothing

    @property
    def names(self) -> tuple[str, ...]:
        """The stages in their order, for people to read."""
        listed = [f"wrap {wrap.plugin} (sees unscrubbed)" for wrap in self.all_wraps if _sees_unscrubbed(wrap)]
        listed += [f"scrub-in {self.scrub.plugin}"] if self.scrub else []
        listed += [f"wrap {wrap.plugin}" for wrap in self.all_wraps if not _sees_unscrubbed(wrap)]
        scrub_out = [f"scrub-out {self.scrub.plugin}"] if self.scrub else []
        if not self.build.component.has_provider:
            listed += scrub_out if self.scrub_on_top else []
            scrub_out = []
        listed += [f"route {self.routed.plugin}"] if self.routed else []
        listed += [f"cache {self.cached.plugin}"] if self.cached else []
        return tuple(listed + scrub_out)


def component_digest(build: Build[Any], secrets: bytes) -> str:
    """Digest what decides over a component's replies: its name, type and settings, but not its policies.

    Args:
        build: what it is made from.
        secrets: a digest of its secrets, which a dump of settings doesn't show.
    """
    settings = build.settings.model_dump(mode="json")
    facts = dumps([build.name, build.type_name, settings], sort_keys=True, default=str)
    return blake2b(facts.encode("utf-8", "surrogatepass") + secrets, digest_size=16).hexdigest()


def _sees_unscrubbed(wrap: Provided[Stage]) -> bool:
    return getattr(wrap.answer, "sees_unscrubbed", False) is True


def _nothing(handler: Handler) -> Handler:
    return handler


def _limits(policies: PolicySettings) -> Limits | None:
    if policies.timeout or policies.max_concurrency:
        return Limits(timeout=policies.timeout, max_concurrency=policies.max_concurrency)
    return None


def _check_without_provider(build: ChainBuild, parts: _Parts) -> None:
    """Refuse what a manifest without a provider sets to no effect.

    Raises:
        InvalidSetting: one such setting, or no stage that answers.
        ExceptionGroup: several such settings.
    """
    if parts.routed is None:
        cause = f"{build.type_name} answers by a route stage, and no plugin gives one"
        fix = "start the host without --no-route, and take out `router: none`"
        raise InvalidSetting("router", cause, fix)
    policies, cause = build.policies, f"has no effect, as {build.type_name} calls no provider itself"
    settings = (
        ("timeout", policies.timeout, "set it for the targets, or an outbound timeout in a Resiliency manifest"),
        ("maxConcurrency", policies.max_concurrency, "set it for the targets"),
        ("cache", policies.cache, "set it for the targets"),
        ("cachePartitionHeader", policies.cache_partition_header, "set it for the targets"),
    )
    refused = [InvalidSetting(name, cause, fix) for name, value, fix in settings if value is not None]
    if "model" in map(override_name, policies.request_overrides or ()):
        cause = f"can't allow model, as the targets of {build.type_name} choose their own models"
        fix = "take model out of the list, and let each target's `model` say which"
        refused.append(InvalidSetting("requestOverrides", cause, fix))
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise ExceptionGroup("the manifest sets what has no effect without a provider", refused)


async def _nobody(request: ConversationRequest) -> AsyncGenerator[Event, None]:
    """Stand where a provider would, behind a route stage that ought to answer."""
    raise InvokeError("the route stage let a request through, and there is no provider", component=request.component)
    yield
