"""The routes beside chat completions: the models there are, and the APIs there are not."""

from __future__ import annotations

from time import time
from typing import Any

from starlette.types import Receive, Scope, Send

from jackfield.frontends import ComponentNotFound, ComponentView, HostView, encode_json
from jackfield_openai_api.errors import Refused, refusal

__all__ = ["Models", "NotServed"]


class Models:
    """``GET /v1/models`` and ``GET /v1/models/{model}``: lists components as models; an ASGI app.

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
        await _send(send, status, body)

    def _model(self, component: ComponentView) -> dict[str, Any]:
        return {
            "id": component.name,
            "object": "model",
            "created": self._since,
            "owned_by": component.type_name,
        }


class NotServed:
    """Says of another of OpenAI's APIs that it isn't there, as clients that default to it would not guess why.

    Args:
        path: the API's path.
    """

    def __init__(self, path: str) -> None:
        self._refused = refusal(
            Refused(
                f"{path}: this host serves chat completions only; use /v1/chat/completions",
                code="unknown_url",
                status=404,
            )
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Answer one request."""
        await _send(send, self._refused.status, self._refused.body)


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
