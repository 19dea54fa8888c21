"""What the hooks that make a component's stages are given, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from jackfield.chain.handler import Handler, Stage
from jackfield.chain.supply import Supply
from jackfield.components import Component, Conversation, References
from jackfield.policies import PolicySettings
from jackfield.routing import RoutingStrategy

__all__ = ["ChainBuild", "ScrubStages", "Supplies"]

ComponentT = TypeVar("ComponentT", bound=Component[Any])


class ScrubStages(NamedTuple):
    """The two stages of a scrubber; a ``Stage`` that has nothing to do returns its argument.

    Attributes:
        scrub_in: the outermost of a component's stages: it masks what is marked before anything else sees it.
        scrub_out: stands inside the cache: what is kept is masked already.
    """

    scrub_in: Stage
    scrub_out: Stage


class Supplies(Protocol):
    """How a build finds the component of a kind that applies where its manifest names none."""

    def __call__(self, kind: type[ComponentT]) -> Supply[ComponentT] | None:
        """Return the default component of a kind; see ``ChainBuild.supply``."""


@dataclass(frozen=True, kw_only=True)
class ChainBuild:
    """A conversation component whose stages are being made. The component has not been started yet.

    Attributes:
        name: the component's name.
        type_name: its component type.
        component: the plugin's object.
        policies: the manifest's settings that are the same for every type.
        digest: what the component is, in a short text: its name, type, settings and secrets. What ``policies`` change
            of a reply is in the request.
        spec: the manifest's items by name, without those that come from secrets or variables.
        environment: the process's environment.
        strategies: the routing strategies that plugins registered, by name.
    """

    name: str
    type_name: str
    component: Conversation[Any]
    policies: PolicySettings
    digest: str
    spec: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    strategies: Mapping[str, type[RoutingStrategy]] = field(default_factory=dict)
    references: References = field(repr=False)
    targets: Callable[[str, str], Handler] = field(repr=False)
    supplies: Supplies = field(repr=False)

    def reference(self, name: str, kind: type[ComponentT], *, setting: str = "") -> ComponentT:
        """Return another component of the same snapshot, as ``Build.reference`` does.

        Raises:
            NoSuchComponent: there is none, or it is of another kind.
        """
        return self.references(name, kind, setting=setting)

    def target(self, name: str, *, setting: str = "") -> Handler:
        """Return the chain of another conversation component: from its scrub-in on, without its wrap stages.

        Args:
            name: the component's name.
            setting: the setting that names it; a problem is shown at its line.

        Raises:
            NoSuchComponent: there is none, or it is no conversation component.
        """
        return self.targets(name, setting)

    def supply(self, kind: type[ComponentT], name: str | None, *, setting: str = "") -> Supply[ComponentT] | None:
        """Return the component of a kind that a manifest names, or else the default one.

        Args:
            kind: ``CacheStore`` or ``Scrubber``.
            name: the component's name; None if the manifest names none.
            setting: the setting that names it; a problem is shown at its line.

        Returns:
            The component; None if none is named and no plugin brings a default.

        Raises:
            NoSuchComponent: there is none of that name, or it is of another kind.
            InvalidSetting: several plugins bring a default.
        """
        return self.supplies(kind) if name is None else Supply(self.reference(name, kind, setting=setting))
