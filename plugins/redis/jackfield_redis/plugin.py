"""What the host finds: the component type ``cache.redis``."""

from __future__ import annotations

from jackfield import RegisterComponents, hookimpl
from jackfield_redis.store import RedisStore

__all__ = ["register_components"]


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``cache.redis``."""
    register.cache_store("cache.redis", RedisStore)
