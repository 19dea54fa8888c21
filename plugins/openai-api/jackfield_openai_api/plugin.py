"""What the host finds: the routes of OpenAI's API."""

from __future__ import annotations

from jackfield import hookimpl
from jackfield.frontends import RegisterRoutes
from jackfield_openai_api.dialect import ChatCompletions
from jackfield_openai_api.models import Models

__all__ = ["OpenAIAPI"]


class OpenAIAPI:
    """The plugin."""

    @hookimpl
    def register_routes(self, register: RegisterRoutes) -> None:
        """Register ``/v1/chat/completions`` and ``/v1/models``."""
        register.conversation("/v1/chat/completions", ChatCompletions())
        models = Models()
        register.route("/v1/models", models)
        register.route("/v1/models/{model:path}", models)
