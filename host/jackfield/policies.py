"""What the host itself reads from every conversation component's manifest, whatever its type."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from jackfield.messages import GenerationSettings
from jackfield.overrides import OverridePolicy
from jackfield.settings import Duration, Settings, StringList

__all__ = ["PolicySettings"]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _overridable(names: list[str]) -> list[str]:
    OverridePolicy.from_manifest(names)
    return names


class PolicySettings(Settings):
    """Settings that every conversation component has, beside its type's own."""

    response_cache_ttl: Annotated[Duration, Field(ge=0)] | None = Field(
        default=None,
        validation_alias=AliasChoices("responseCacheTTL", "cacheTTL"),
        description="How long a reply may be kept and given again; absent or 0 switches the cache off.",
    )
    cache: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The `cache.*` component to keep replies in, or `none` for no cache at all."
    )
    cache_partition_header: Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")] | None = Field(
        default=None,
        description="A request header, such as a tenant's: each of its values has cached replies of its own.",
    )
    scrubber: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="The `scrubber.*` component to scrub with, or `none` for no scrubber at all."
    )
    router: Literal["none"] | None = Field(
        default=None, description="`none` keeps a plugin from routing this component's requests."
    )
    scrub_pii: Annotated[Literal["input", "output", "both"], BeforeValidator(_lower)] | None = Field(
        default=None,
        validation_alias="scrubPII",
        description="Scrub what goes in, what comes out, or both, whether or not a request asks for it.",
    )
    request_overrides: Annotated[StringList, AfterValidator(_overridable)] | None = Field(
        default=None,
        description="The settings a request may override; all generation settings but not `model` by default.",
    )
    timeout: Annotated[Duration, Field(gt=0)] | None = Field(
        default=None,
        description="The longest wait for a whole reply, or for the first and each further event of a streamed one.",
    )
    max_concurrency: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="How many calls of the provider may run at once; further ones wait."
    )
    temperature: Annotated[float, Field(ge=0)] | None = Field(default=None, description="Default for requests.")
    max_tokens: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Default for requests.")
    top_p: Annotated[float, Field(ge=0, le=1)] | None = Field(default=None, description="Default for requests.")
    top_k: Annotated[int, Field(ge=1)] | None = Field(default=None, description="Default for requests.")
    stop: StringList | None = Field(default=None, description="Default for requests.")
    seed: int | None = Field(default=None, description="Default for requests.")
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(
        default=None, description="Default for requests."
    )
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = Field(
        default=None, description="Default for requests."
    )

    def generation(self) -> GenerationSettings:
        """The generation settings of the manifest, which a request's own are laid over."""
        return GenerationSettings(
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            top_p=self.top_p,
            top_k=self.top_k,
            stop=tuple(self.stop) if self.stop is not None else None,
            seed=self.seed,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
        )
