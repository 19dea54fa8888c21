"""The server: its methods, its limits, its life (contract sheet, section 2.1)."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from dapr.proto.runtime.v1 import ai_pb2, dapr_pb2, metadata_pb2
from google.protobuf import empty_pb2
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from jackfield.frontends import HostView
from jackfield_grpc.conversation import Conversations
from jackfield_grpc.guard import Guard, NotAvailable
from jackfield_grpc.health import Health
from jackfield_grpc.listening import bind
from jackfield_grpc.metadata import Metadata

__all__ = ["serve"]

_log = logging.getLogger("jackfield.grpc")
_DAPR = dapr_pb2.DESCRIPTOR.services_by_name["Dapr"].full_name
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 8_000),
    ("grpc.max_connection_idle_ms", 180_000),
)
"""daprd's: it pings every 10 s, takes pings 8 s apart, and ends a connection that was idle for 3 minutes."""
_AFTER_DRAIN = 1.0


@asynccontextmanager
async def serve(host: HostView) -> AsyncGenerator[None, None]:
    """Serve while the context lasts, and let running calls finish within the host's budget.

    Raises:
        ServiceFailed: the port can't be had.
    """
    # With the port shared, a second program on it would go unnoticed and take half of the calls. How long a reply may
    # be is for the client to say.
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", host.max_body_size), *_KEEPALIVE]
    server = grpc.aio.server(options=options)
    health = Health(host, frozenset({_DAPR, _HEALTH}))
    server.add_generic_rpc_handlers(
        (
            Guard(host.api_token),
            grpc.method_handlers_generic_handler(_DAPR, _dapr_methods(host)),
            grpc.method_handlers_generic_handler(_HEALTH, _health_methods(health)),
            grpc.method_handlers_generic_handler(reflection.SERVICE_NAME, _reflection_methods()),
            NotAvailable(),
        )
    )
    addresses = bind(server, host)
    await server.start()
    _log.info("serving gRPC", extra={"address": ", ".join(addresses)})
    try:
        yield
    finally:
        health.stop()
        # The host cuts off what is under a lease when its budget is used up: there is an error for it then.
        await server.stop(host.graceful_shutdown_seconds + _AFTER_DRAIN)


def _dapr_methods(host: HostView) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The methods that the Configuration lets be served."""
    conversations, metadata = Conversations(host), Metadata(host)
    methods = {
        ("conversation", "v1alpha1", "ConverseAlpha1"): _unary(conversations.alpha1, ai_pb2.ConversationRequest),
        ("conversation", "v1alpha2", "ConverseAlpha2"): _unary(conversations.alpha2, ai_pb2.ConversationRequestAlpha2),
        ("metadata", "v1", "GetMetadata"): _unary(metadata.get, metadata_pb2.GetMetadataRequest),
        ("metadata", "v1", "SetMetadata"): _unary(metadata.set, metadata_pb2.SetMetadataRequest),
        ("shutdown", "v1", "Shutdown"): _unary(metadata.shutdown, empty_pb2.Empty),
    }
    return {name: method for (api, version, name), method in methods.items() if host.allows(api, version, "grpc")}


def _health_methods(health: Health) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    read = health_pb2.HealthCheckRequest.FromString
    return {
        "Check": _unary(health.check, health_pb2.HealthCheckRequest),
        "Watch": grpc.unary_stream_rpc_method_handler(health.watch, read, _write),
    }


def _reflection_methods() -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
    """The methods with which a client asks for the API's files.

    grpcio's own way to add them registers them by name, and what is registered is found before the guard is asked.
    """
    services = (_DAPR, _HEALTH, reflection.SERVICE_NAME)
    servicer = reflection.aio.ReflectionServicer(services)  # type: ignore[attr-defined]  # public, by its own comment
    read = reflection_pb2.ServerReflectionRequest.FromString
    return {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(servicer.ServerReflectionInfo, read, _write),
    }


def _unary(method: Any, asked: type[Message]) -> grpc.RpcMethodHandler[Any, Any]:
    """Make a method that reads a message of a type; grpcio alone would log a traceback of each that is none."""

    def read(data: bytes) -> Message | DecodeError:
        try:
            return asked.FromString(data)
        except DecodeError as error:
            return error

    async def answer(sent: Message | DecodeError, context: Any) -> Any:
        if isinstance(sent, DecodeError):
            await context.abort(grpc.StatusCode.INTERNAL, f"the request is no {asked.DESCRIPTOR.full_name}")
        return await method(sent, context)

    return grpc.unary_unary_rpc_method_handler(answer, read, _write)


def _write(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
