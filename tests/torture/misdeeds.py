"""What is asked of plugins that misbehave, and what the docs say a caller gets then."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias

from figures import BrokenPromiseError
from running import Reply, component, send
from sse_reply import events_of

__all__ = ["DEEDS", "DYING", "PRIVATE", "Deed", "failing_components", "manifests"]

Outcome: TypeAlias = Literal["refused", "broken off", "served", "lost"]
"""An error with its code; a stream that ends with the event ``error``; a reply; a connection that breaks."""
PRIVATE = "a-person's-words"
"""Goes with every request, and must not be in the log."""
_KINDS = (
    "ValueError",
    "MemoryError",
    "RecursionError",
    "StopIteration",
    "StopAsyncIteration",
    "SystemExit",
    "KeyboardInterrupt",
    "CancelledError",
    "GeneratorExit",
    "Nameless",
)
_JUNK = ("none", "text", "number", "class")
_HOOKED = ("ValueError", "SystemExit", "KeyboardInterrupt", "Nameless", "number")
_PATIENCE = 30.0


@dataclass(frozen=True)
class Deed:
    """One request.

    Attributes:
        name: the component, or the path where it begins with a slash.
        text: what it is to do.
        outcome: what the caller gets.
        streams: a stream is wanted.
        plugin: what the log has to name; empty where nothing has to be in the log.
    """

    name: str
    text: str
    outcome: Outcome = "refused"
    streams: bool = False
    plugin: str = "providers"

    def __str__(self) -> str:
        return f"{self.name} told to {self.text}{', streamed' if self.streams else ''}"

    def do(self, port: int) -> None:
        """Send the request and look at what comes.

        Raises:
            BrokenPromiseError: something else came than what the docs say.
        """
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            reply = self._sent(connection)
        except (OSError, http.client.HTTPException) as error:
            if self.outcome != "lost":
                raise BrokenPromiseError(f"{self}: the connection broke: {type(error).__name__}") from None
            return
        finally:
            connection.close()
        cause = self._wrong(reply)
        if cause:
            raise BrokenPromiseError(f"{self}: {cause}")

    def _sent(self, connection: http.client.HTTPConnection) -> Reply:
        if self.name.startswith("/"):
            method = "GET" if self.name.startswith("/rotten/") else "POST"
            return send(connection, method, self.name, None if method == "GET" else f"{self.text} {PRIVATE}")
        said = {"inputs": [{"messages": [{"ofUser": {"content": [{"text": f"{self.text} {PRIVATE}"}]}}]}]}
        body = said | {"stream": self.streams}
        return send(connection, "POST", f"/v1.0-alpha2/conversation/{self.name}/converse", body)

    def _wrong(self, reply: Reply) -> str:
        """Say what is wrong with a reply; empty if nothing is."""
        body = reply.body.decode()
        if self.outcome == "lost":
            return f"it was answered with {reply.status}"
        if self.outcome == "served":
            return "" if reply.status == 200 else f"{reply.status} {body}"
        if self.outcome == "broken off":
            last = events_of(reply.body)[-1] if reply.status == 200 else None
            if last is None or last.name != "error" or not last.data["errorCode"]:
                return f"ended in {body}"
            return "its error quotes the message" if PRIVATE in str(last.data) else ""
        try:
            error = json.loads(body)
        except ValueError:
            return f"{reply.status} with no JSON: {body[:200]!r}"
        if PRIVATE in body:
            return f"its error quotes the message: {body}"
        if reply.status != 500 or not error.get("errorCode") or not error.get("message"):
            return f"{reply.status} {body}"
        return ""


def _deeds() -> list[Deed]:
    found = [Deed("rotten", f"raise:{kind}", streams=streams) for kind, streams in product(_KINDS, (False, True))]
    found += [Deed("rotten", f"raise-later:{kind}", "broken off", streams=True) for kind in _KINDS]
    found += [Deed("rotten", f"give:{what}") for what in _JUNK]
    # Kinds of events that the host doesn't know are passed over: another version of it may know them.
    found += [Deed("rotten", f"give{when}:{what}", "served", streams=True) for what in _JUNK for when in ("", "-later")]
    found += [Deed("rotten", "give-later:part", "served", streams=True)]
    found += [Deed("rotten", "stop", streams=True, plugin=""), Deed("plain", "give", streams=True)]
    found += [Deed("rotten", "stop-later", "broken off", streams=True, plugin="")]
    found += [Deed("rotten", "exit", streams=streams) for streams in (False, True)]
    found += [Deed("rotten", "leak:20", "served", plugin="")]
    for streams in (False, True):
        found += [Deed(f"wrapped-before-{kind}", "x", streams=streams, plugin="stages") for kind in _KINDS]
        found += [Deed("wrapped-empty", "x", streams=streams, plugin="")]
    found += [Deed("wrapped-junk", "x", plugin=""), Deed("wrapped-junk", "x", "broken off", streams=True, plugin="")]
    found += [Deed(f"wrapped-after-{kind}", "x", plugin="stages") for kind in _KINDS]
    found += [Deed(f"wrapped-after-{kind}", "x", "broken off", streams=True, plugin="stages") for kind in _KINDS]
    for way, streams in product((*_KINDS, "rubbish", "number", "hang"), (False, True)):
        found.append(Deed(f"stored-{way}", "x", "served", streams=streams, plugin=""))
    for way, streams in product((*_KINDS, "number", "texts"), (False, True)):
        found.append(Deed(f"scrubbed-{way}", "x", streams=streams, plugin="parts"))
    found += [Deed("scrubbed-beyond", "x", "served", streams=streams, plugin="") for streams in (False, True)]
    for way, streams in product((*_KINDS, "empty", "strangers", "number"), (False, True)):
        found.append(Deed(f"routed-{way}", "x", streams=streams, plugin="parts"))
    found += [Deed(f"/rotten/{way}", "", plugin="routes") for way in (*_KINDS, "silent", "junk")]
    found += [Deed("/rotten/half", "", "lost", plugin="routes")]
    found += [Deed("/rotten-speech", kind, plugin="routes") for kind in _KINDS]
    return found


DEEDS = tuple(_deeds())
"""Requests after which the process serves on."""
DYING = (Deed("rotten", "die", "lost", plugin=""), Deed("rotten", "die", "lost", streams=True, plugin=""))
"""Requests that end their process."""


def failing_components() -> dict[str, str]:
    """Return the components that can't be built, with the plugin that is to blame."""
    started = {f"start-{kind}": "providers" for kind in ("hang", *_KINDS)}
    hooked = {f"{hook}-{kind}": "policies" for hook, kind in product(("scrubs", "caches", "routes"), _HOOKED)}
    return started | hooked | {"wrapped-build": "stages", "wrapped-number": "stages", "wrapped-folded": "stages"}


