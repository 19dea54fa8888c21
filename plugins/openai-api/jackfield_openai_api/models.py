"""``GET /v1/models`` and ``GET /v1/models/{model}``: the components that answer conversations."""

from __future__ import annotations

from time import time
from typing import Any

from starlette.types import Receive, Scope, Send

from jackfield.frontends import ComponentNotFound, ComponentView, HostView, encode_json
from jackfield_openai_api.errors import refusal

__all__ = ["Models"]


class Models:
    """Lists components as models; an ASGI app.

    A component that lets requests choose the provider's model is listed by its name alone: which models there are, the
    provider knows.
    """

    def __init__(self) -> None:
        self._since = int(time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Answer one request; the host is in the scope, and the path may name one."""
        host: HostView = scope["jackfield.host"]
        models = {
            component.name: self._model(component)
            for component in host.components()
            if component.type_name.startswith("conversation.")
        }
        wanted: str | None = scope["path_params"].get("model")
        status = 200
        if wanted is None:
            body = encode_json({"object": "list", "data": list(models.values())})
        elif wanted in models:
            body = encode_json(models[wanted])
        else:
            refused = refusal(ComponentNotFound(component=wanted))
            status, body = refused.status, refused.body
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _model(self, component: ComponentView) -> dict[str, Any]:
        return {
            "id": component.name,
            "object": "model",
            "created": self._since,
            "owned_by": component.type_name,
        }
