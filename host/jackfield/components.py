"""What a plugin implements: a component is an instance of one of these classes, built from one manifest.

The host calls, in this order: the class with a ``Build``; ``start`` (both within the manifest's ``initTimeout``);
then requests, many at once; ``close`` once, when the last request that uses the instance has ended.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from jackfield.errors import NoSuchComponent
from jackfield.events import Event, Result
from jackfield.messages import ConversationRequest
from jackfield.settings import Settings

__all__ = ["Build", "Component", "Conversation", "SecretStore"]

SettingsT = TypeVar("SettingsT", bound=Settings)
ComponentT = TypeVar("ComponentT", bound="Component[Any]")
SettingsT_co = TypeVar("SettingsT_co", bound=Settings, covariant=True)


class References(Protocol):
    """How a build finds the other components its manifest names."""

    def __call__(self, name: str, kind: type[ComponentT], *, setting: str = "") -> ComponentT:
        """Return another component of the same snapshot; see ``Build.reference``."""


def _no_references(name: str, kind: type[ComponentT], *, setting: str = "") -> ComponentT:
    cause = f"there is no {kind.__name__} called {name!r}: this build has no other components"
    raise NoSuchComponent(name, setting, cause)


@dataclass(frozen=True)
class Build(Generic[SettingsT_co]):
    """All that a component is made from. A test of a plugin needs to give only the first three.

    Attributes:
        name: the component's name.
        type_name: its component type, such as ``conversation.openai``.
        settings: the decoded settings, of the class's own ``Settings`` type.
        environment: the process's environment, for providers that take defaults from it.
        references: how ``reference`` finds a component.
        plugin: the name of the plugin that brings the type, for the log.
    """

    name: str
    type_name: str
    settings: SettingsT_co
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    references: References = _no_references
    plugin: str = ""

    def reference(self, name: str, kind: type[ComponentT], *, setting: str = "") -> ComponentT:
        """Return the component called ``name`` of the same snapshot, and remember that this one depends on it.

        Args:
            name: the component's name.
            kind: what it must be.
            setting: the setting that names it, such as ``store`` or ``stores[1]``; a problem is shown at its line.

        Raises:
            NoSuchComponent: there is none, or it is of another kind.
        """
        return self.references(name, kind, setting=setting)


class Component(Generic[SettingsT]):
    """What all components have in common."""

    Settings: ClassVar[type[Settings]] = Settings
    """The pydantic model of this type's settings."""

    capabilities: tuple[str, ...] = ()
    """What Dapr's metadata document says of this component beside its type; most have nothing to say."""

    def __init__(self, build: Build[SettingsT]) -> None:
        self.name = build.name
        self.plugin = build.plugin
        self.settings = build.settings

    async def start(self) -> None:
        """Make ready: open pools, load models. Import heavy libraries here rather than at the top of the module.

        Raises:
            Exception: whatever keeps the component from working; the text is shown to the operator.
        """

    async def close(self) -> None:
        """Let go of everything. Called once, also after a ``start`` that failed."""


class Conversation(Component[SettingsT]):
    """A component that answers conversations. Implement ``converse``, ``stream`` or both; the host adapts the rest."""

    answers_each_input: ClassVar[bool] = False
    """True for a type without a model, which gives one choice per input where a request allows that."""

    takes_extra: ClassVar[bool] = False
    """True for a type that sends ``ConversationRequest.extra`` on; elsewhere a request that has some is refused."""

    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What the type can't do, by the conformance kit's names of capabilities, each with the reason.

    A request for ``tools`` or ``structured_output`` that it lacks is refused before it is asked.
    """

    default_model: ClassVar[str] = ""
    """The model that answers if nothing names one; empty for a type that needs a name, or has no model."""

    has_provider: ClassVar[bool] = True
    """False for a type that answers by its route stage alone, and implements neither ``converse`` nor ``stream``."""

    async def converse(self, request: ConversationRequest) -> Result:
        """Answer a request in one piece.

        Raises:
            RequestError: ``ProviderError``, ``InvalidParameters`` and their like. Anything else counts as a fault of
                the plugin, and its text is shown to nobody.
        """
        raise NotImplementedError

    def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request as it is written: ``Delta*``, one ``Finish`` per choice, then at most one ``Usage``.

        Raises:
            RequestError: as for ``converse``.
        """
        raise NotImplementedError


class SecretStore(Component[SettingsT]):
    """A component that other manifests read secrets from (``auth.secretStore`` with ``secretKeyRef``)."""

    async def get(self, name: str) -> Mapping[str, str]:
        """Return the entries of one secret, by key.

        Raises:
            SecretNotFound: there is none of that name.
        """
        raise NotImplementedError

    async def changed(self) -> bool:
        """Say whether secrets may have changed since the last call; the host then reads them again."""
        return False