def manifests() -> dict[str, str]:
    """Return a manifest for each component that the deeds need, by its name."""
    rotten = "conversation.rotten"
    found = {"rotten": component("rotten", rotten), "plain": component("plain", "conversation.plain")}
    for name in {deed.name for deed in DEEDS if not deed.name.startswith("/")} - found.keys():
        kind, _, way = name.partition("-")
        if kind == "wrapped":
            found[name] = component(name, "conversation.good")
        elif kind == "stored":
            found[f"store-{way}"] = component(f"store-{way}", "cache.rotten", way=way)
            found[name] = component(name, "conversation.good", cache=f"store-{way}", cacheTTL="10m")
        elif kind == "scrubbed":
            found[f"scrubber-{way}"] = component(f"scrubber-{way}", "scrubber.rotten", way=way)
            found[name] = component(name, "conversation.good", scrubber=f"scrubber-{way}", scrubPII="both")
        elif kind == "routed":
            found[name] = _router(name, way)
    for name in failing_components():
        kind, _, way = name.partition("-")
        extra = "  ignoreErrors: true\n  initTimeout: 1s\n"
        if kind == "start":
            found[name] = component(name, rotten, extra=extra, start=way)
        else:
            found[name] = component(name, "conversation.good", extra=extra)
    for way in ("hang", *_KINDS):
        found[f"close-{way}"] = component(f"close-{way}", rotten, close=way)
    return found


def _router(name: str, way: str) -> str:
    """Write a router whose order a plugin's strategy decides."""
    return component(name, "conversation.router", strategy="rotten") + (
        f"  - name: strategyOptions\n    value: {{way: {way}}}\n"
        "  - name: targets\n    value: [{name: good}, {name: good-too}]\n"
    )
