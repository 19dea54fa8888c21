"""The plugin as the host finds it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pluggy
import pytest

import jackfield_redis
from jackfield_redis import plugin


def test_entry_point() -> None:
    """The host finds the plugin under the name redis."""
    [entry] = entry_points(group="jackfield", name="redis")
    assert entry.load() is plugin


def test_registers_one_type() -> None:
    """The plugin registers cache.redis and nothing else."""
    registered: list[tuple[str, object]] = []

    class Register:
        """Keeps what is registered."""

        def cache_store(self, type_name: str, cls: object) -> None:
            """Keep a type."""
            registered.append((type_name, cls))

    manager = pluggy.PluginManager("jackfield")
    manager.register(plugin)
    [implementation] = manager.get_hookcallers(plugin) or []
    implementation(register=Register())
    assert registered == [("cache.redis", jackfield_redis.RedisStore)]


@pytest.mark.parametrize(
    "code",
    [
        "import jackfield_redis.plugin",
        "from jackfield_redis import RedisSettings; RedisSettings(url='redis://host')",
        "import jackfield_redis.testing",
    ],
)
def test_finding_it_is_cheap(code: str) -> None:
    """Looking for plugins and checking manifests don't load the client."""
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print('redis' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"


def test_public_names_exist() -> None:
    """Every name that the package promises is there."""
    assert [name for name in jackfield_redis.__all__ if not hasattr(jackfield_redis, name)] == []
