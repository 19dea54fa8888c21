"""What the host finds: the routes of OpenAI's API."""

from __future__ import annotations

from jackfield import hookimpl
from jackfield.frontends import RegisterRoutes
from jackfield_openai_api.dialect import ChatCompletions
from jackfield_openai_api.models import Models, NotServed

__all__ = ["OpenAIAPI"]


class OpenAIAPI:
    """The plugin."""

    @hookimpl
    def register_routes(self, register: RegisterRoutes) -> None:
        """Register ``/v1/chat/completions`` and ``/v1/models``, and say what else there isn't."""
        register.conversation("/v1/chat/completions", ChatCompletions())
        models = Models()
        register.route("/v1/models", models)
        register.route("/v1/models/{model:path}", models)
        for path in ("/v1/completions", "/v1/embeddings", "/v1/responses"):
            register.route(path, NotServed(path), methods=("POST",))
