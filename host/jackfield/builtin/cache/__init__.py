"""The host's cache: keeps whole replies, and has identical requests that come together answered by one call."""

from __future__ import annotations

from jackfield import CacheStore, ChainBuild, RegisterComponents, Stage, hookimpl
from jackfield.builtin.cache.guard import Guard
from jackfield.builtin.cache.memory import MemoryStore
from jackfield.builtin.cache.stage import CacheHandler

__all__ = ["provide_cache", "register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register the store in memory; one of it serves all components whose manifest names no other."""
    register.cache_store("cache.memory", MemoryStore, default=True)


@hookimpl(trylast=True)
def provide_cache(build: ChainBuild) -> Stage | None:
    """Give the stage, for every component: a request may ask for caching that its manifest doesn't."""
    supply = build.supply(CacheStore, build.policies.cache, setting="cache")
    if supply is None:
        return None
    guard = Guard(supply)
    return lambda handler: CacheHandler(handler, build, guard)
