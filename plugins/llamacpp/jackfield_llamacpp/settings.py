"""The settings of ``conversation.llamacpp``: what its manifests may say."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from jackfield import Settings
from jackfield_llamacpp.catalogue import find

__all__ = ["LlamaCppSettings"]


class LlamaCppSettings(Settings):
    """What a manifest of ``conversation.llamacpp`` may say, besides the settings that the host handles itself.

    ``parallel``, ``context_size``, ``threads`` and ``cache_ram_mib`` are the engine's own: components in which they and
    the file are equal share one engine.
    """

    model: str = Field(
        default="smollm2", description="A name of the built-in catalogue, which `jackfield pull` lists and fetches."
    )
    path: Path | None = Field(default=None, description="A GGUF file, instead of model. ~ is the home folder.")
    context_size: int = Field(
        default=2048, ge=128, le=1 << 20, description="Tokens that one conversation may have, its reply included."
    )
    parallel: int = Field(
        default=4, ge=1, le=64, description="Conversations answered at once; each has memory for contextSize tokens."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=512,
        description="Threads that compute; by default one per physical core that the process may use, at most 8.",
    )
    system_prompt: str | None = Field(
        default=None,
        description="Given to the model when a conversation has no system message; by default what suits the "
        "catalogue's model, and nothing for a path.",
    )
    cache_ram_mib: int = Field(
        default=64, ge=0, le=1 << 20, description="Memory for the beginnings of earlier conversations, in MiB."
    )
    max_queue: int = Field(
        default=64, ge=0, le=1 << 20, description="Requests that may wait for a slot; one more is refused at once."
    )

    @field_validator("model")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return find(value).name
        except LookupError as error:
            raise ValueError(f"{error}; for a GGUF file of your own use path") from None

    @model_validator(mode="after")
    def _one_source(self) -> LlamaCppSettings:
        if self.path is not None and "model" in self.model_fields_set:
            raise ValueError("model and path are both given; keep the one that is meant")
        return self
