"""A plugin whose replies tell which manifest, process and instance gave them, and how its process stands."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from plugin_site import Site

__all__ = ["VITALS_PATH", "Told", "install_versioned", "told"]

VITALS_PATH = "/torture/vitals"

_PLUGIN = '''
import asyncio
import contextlib
import ctypes
import gc
import itertools
import json
import os
import sys
import threading
import weakref

from pydantic import model_validator

from jackfield import Conversation, ProviderError, Result, Settings, hookimpl

_NUMBERS = itertools.count(1)
_ALIVE = weakref.WeakSet()


class VersionedSettings(Settings):
    version: str
    start: str = ""
    twin: str

    @model_validator(mode="after")
    def same(self):
        """A manifest says its version first and last: one that was read in part has two of them."""
        if self.version != self.twin:
            raise ValueError("version and twin differ")
        return self


class Versioned(Conversation[VersionedSettings]):
    Settings = VersionedSettings

    def __init__(self, build):
        super().__init__(build)
        self.words = f"{build.name} {self.settings.version} {os.getpid()} {next(_NUMBERS)}"
        _ALIVE.add(self)

    async def start(self):
        if self.settings.start == "fails":
            raise OSError("this start fails")
        if self.settings.start == "hangs":
            await asyncio.Event().wait()

    async def converse(self, request):
        return Result.of_text(self.words)


class Other(Versioned):
    pass


class Stubborn(Versioned):
    """Always fails: the error tells how often it was tried, so it shows the policy that applied."""

    async def converse(self, request):
        name, _, pid, number = self.words.split()
        raise ProviderError(f"<{name} {request.record.attempts} {pid} {number}>", status=503)


def trim():
    """Have the C library give back pages that nothing is on; where it can't, resident memory counts them."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def vitals(scope, receive, send):
    gc.collect()
    trim()
    facts = {
        "pid": os.getpid(),
        "tasks": len(asyncio.all_tasks()),
        "pool": sum(thread.name.startswith(("asyncio_", "uvloop_")) for thread in threading.enumerate()),
        "instances": len(_ALIVE),
        "blocks": sys.getallocatedblocks(),
        "alive": sorted(one.words for one in _ALIVE),
    }
    body = json.dumps(facts).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@hookimpl
def register_components(register):
    register.conversation("conversation.versioned", Versioned)
    register.conversation("conversation.other", Other)
    register.conversation("conversation.stubborn", Stubborn)


@hookimpl
def register_routes(register):
    register.route("/torture/vitals", vitals)
'''


class Told(NamedTuple):
    """What a reply tells.

    Attributes:
        name: the component's name.
        version: its manifest's version; for a stubborn component, how often it was tried.
        pid: the worker's process.
        number: which of the worker's instances it was.
    """

    name: str
    version: str
    pid: int
    number: int


def install_versioned(folder: Path) -> Path:
    """Install the plugin into a folder of its own, which goes on the host's PYTHONPATH."""
    folder.mkdir()
    Site(folder).install("versioned", _PLUGIN)
    return folder


def told(text: str) -> Told:
    """Read a reply's text."""
    name, version, pid, number = text.split()
    return Told(name, version, int(pid), int(number))
