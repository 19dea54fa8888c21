"""The component type ``conversation.router`` and its settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from jackfield import Conversation, Settings, Target

__all__ = ["Router", "RouterSettings", "TargetSettings"]


class TargetSettings(Settings):
    """One entry of ``targets``."""

    name: Annotated[str, Field(min_length=1)] = Field(description="The component to ask.")
    weight: Annotated[float, Field(gt=0)] = Field(default=1.0, description="Its share among the others.")
    model: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The model to ask it for; absent for the component's own."
    )

    def target(self) -> Target:
        """The entry as strategies see it."""
        return Target(self.name, self.weight, self.model or "")


class RouterSettings(Settings):
    """What a manifest of the type may set."""

    targets: Annotated[list[TargetSettings], Field(min_length=1)] = Field(
        description="The conversation components to choose among, each with `name` and optionally `weight` and `model`."
    )
    strategy: Annotated[str, Field(min_length=1)] = Field(
        default="fallback", description="How to choose: `fallback`, `weighted`, `sticky` or one that a plugin brings."
    )
    strategy_options: dict[str, Any] = Field(default={}, description="Settings of the strategy.")


class Router(Conversation[RouterSettings]):
    """Answers through other components: its route stage does all there is to do."""

    Settings = RouterSettings
    has_provider = False
