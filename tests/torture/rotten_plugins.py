"""The sources of plugins that misbehave in every way, as one distribution that is built and installed."""

from __future__ import annotations

from pathlib import Path

from built_plugin import install_built
from rotten_hooks import HOOKS

__all__ = ["BROKEN_AT_START", "HANGS", "NAMES", "install_rotten"]

_RAISE = '''
class Nameless(BaseException):
    """Neither an Exception nor one of Python's own; its text can't be shown."""

    def __str__(self):
        raise ValueError("not even this")

def fail(kind, text=""):
    import asyncio
    import builtins
    where = next(each for each in (globals(), vars(builtins), vars(asyncio)) if kind in each)
    raise where[kind](text)
'''

_GOOD = """
import os
from jackfield import Conversation, Delta, Finish, Result, Settings, TextPart, hookimpl

class Good(Conversation[Settings]):
    async def converse(self, request):
        return Result.of_text(f"{os.getpid()} {request.messages[-1].text}")

    async def stream(self, request):
        for piece in (str(os.getpid()), " ", request.messages[-1].text):
            yield Delta(TextPart(piece))
        yield Finish("stop")

@hookimpl
def register_components(register):
    register.conversation("conversation.good", Good)
"""

_PROVIDER = '''
import asyncio
import os
import sys
import time
from jackfield import Conversation, Delta, Finish, Result, Settings, TextPart, hookimpl
from jackfield_rotten.failing import fail

class RottenSettings(Settings):
    start: str = ""
    close: str = ""

async def misbehave(deed, kind, text):
    if deed == "raise":
        fail(kind, text)
    if deed == "block":
        end = time.monotonic() + float(kind)
        while time.monotonic() < end:
            time.sleep(0.01)
    if deed == "stick":
        while True:
            time.sleep(1)
    if deed == "exit":
        sys.exit(text)
    if deed == "die":
        os._exit(3)
    if deed == "leak":
        for _ in range(int(kind)):
            LEAKED.append(asyncio.get_running_loop().create_task(clinging(text)))

LEAKED = []

async def clinging(text):
    """Never ends, and doesn't want to be cancelled."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

class Rotten(Conversation[RottenSettings]):
    Settings = RottenSettings

    async def start(self):
        if self.settings.start == "hang":
            await asyncio.Event().wait()
        elif self.settings.start:
            fail(self.settings.start)

    async def close(self):
        if self.settings.close == "hang":
            await asyncio.Event().wait()
        elif self.settings.close:
            fail(self.settings.close)

    async def converse(self, request):
        deed, _, kind = request.messages[-1].text.split()[0].partition(":")
        await misbehave(deed, kind, request.messages[-1].text)
        return {"none": None, "text": "words", "number": 7, "class": Result}.get(
            kind if deed == "give" else "", Result.of_text("done"))

    async def stream(self, request):
        deed, _, kind = request.messages[-1].text.split()[0].partition(":")
        if deed.endswith("-later"):
            yield Delta(TextPart("one "))
            yield Delta(TextPart("two"))
            deed = deed.removesuffix("-later")
        await misbehave(deed, kind, request.messages[-1].text)
        if deed == "give":
            yield {"none": None, "text": "words", "number": 7, "class": Delta, "part": Delta("words")}[kind]
        if deed == "stop":
            return
        yield Delta(TextPart("done"))
        yield Finish("stop")

class Plain(Rotten):
    """Its stream is no generator."""

    def stream(self, request):
        return ["one", "two"]

@hookimpl
def register_components(register):
    register.conversation("conversation.rotten", Rotten)
    register.conversation("conversation.plain", Plain)
'''

_SERVICE = """
import asyncio
from contextlib import asynccontextmanager
from jackfield import hookimpl
from jackfield_rotten.failing import fail

@asynccontextmanager
async def service():
    {begin}
    yield
    {end}

@hookimpl
def run_service(host, scope):
    return service() if scope.once is {once} else None
"""

_BROKEN = {
    "import-raises": 'raise RuntimeError("at import")',
    "import-exits": "import sys; sys.exit(3)",
    "import-interrupts": "raise KeyboardInterrupt",
    "import-nameless": "from jackfield_rotten.failing import fail; fail('Nameless')",
    "import-generator-exit": "raise GeneratorExit",
    "import-misspelt": "def converse(:",
    "import-recursion": "def again(): again()\nagain()",
}
_BROKEN_HOOK = """
from jackfield import hookimpl
from jackfield_rotten.failing import fail

@hookimpl
def register_components(register):
    {body}
"""
BROKEN_AT_START = {
    **_BROKEN,
    **{
        name: _BROKEN_HOOK.format(body=body)
        for name, body in {
            "init-raises": 'fail("ValueError", "at registration")',
            "init-exits": 'fail("SystemExit", "at registration")',
            "init-interrupts": 'fail("KeyboardInterrupt")',
            "init-cancels": 'fail("CancelledError")',
            "init-number": 'register.conversation("conversation.number", 7)',
            "init-nameless": 'fail("Nameless")',
        }.items()
    },
    "hook-async": "from jackfield import hookimpl\n@hookimpl\nasync def register_components(register): pass",
    "hook-unknown": "from jackfield import hookimpl\n@hookimpl\ndef register_componets(register): pass",
}
"""Plugins that can't be used, by name; each has to be named with a reason, and nothing else may come of them."""

HANGS = "import-hangs"
"""A plugin whose import never ends; it is in none of ``NAMES``."""
_SERVICES = {
    "service-raises": _SERVICE.format(begin='fail("ValueError", "at start")', end="pass", once=True),
    "service-exits": _SERVICE.format(begin='fail("SystemExit", "at start")', end="pass", once=False),
    "service-nameless": _SERVICE.format(begin='fail("Nameless")', end="pass", once=False),
    "service-hangs-on": _SERVICE.format(begin="pass", end="await asyncio.Event().wait()", once=False),
    "service-ends-badly": _SERVICE.format(begin="pass", end='fail("KeyboardInterrupt")', once=False),
}
_WORKING = {
    "good": _GOOD,
    "providers": _PROVIDER,
    **HOOKS,
}
NAMES = (*BROKEN_AT_START, *_SERVICES, *_WORKING)
"""The names of all these plugins."""


def install_rotten(folder: Path) -> Path:
    """Build and install the plugins into an empty folder; returns the folder for ``PYTHONPATH``."""
    folder.mkdir()
    sources = {HANGS: "import time\nwhile True:\n    time.sleep(1)\n", **BROKEN_AT_START, **_SERVICES, **_WORKING}
    modules = {name: f"jackfield_rotten.{name.replace('-', '_')}" for name in sources}
    files = {f"{modules[name].replace('.', '/')}.py": text for name, text in sources.items()}
    files |= {"jackfield_rotten/__init__.py": "", "jackfield_rotten/failing.py": _RAISE}
    return install_built(folder, "rotten", files, modules)
