"""A reply cache in Redis or Valkey for Jackfield: the component type ``cache.redis``."""

from __future__ import annotations

from jackfield_redis.failures import StoreFailure
from jackfield_redis.settings import RedisSettings
from jackfield_redis.store import RedisStore

__all__ = ["RedisSettings", "RedisStore", "StoreFailure"]
