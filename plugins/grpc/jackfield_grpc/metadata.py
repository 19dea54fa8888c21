"""``GetMetadata``, ``SetMetadata`` and ``Shutdown`` (contract sheet, sections 2.1 and 3)."""

from __future__ import annotations

from typing import Any, TypeAlias

import grpc
from dapr.proto.runtime.v1 import metadata_pb2
from google.protobuf import empty_pb2

from jackfield import JackfieldError
from jackfield.frontends import HostView
from jackfield_grpc.status import shortened

__all__ = ["Metadata"]

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Metadata:
    """Tells of the host what ``GET /v1.0/metadata`` tells, as far as Dapr's messages have a place for it.

    Args:
        host: the host.
    """

    def __init__(self, host: HostView) -> None:
        self._host = host

    async def get(self, _: metadata_pb2.GetMetadataRequest, __: Context) -> metadata_pb2.GetMetadataResponse:
        """Answer ``GetMetadata``."""
        document = self._host.metadata()
        return metadata_pb2.GetMetadataResponse(
            id=document.get("id", ""),
            runtime_version=document["runtimeVersion"],
            enabled_features=document.get("enabledFeatures", ()),
            registered_components=[
                metadata_pb2.RegisteredComponents(**component) for component in document.get("components", ())
            ],
            extended_metadata=document["extended"],
        )

    async def set(self, sent: metadata_pb2.SetMetadataRequest, context: Context) -> empty_pb2.Empty:
        """Answer ``SetMetadata``."""
        try:
            await self._host.set_metadata(sent.key, sent.value)
        except JackfieldError as error:
            await context.abort(grpc.StatusCode.INTERNAL, shortened(str(error)))
        return empty_pb2.Empty()

    async def shutdown(self, _: metadata_pb2.GetMetadataRequest, context: Context) -> empty_pb2.Empty:
        """Answer ``Shutdown``, and stop; at once if ``dapr-force-shutdown`` is ``true``."""
        sent = dict(context.invocation_metadata() or ())
        force = str(sent.get("dapr-force-shutdown", "")).lower() == "true"
        self._host.request_stop(force=force)
        return empty_pb2.Empty()
