"""The plugin as the host finds it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pluggy

import jackfield_bedrock
from jackfield_bedrock import plugin


def test_entry_point() -> None:
    """The host finds the plugin under the name bedrock."""
    [entry] = entry_points(group="jackfield", name="bedrock")
    assert entry.load() is plugin


def test_registers_one_type() -> None:
    """The plugin registers conversation.aws.bedrock and nothing else."""
    registered: list[tuple[str, object]] = []

    class Register:
        """Keeps what is registered."""

        def conversation(self, type_name: str, cls: object) -> None:
            """Keep a type."""
            registered.append((type_name, cls))

    manager = pluggy.PluginManager("jackfield")
    manager.register(plugin)
    [implementation] = manager.get_hookcallers(plugin) or []
    implementation(register=Register())
    assert registered == [("conversation.aws.bedrock", jackfield_bedrock.BedrockConversation)]


def test_finding_it_is_cheap() -> None:
    """Looking for plugins doesn't load AWS's client or the HTTP client."""
    heavy = "{'aiobotocore', 'aiohttp', 'botocore', 'dateutil'}"
    code = f"import sys, jackfield_bedrock.plugin; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_public_names_exist() -> None:
    """Every name that the package promises is there."""
    assert [name for name in jackfield_bedrock.__all__ if not hasattr(jackfield_bedrock, name)] == []
