"""The settings of ``conversation.llamacpp``: what its manifests may say."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from jackfield import Settings
from jackfield_llamacpp.catalogue import find

__all__ = ["LlamaCppSettings"]


class LlamaCppSettings(Settings):
    """What a manifest of ``conversation.llamacpp`` may say, besides the settings that the host handles itself.

    Attributes:
        model: a name of the built-in catalogue; ``jackfield pull`` lists it.
        path: a GGUF file, instead of ``model``. ``~`` is the home folder.
        context_size: tokens that one conversation may have, its reply included.
        parallel: conversations that the engine answers at once; each has a slot with memory of its own.
        threads: threads that compute; None for one per physical core that this process may use, at most 8.
        system_prompt: given to the model when a conversation has no system message; "" for none, and None for what the
            catalogue says is best for the model.
        cache_ram_mib: memory for the beginnings of earlier conversations, in MiB; 0 for none.
        max_queue: requests that may wait for a slot; one more is refused at once.
    """

    model: str = "smollm2"
    path: Path | None = None
    context_size: int = Field(default=2048, ge=128, le=1 << 20)
    parallel: int = Field(default=4, ge=1, le=64)
    threads: int | None = Field(default=None, ge=1, le=512)
    system_prompt: str | None = None
    cache_ram_mib: int = Field(default=64, ge=0, le=1 << 20)
    max_queue: int = Field(default=64, ge=0, le=1 << 20)

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
