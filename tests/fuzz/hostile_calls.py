"""Calls of gRPC as no client should make them: each ends with a code that Dapr has for it, and in time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import add
from typing import Any

import grpc
from dapr.proto.runtime.v1 import ai_pb2
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from hypothesis import strategies as st
from nasty import edited, mutated_json, texts
from request_samples import ALPHA1, ALPHA2, NAMES

__all__ = ["Calling", "calls", "grpc_addresses"]

CODES = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"})
PATIENCE = 10.0


class Calling:
    """A gRPC channel to a host.

    Args:
        address: of its gRPC port.
    """

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def call(self, example: tuple[str, bytes]) -> str:
        """Call a method with bytes."""
        method, data = example
        raw = self._channel.unary_unary(f"/dapr.proto.runtime.v1.Dapr/{method}", None, None)
        try:
            raw(data, timeout=PATIENCE)
        except grpc.RpcError as error:
            code: str = error.code().name
            text: str = error.details() or ""
            assert "Traceback" not in text
            assert code in CODES, (code, text)
            # daprd's own code for a component that isn't there, and grpc-go's for bytes that are no message
            told = "is no dapr.proto" in text or "failed finding conversation component" in text
            assert code != "INTERNAL" or told, text
            return code
        return "OK"


def _message(kind: type[Message], body: Any) -> bytes:
    """Write what a body's fields come to as a message; those that it can't hold are left out."""
    message = kind()
    for name, value in body.items() if isinstance(body, dict) else ():
        try:
            message.MergeFrom(ParseDict({name: value}, kind(), ignore_unknown_fields=True))
        except (ParseError, TypeError, ValueError, AttributeError, RecursionError):
            continue
    if not isinstance(body, dict) or "name" not in body:
        message.MergeFrom(ParseDict({"name": "echo"}, kind()))
    return message.SerializeToString()


@st.composite
def fields(draw: st.DrawFn, depth: int = 3) -> bytes:
    """Draw bytes in protobuf's wire format: fields of any number and type."""
    out = b""
    for _ in range(draw(st.integers(0, 5))):
        number, kind = draw(st.integers(1, 20)), draw(st.sampled_from([0, 1, 2, 2, 2, 5, 3, 4, 7]))
        out += (
            bytes([number << 3 & 0x7F | kind])
            if number < 16
            else bytes([(number << 3 & 0x7F) | 0x80 | kind, number >> 4])
        )
        if kind == 0:
            out += draw(st.binary(min_size=1, max_size=11))
        elif kind in {1, 5}:
            out += draw(st.binary(min_size=4, max_size=8))
        elif kind == 2:
            inner = (
                draw(fields(depth - 1))
                if depth and draw(st.booleans())
                else draw(texts(20)).encode() or draw(st.binary(max_size=9))
            )
            length = len(inner) + draw(st.sampled_from([0, 0, 0, 0, 0, 1, -1, 100]))
            out += bytes([max(0, min(length, 127))]) + inner
    return out


def calls() -> st.SearchStrategy[tuple[str, bytes]]:
    kinds: dict[str, tuple[type[Message], tuple[dict[str, Any], ...]]] = {
        "ConverseAlpha1": (ai_pb2.ConversationRequest, ALPHA1),
        "ConverseAlpha2": (ai_pb2.ConversationRequestAlpha2, ALPHA2),
    }
    drawn = []
    for method, (kind, bodies) in kinds.items():
        sources = tuple(_message(kind, body) for body in bodies)
        other = mutated_json(bodies, names=NAMES).map(partial(_message, kind))
        more = fields().map(partial(add, sources[0]))
        drawn += [st.tuples(st.just(method), data) for data in (other, other, more, edited(sources), fields())]
    anything = st.tuples(st.sampled_from(["SetMetadata", "GetMetadata", *kinds]), st.binary(max_size=200) | fields())
    return st.one_of(*drawn, anything)


@contextmanager
def grpc_addresses() -> Iterator[list[str]]:
    """Collect the addresses at which gRPC servers say they listen."""
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "serving gRPC":
                told.append(vars(record)["address"])

    log, listener = logging.getLogger("jackfield.grpc"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield told
    finally:
        log.removeHandler(listener)
        log.setLevel(before)
