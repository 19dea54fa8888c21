"""The routes beside conversation: health, metadata and shutdown (contract sheet, section 3), and OpenAPI's document."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from jackfield.errors import BodyUnreadable
from jackfield.host import Host
from jackfield.http.body import ClientLeft, closing, read_body
from jackfield.http.client import ClientWatch, Lookout
from jackfield.http.openapi import openapi_document
from jackfield.metadata import metadata_document
from jackfield.serving.peers import NotShared

__all__ = ["OwnRoute", "service_routes"]


def service_routes(host: Host) -> list[Route]:
    """Make the routes of one host, but for those that its Configuration denies."""

    async def healthz(request: Request) -> Response:
        app_id = request.query_params.get("appid")
        if app_id is not None and app_id != host.options.app_id:
            return _error("ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match")
        missing = host.missing()
        if missing:
            return _error("ERR_HEALTH_NOT_READY", f"dapr is not ready: {missing}")
        return Response(status_code=204)

    async def outbound(_: Request) -> Response:
        return _outbound(host)

    async def metadata(_: Request) -> Response:
        return _json(msgspec.json.encode(metadata_document(host)) + b"\n")

    async def set_metadata(request: Request) -> Response:
        return await _set_metadata(host, request)

    async def openapi(_: Request) -> Response:
        return _json(document)

    async def shutdown(request: Request) -> Response:
        if request.headers.get("dapr-force-shutdown", "").lower() == "true":
            host.request_stop(force=True)
        else:
            host.request_stop()
        return Response(status_code=204)

    document = msgspec.json.encode(openapi_document(host.options))
    allows = host.options.configuration.allows
    deniable = {
        ("metadata", "metadata"): ("GET", metadata),
        ("metadata", "metadata/{key}"): ("PUT", set_metadata),
        ("shutdown", "shutdown"): ("POST", shutdown),
    }
    return [
        OwnRoute("/v1.0/healthz", healthz, methods=["GET"]),
        OwnRoute("/v1.0/healthz/outbound", outbound, methods=["GET"]),
        OwnRoute("/openapi.json", openapi, methods=["GET"]),
        *(
            OwnRoute(f"/v1.0/{route}", endpoint, methods=[method])
            for (api, route), (method, endpoint) in deniable.items()
            if allows(api, "v1", "http", route)
        ),
    ]


def _outbound(host: Host) -> Response:
    if host.services_tried:
        return Response(status_code=204)
    return _error("ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready")


async def _set_metadata(host: Host, request: Request) -> Response:
    watch = ClientWatch(Lookout(), request.receive, host.options.body_timeout)
    try:
        value = await read_body(request.receive, watch, announced=None, limit=host.options.max_body_size)
        await host.set_metadata(request.path_params["key"], value.decode())
    except (BodyUnreadable, ClientLeft, UnicodeDecodeError) as error:
        detail = error.message if isinstance(error, BodyUnreadable) else "the value is no UTF-8 text"
        refusal = _error("ERR_BODY_READ", detail, 400)
        refusal.raw_headers += closing(error, request.scope)
        return refusal
    except NotShared as error:
        return _error("ERR_METADATA_NOT_SHARED", str(error))
    finally:
        watch.stop()
    return Response(status_code=204)


class OwnRoute(Route):
    """A route that another method doesn't match at all: daprd has no 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is this route's."""
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL else (Match.NONE, {})


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status_code=status, media_type="application/json")


def _error(code: str, message: str, status: int = 500) -> Response:
    return _json(msgspec.json.encode({"errorCode": code, "message": message}), status)
