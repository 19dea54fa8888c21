"""``conversation.openai``: OpenAI, Azure OpenAI, and any compatible server (contract sheet, section 10.2)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import quote, urlsplit

from jackfield import Build, ConversationRequest
from jackfield_openai.component import CompatibleConversation
from jackfield_openai.defaults import AZURE_MODEL, OPENAI_ENDPOINT, OPENAI_MODEL
from jackfield_openai.dialect import COMPATIBLE, Dialect, older_azure, openai_dialect
from jackfield_openai.settings import OpenAISettings
from jackfield_openai.wire import ChatBody

__all__ = ["OpenAIConversation"]

_OPENAI_HOSTS: Final = (".openai.com", ".openai.azure.com")


class OpenAIConversation(CompatibleConversation[OpenAISettings]):
    """A component that OpenAI, Azure OpenAI or a compatible server answers for.

    OpenAI's own rules for models apply at OpenAI's and Azure's addresses. A server elsewhere gets what compatible
    servers have in common, whatever its models are called.
    """

    Settings = OpenAISettings
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"opaque": "the API hides its models' thinking and signs none of it"}
    )
    default_model: ClassVar[str] = OPENAI_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("OPENAI_MODEL",)
    default_endpoint: ClassVar[str] = OPENAI_ENDPOINT
    endpoint_variables: ClassVar[tuple[str, ...]] = ("OPENAI_BASE_URL", "OPENAI_API_BASE")

    def __init__(self, build: Build[OpenAISettings]) -> None:
        if build.settings.azure:
            self.model_variables = ("AZURE_OPENAI_MODEL",)  # type: ignore[misc]
            self.default_model = AZURE_MODEL  # type: ignore[misc]
        super().__init__(build)

    def url(self, model: str) -> str:
        """Return OpenAI's address, or that of Azure's deployment, which is named like the model."""
        if not self.settings.azure:
            return super().url(model)
        base = self.endpoint.removesuffix("/openai")
        version = quote(self.settings.api_version, safe="")
        return f"{base}/openai/deployments/{quote(model, safe='')}/chat/completions?api-version={version}"

    def headers(self) -> dict[str, str]:
        """Return the key as each of the two APIs wants it, and the organisation that the environment names."""
        if self.settings.azure:
            return {"api-key": self.settings.key.get_secret_value()}
        organization = self.environment.get("OPENAI_ORGANIZATION", "").strip()
        return super().headers() | ({"OpenAI-Organization": organization} if organization else {})

    def dialect(self, model: str) -> Dialect:
        """Return OpenAI's rules for its own models, or the common ground for another server's."""
        effort = self.settings.reasoning_effort
        if self.settings.azure:
            return older_azure(openai_dialect(model, effort), self.settings.api_version)
        host = "." + (urlsplit(self.endpoint).hostname or "")
        return openai_dialect(model, effort) if host.endswith(_OPENAI_HOSTS) else COMPATIBLE

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, with the manifest's reasoning effort, or none where tools would be refused otherwise."""
        body = super().body(request, model, stream=stream)
        effort = self.settings.reasoning_effort
        if not effort and body.tools is not None and not self.dialect(model).reasons_with_tools:
            effort = "none"
        body.reasoning_effort = effort or None
        return body
