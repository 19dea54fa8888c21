"""The sources of plugins whose hooks, stages, stores, observers and routes misbehave; each by its name."""

from __future__ import annotations

__all__ = ["HOOKS"]

_STAGES = """
from jackfield import hookimpl
from jackfield_rotten.failing import fail

@hookimpl
def wrap_handler(build):
    if not build.name.startswith("wrapped-"):
        return None
    way = build.name.removeprefix("wrapped-")
    if way == "build":
        raise RuntimeError("this stage can't be built")
    if way == "number":
        return 7
    def stage(inner):
        async def handler(request):
            if way == "empty":
                return
            if way == "junk":
                yield "junk"
                return
            if way.startswith("before-"):
                fail(way.removeprefix("before-"), request.messages[-1].text)
            async for event in inner(request):
                yield event
            if way.startswith("after-"):
                fail(way.removeprefix("after-"), request.messages[-1].text)
        return 7 if way == "folded" else handler
    return stage
"""

_POLICIES = """
from jackfield import hookimpl
from jackfield_rotten.failing import fail

def ask(build, hook):
    name, _, kind = build.name.partition("-")
    if name == hook:
        fail(kind) if kind != "number" else None
        return 7
    return None

@hookimpl
def provide_scrubber(build):
    return ask(build, "scrubs")

@hookimpl
def provide_cache(build):
    return ask(build, "caches")

@hookimpl
def provide_router(build):
    return ask(build, "routes")
"""

_PARTS = """
import asyncio
from jackfield import CacheStore, RoutingStrategy, Scrubber, Settings, Span, hookimpl
from jackfield_rotten.failing import fail

class WaySettings(Settings):
    way: str

class Store(CacheStore[WaySettings]):
    Settings = WaySettings

    async def get(self, key):
        way = self.settings.way
        if way == "hang":
            await asyncio.Event().wait()
        if way in ("rubbish", "number"):
            return b"rubbish" if way == "rubbish" else 7
        fail(way, key)

    async def set(self, key, value, ttl):
        await self.get(key)

    async def lease(self, key, holder, seconds):
        await self.get(key)

    async def release(self, key, holder):
        await self.get(key)

class Finder(Scrubber[WaySettings]):
    Settings = WaySettings

    def find(self, text):
        way = self.settings.way
        if way == "beyond":
            return [Span(5, 10_000, "PERSON")]
        if way == "number":
            return 7
        if way == "texts":
            return ["PERSON"]
        fail(way, text)

class Strategy(RoutingStrategy):
    def order(self, request, targets):
        way = self.options["way"]
        if way == "empty":
            return []
        if way == "strangers":
            return ["somebody"]
        if way == "number":
            return 7
        fail(way, request.messages[-1].text)

@hookimpl
def register_components(register):
    register.cache_store("cache.rotten", Store)
    register.scrubber("scrubber.rotten", Finder)
    register.strategy("rotten", Strategy)
"""

_OBSERVERS = """
from jackfield import hookimpl
from jackfield_rotten.failing import fail

@hookimpl
def register_observers(register):
    for kind in ("ValueError", "SystemExit", "KeyboardInterrupt", "CancelledError", "Nameless"):
        register.request_finished(lambda record, kind=kind: fail(kind, record.component))
        register.catalog_changed(lambda change, kind=kind: fail(kind))
"""

_ROUTES = """
from jackfield import hookimpl
from jackfield.frontends import Dialect
from jackfield_rotten.failing import fail

class Speech:
    name = "rotten"
    success = 200

    def read(self, call):
        fail(call.body.decode().split()[0], call.body.decode())

    def refuse(self, error):
        raise ValueError("no words")

async def app(scope, receive, send):
    kind = scope["path"].rpartition("/")[2]
    if kind == "silent":
        return
    if kind == "junk":
        await send({"type": "junk"})
    if kind == "half":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        fail("ValueError", "after half of it")
    fail(kind, "in a route")

@hookimpl
def register_routes(register):
    register.route("/rotten/{kind}", app)
    register.conversation("/rotten-speech", Speech())
"""

HOOKS = {"stages": _STAGES, "policies": _POLICIES, "parts": _PARTS, "observers": _OBSERVERS, "routes": _ROUTES}
"""The plugins' sources by their names."""
