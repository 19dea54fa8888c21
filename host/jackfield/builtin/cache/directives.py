"""What a caller wants of the cache."""

from __future__ import annotations

from msgspec import Struct

from jackfield import ConversationRequest

__all__ = ["Directives", "read_directives"]


class Directives(Struct):
    """How one request uses the cache.

    Attributes:
        ttl: how long the reply is kept, in seconds, more than 0.
        refresh: call the provider even if a reply is kept.
        key: what the reply is kept under.
        ignored: what was left out of the request before it came here; that is its own, and not kept.
    """

    ttl: float
    refresh: bool = False
    key: str = ""
    ignored: tuple[str, ...] = ()


def read_directives(request: ConversationRequest, ttl: float) -> Directives | str:
    """Read the lifetime and the ``cache-control`` header (RFC 9111, section 5.2.1).

    Args:
        request: the request.
        ttl: how long its reply may be kept, by its own word or the manifest's.

    Returns:
        The directives, or why the cache is to be passed by.
    """
    if ttl <= 0:
        return "cacheTTL is 0"
    sent = request.headers.get("cache-control")
    if not sent:
        return Directives(ttl, ignored=request.record.ignored)
    names = {directive.partition("=")[0].strip().lower() for directive in sent.split(",")}
    if "no-store" in names:
        return "cache-control: no-store"
    return Directives(ttl, refresh="no-cache" in names, ignored=request.record.ignored)
