"""How daprd tells a caller what has nothing to do with conversation: a status with an ``ErrorInfo``."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

__all__ = ["NOT_AVAILABLE", "NO_TOKEN", "WRONG_TOKEN", "Refusal", "shortened"]

_LONGEST = 4096


class Refusal(NamedTuple):
    """A status, its text and its details as trailers."""

    code: grpc.StatusCode
    text: str
    trailers: tuple[tuple[str, str | bytes], ...]


def _refusal(code: grpc.StatusCode, http: HTTPStatus, cause: str) -> Refusal:
    info = error_details_pb2.ErrorInfo(
        reason=http.phrase,
        domain="dapr.io",
        metadata={"http.code": str(http.value), "http.error_message": cause},
    )
    detail = any_pb2.Any()
    detail.Pack(info)
    status = rpc_status.to_status(status_pb2.Status(code=code.value[0], message=http.phrase, details=[detail]))
    return Refusal(code, http.phrase, tuple(status.trailing_metadata))


NO_TOKEN = _refusal(grpc.StatusCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED, "missing api token in request metadata")
WRONG_TOKEN = _refusal(
    grpc.StatusCode.UNAUTHENTICATED, HTTPStatus.UNAUTHORIZED, "authentication error: api token mismatch"
)
NOT_AVAILABLE = _refusal(
    grpc.StatusCode.UNIMPLEMENTED, HTTPStatus.NOT_IMPLEMENTED, "requested endpoint is not available"
)


def shortened(text: str) -> str:
    """Cut a status text so that, percent-encoded, it fits a client's limit for headers, 8 KiB unless it says else."""
    encoded = 0
    for place, character in enumerate(text):
        encoded += (
            1 if character.isascii() and character.isprintable() else 3 * len(character.encode("utf-8", "replace"))
        )
        if encoded > _LONGEST:
            return text[:place] + "..."
    return text
