"""The one form in which replies are kept, and the key they are kept under."""

from __future__ import annotations

from hashlib import blake2b
from operator import attrgetter
from typing import TypeAlias

from msgspec import Struct, msgpack

from jackfield import ConversationRequest, Result

__all__ = ["LEFT_OUT", "Failed", "Kept", "decode", "encode", "key_of"]

LEFT_OUT = frozenset(
    {"component", "context_id", "cache_ttl", "default_cache_ttl", "stream", "reply_scrubbed", "headers", "record"}
)
"""The fields of a request that don't change its reply. Every other is in the key, those to come too. What the component
is comes in by its digest; ``reply_scrubber`` says whether the reply is scrubbed, and by what."""

_FIELDS = tuple(name for name in ConversationRequest.__struct_fields__ if name not in LEFT_OUT | {"metadata"})
_values = attrgetter(*_FIELDS)
_VERSION = 1
"""Of the kept form: replicas of different versions that share a store don't read each other's entries."""


class Kept(Struct, frozen=True, tag="kept"):
    """A whole reply.

    Attributes:
        result: the reply, already scrubbed if its request asked for that.
        at: when it was kept, in seconds of ``time.time``.
        served_by: the component whose provider gave it.
        ignored: the settings that the provider left out.
    """

    result: Result
    at: float
    served_by: str
    ignored: tuple[str, ...] = ()


class Failed(Struct, frozen=True, tag="failed"):
    """The call that others wait for has failed: they are to call for themselves. Kept for a second."""


Entry: TypeAlias = Kept | Failed
_encoder = msgpack.Encoder()
_decoder: msgpack.Decoder[Entry] = msgpack.Decoder(Entry)


def key_of(request: ConversationRequest, digest: str, partition: str) -> str:
    """Return the key of a request's reply.

    Args:
        request: after scrub-in, with all settings merged.
        digest: what the component is.
        partition: the value of the header by which the operator parts callers; empty without one.

    Raises:
        Exception: the request holds something that can't be written down.
    """
    # The order of metadata means nothing. That of a schema's keys may: a model writes its reply in that order.
    metadata = sorted(request.metadata.items()) if request.metadata else []
    written = _encoder.encode((_VERSION, digest, partition, _FIELDS, _values(request), metadata))
    return blake2b(written, digest_size=20).hexdigest()


def encode(entry: Entry) -> bytes:
    """Write an entry."""
    return _encoder.encode(entry)


def decode(value: bytes) -> Entry:
    """Read an entry.

    Raises:
        Exception: it is none.
    """
    return _decoder.decode(value)
