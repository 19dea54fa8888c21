"""Requests that are small on the wire and large when unpacked: HTTP unpacks none, gRPC unpacks to its limit."""

from __future__ import annotations

import gzip
from pathlib import Path

import grpc
import pytest
from dapr.proto.runtime.v1 import ai_pb2, dapr_pb2_grpc
from process import serving
from raw_http import converse_path, said
from running import RunningHost, component

MEBIBYTE = 1 << 20
BOMB = gzip.compress(said(" " * (16 * MEBIBYTE)), 1)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"])
def test_a_packed_body_is_not_unpacked(host: RunningHost, encoding: str) -> None:
    """A request body that says it is packed is read as it is: bytes that are no JSON, which is 400, and no more."""
    reply = host.request("POST", converse_path("echo"), BOMB, content_encoding=encoding)
    assert (reply.status, reply.json["errorCode"]) == (400, "ERR_MALFORMED_REQUEST")
    assert host.request("POST", converse_path("echo"), said("plain"), content_encoding=encoding).status == 200


def test_a_packed_grpc_message_is_unpacked_to_the_limit(tmp_path: Path) -> None:
    """A gRPC message that unpacks to more than the body limit is RESOURCE_EXHAUSTED, and takes no more memory."""
    (tmp_path / "echo.yaml").write_text(component("echo"))
    with serving(tmp_path) as process:
        address = process.wait_for(r'msg="serving gRPC".*?address=(\S+)')[1]
        with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
            stub = dapr_pb2_grpc.DaprStub(channel)  # type: ignore[no-untyped-call]
            sizes = {size: ai_pb2.ConversationInput(content="x" * (size * MEBIBYTE)) for size in (1, 80)}
            before = 0
            for size, content in sizes.items():
                asked = ai_pb2.ConversationRequest(name="echo", inputs=[content])
                call = stub.ConverseAlpha1.future(asked, compression=grpc.Compression.Gzip, timeout=30)
                wanted = grpc.StatusCode.OK if size == 1 else grpc.StatusCode.RESOURCE_EXHAUSTED
                assert call.code() == wanted
                before = before or process.peak_memory()
        assert process.peak_memory() - before < 50 * MEBIBYTE
