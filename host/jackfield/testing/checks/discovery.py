"""Checks of what happens when a plugin is found: it is imported, and nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks

__all__ = ["DiscoveryChecks"]

_PROBE: Final = """
import json, sys
import jackfield.cli.group, jackfield.host, jackfield.builtin.modules, jackfield.upstream
asked = []
sys.addaudithook(lambda event, args: asked.append(event) if event in {"socket.connect", "socket.getaddrinfo"} else None)
before = {name.partition(".")[0] for name in sys.modules}
sys.path[:0] = json.loads(sys.argv[2])
__import__(sys.argv[1])
brought = {name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names)
print(json.dumps({"brought": sorted(brought), "asked": asked}))
"""


class DiscoveryChecks(Checks):
    """A host imports every plugin that is installed, also those that no manifest needs."""

    @check("importing the plugin imports nothing heavy and asks nobody", upstream=False)
    async def test_import_is_light(self) -> None:
        """Beyond what the host has, only the plugin's own package and other plugins' are imported; no network."""
        module = self.parts.module
        path = [entry for entry in sys.path if entry]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROBE, module, json.dumps(path),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        found = json.loads(out)
        assert not found["asked"], "the network is used while the plugin is imported"
        own = {module.partition(".")[0]}
        heavy = [name for name in found["brought"] if name not in own and not name.startswith(("jackfield_", "_"))]
        assert not heavy, f"imported at discovery; import it when the first component starts: {', '.join(heavy)}"
