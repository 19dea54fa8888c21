"""``conversation.router``: a component whose requests other components answer, and the strategies to choose by."""

from __future__ import annotations

from jackfield import (
    ChainBuild,
    Handler,
    InvalidSetting,
    RegisterComponents,
    RoutingStrategy,
    Stage,
    Target,
    hookimpl,
)
from jackfield.builtin.route.component import Router, RouterSettings
from jackfield.builtin.route.stage import RouteHandler
from jackfield.builtin.route.strategies import Fallback, Sticky, Weighted

__all__ = ["Router", "provide_router", "register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register the type and the strategies."""
    register.conversation("conversation.router", Router)
    register.strategy("fallback", Fallback)
    register.strategy("weighted", Weighted)
    register.strategy("sticky", Sticky)


@hookimpl(trylast=True)
def provide_router(build: ChainBuild) -> Stage | None:
    """Give a router its route stage; any other component answers itself.

    Raises:
        InvalidSetting: a target isn't there, or the strategy can't be used; several in an ``ExceptionGroup``.
    """
    if not isinstance(build.component, Router):
        return None
    settings: RouterSettings = build.component.settings
    refused: list[InvalidSetting] = []
    targets = _targets(build, settings, refused)
    strategy = _strategy(build, settings, refused)
    if len(refused) == 1:
        raise refused[0]
    if strategy is None or refused:
        raise ExceptionGroup("the router's settings can't be used", refused)
    handler = RouteHandler(
        build.name,
        targets,
        strategy,
        strategy_name=settings.strategy,
        default_cache_ttl=build.policies.response_cache_ttl,
    )
    return lambda _: handler


def _targets(build: ChainBuild, settings: RouterSettings, refused: list[InvalidSetting]) -> dict[Target, Handler]:
    targets: dict[Target, Handler] = {}
    seen: set[tuple[str, str]] = set()
    for index, entry in enumerate(settings.targets):
        target, setting = entry.target(), f"targets[{index}].name"
        if (target.name, target.model) in seen:
            cause = f"{target.name} is a target twice" + (f", with the model {target.model}" * bool(target.model))
            refused.append(InvalidSetting(setting, cause, "give one of them the weight of both"))
            continue
        seen.add((target.name, target.model))
        try:
            targets[target] = build.target(target.name, setting=setting)
        except InvalidSetting as error:
            refused.append(error)
    return targets


def _strategy(build: ChainBuild, settings: RouterSettings, refused: list[InvalidSetting]) -> RoutingStrategy | None:
    kind = build.strategies.get(settings.strategy)
    if kind is None:
        known = ", ".join(sorted(build.strategies))
        refused.append(InvalidSetting("strategy", f"there is no strategy {settings.strategy}", f"known are {known}"))
        return None
    try:
        return kind(settings.strategy_options)
    except ValueError as error:
        refused.append(InvalidSetting("strategyOptions", str(error)))
        return None
