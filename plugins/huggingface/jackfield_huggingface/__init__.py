"""``conversation.huggingface``: Hugging Face's router, and endpoints of one's own (contract sheet, section 10.2).

What the router understands is told by its reference of the task chat completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import quote

from jackfield import RegisterComponents, hookimpl
from jackfield_openai import CompatibleConversation, Dialect, KeyedSettings

__all__ = ["HuggingFaceConversation", "register_components"]

# Checked on 2026-11-23: the router takes the model from the body at one address for all providers. Dapr's address by
# model reaches only what Hugging Face runs itself, which is no longer chat with models as large as Dapr's default.
DEFAULT_MODEL: Final = "openai/gpt-oss-120b"
DEFAULT_ENDPOINT: Final = "https://router.huggingface.co/v1"

_PLACE: Final = "{{model}}"
_DIALECT: Final = Dialect(refused=frozenset({"top_k"}), metadata=False, retentions=(), most_choices=1)


class HuggingFaceConversation(CompatibleConversation[KeyedSettings]):
    """A component that a model of the Hugging Face Hub answers for."""

    Settings = KeyedSettings
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({"opaque": "the API signs nothing"})
    default_model: ClassVar[str] = DEFAULT_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("HUGGINGFACE_MODEL",)
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the router understands, whatever the model."""
        return _DIALECT

    def url(self, model: str) -> str:
        """Return the address, with the model where the endpoint has a place for it."""
        return super().url(model).replace(_PLACE, quote(model.partition(":")[0], safe="/"))


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.huggingface``."""
    register.conversation("conversation.huggingface", HuggingFaceConversation)
