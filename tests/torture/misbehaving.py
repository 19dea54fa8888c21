"""The suite `plugins`: plugins that raise, hang, leak, block, lie and exit, beside two components that behave.

The latter are asked without a pause from beginning to end, and none of their requests may fail, unless a plugin has
ended the very process that had it. What each misdeed gives its own caller is checked, and who is named in the log.
"""

from __future__ import annotations

import re
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from figures import BrokenPromiseError, Figure
from good_load import GoodLoad
from misdeeds import DEEDS, DYING, PRIVATE, Deed, failing_components, manifests
from process import Process, serving
from rotten_plugins import BROKEN_AT_START, HANGS, NAMES, install_rotten
from running import component, get_on

__all__ = ["torture"]

_GOOD = ("good", "good-too")
_WORKERS = 2
_BLOCKED = 2.5
"""Seconds for which a plugin blocks an event loop: the host warns after one, give or take a beat."""
_STUCK = 3
"""Seconds after which a worker is replaced here."""
_STOP = 0.5
_CLOSING = 5.0
"""Seconds that components have for their end beyond the drain; the parent kills what takes longer."""
_BUSY = 5.0
"""Seconds for which a busy machine is excused beside."""
_PATIENCE = 30.0


def torture(*, seconds: float, seed: int, stick: bool = True) -> list[Figure]:
    """Ask for every misdeed, in an order drawn from the seed, again and again for some seconds; at least once.

    Args:
        seconds: how long, beside start and end.
        seed: what the order is drawn from.
        stick: also block an event loop for so long that its worker is replaced, and hang at an import.

    Raises:
        BrokenPromiseError: something happened that the docs rule out.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        site, folder = install_rotten(root / "rotten"), root / "manifests"
        folder.mkdir()
        for good in _GOOD:
            (folder / f"{good}.yaml").write_text(component(good, "conversation.good"))
        for rotten, text in manifests().items():
            (folder / f"{rotten}.yaml").write_text(text)
        options = ["--workers", str(_WORKERS), "--worker-timeout", str(_STUCK), "--plugins", ",".join(NAMES)]
        options += ["--graceful-shutdown-seconds", str(_STOP)]
        if stick:
            _hang_at_import(folder, site)
        with serving(folder, *options, PYTHONPATH=str(site)) as process:
            return _Run(process, folder, Random(seed)).run(seconds, stick=stick)


def _hang_at_import(folder: Path, site: Path) -> None:
    """Look at what becomes of a host that waits for a plugin's import: it says for which, and can be stopped."""
    options = ["--workers", str(_WORKERS), "--plugins", f"{HANGS},good", "--graceful-shutdown-seconds", str(_STOP)]
    with serving(folder, *options, PYTHONPATH=str(site)) as process:
        process.wait_for(rf"a plugin blocks the event loop.* plugin={HANGS} ")
        process.signal(signal.SIGTERM)
        process.exit_code()


class _Run:
    def __init__(self, process: Process, folder: Path, random: Random) -> None:
        self._process = process
        self._folder = folder
        self._random = random
        self._done = 0
        self._killed = 0

    def run(self, seconds: float, *, stick: bool) -> list[Figure]:
        process = self._process
        _until("the host becomes ready", lambda: get_on(process.port, "/v1.0/healthz").status == 204)
        self._check_start()
        end = time.monotonic() + seconds
        rounds = 0
        with GoodLoad(process.port, _GOOD) as load:
            while rounds == 0 or time.monotonic() < end:
                self._misbehave()
                self._block()
                self._die(DYING[rounds % len(DYING)])
                rounds += 1
            self._close()
            if stick:
                self._stick()
        killed = {int(pid) for pid in re.findall(r"worker died.* pid=(\d+)", process.log)}
        excused = load.excuse(killed)
        took = self._stop()
        self._check_log()
        kinds = len({*DEEDS, *DYING, *BROKEN_AT_START, *failing_components()})
        return [
            Figure("misdeeds of plugins", f"{self._done:,}"),
            Figure("kinds of misdeeds", f"{kinds:,}"),
            Figure("requests to components that behave", f"{load.answered + len(load.failed):,}"),
            Figure("of them streamed", f"{load.streamed:,}"),
            Figure("of them failed", "0", "none, but on connections of a process that a plugin has ended"),
            Figure("processes ended by plugins, or killed as stuck", f"{len(killed)}"),
            Figure("connections broken by that", f"{excused}"),
            Figure("event loops blocked and their plugins named", f"{rounds}"),
            Figure("longest wait of a request, beside a blocked loop", f"{load.slowest:.1f} s"),
            Figure(
                "stop in spite of plugins that hold on",
                f"{took:.1f} s",
                f"{_STOP + _CLOSING:g} s, and {_BUSY:g} for a busy machine",
            ),
        ]

    def _check_start(self) -> None:
        """Look at what the host says of plugins that can't be used, and of components that can't be built."""
        document = get_on(self._process.port, "/v1.0/metadata").json["jackfield"]
        plugins = {plugin["name"]: plugin for plugin in document["plugins"]}
        for name in BROKEN_AT_START:
            if plugins[name]["state"] == "loaded" or not plugins[name].get("reason"):
                raise BrokenPromiseError(f"plugin {name} is {plugins[name]}")
            self._process.wait_for(rf"level=(?:error|warning) .*plugin={name} .*reason=")
        _until(
            "every build has ended", lambda: "starting" not in {each["state"] for each in self._components().values()}
        )
        components = self._components()
        for name, plugin in failing_components().items():
            about = components[name]
            if about["state"] != "failed" or not re.search(rf"\b{plugin}\b", " ".join(about["problems"])):
                raise BrokenPromiseError(f"component {name} should have failed for plugin {plugin}, and is {about}")

    def _components(self) -> dict[str, Any]:
        found = get_on(self._process.port, "/v1.0/metadata").json["jackfield"]["components"]
        return {each["name"]: each for each in found}

    def _misbehave(self) -> None:
        deeds = list(DEEDS)
        self._random.shuffle(deeds)
        for deed in deeds:
            deed.do(self._process.port)
            self._done += 1

    def _block(self) -> None:
        count = self._named()
        Deed("rotten", f"block:{_BLOCKED}", "served", streams=bool(self._random.getrandbits(1))).do(self._process.port)
        _until("the plugin that blocks the event loop is named", lambda: self._named() > count)

    def _named(self) -> int:
        return len(re.findall(r"blocks the event loop.* plugin=providers .* in misbehave", self._process.log))

    def _die(self, deed: Deed) -> None:
        deed.do(self._process.port)
        self._killed += 1
        self._replaced()

    def _stick(self) -> None:
        Deed("rotten", "stick", "lost").do(self._process.port)
        self._killed += 1
        self._process.wait_for(r"a worker's event loop stands still; it is killed and replaced")
        self._replaced()

    def _replaced(self) -> None:
        def serving_again() -> bool:
            died = self._process.log.count('msg="worker died"')
            workers = get_on(self._process.port, "/v1.0/metadata").json["jackfield"]["workers"]
            return died >= self._killed and [worker["state"] for worker in workers] == ["serving"] * _WORKERS

        _until("a process that a plugin has ended is replaced", serving_again)

    def _close(self) -> None:
        """Remove the components that don't want to close: the others must not notice."""
        names = [name for name in manifests() if name.startswith("close-")]
        for name in names:
            (self._folder / f"{name}.yaml").unlink()
            self._done += 1

        def gone() -> bool:
            return not any(name.startswith("close-") for name in self._components())

        _until("components that don't close are gone all the same", gone)

    def _stop(self) -> float:
        began = time.monotonic()
        self._process.signal(signal.SIGTERM)
        self._process.exit_code()
        took = time.monotonic() - began
        if took > _STOP + _CLOSING + _BUSY:
            raise BrokenPromiseError(f"the host took {took:.1f} s to stop")
        return took

    def _check_log(self) -> None:
        for line in self._process.lines:
            if PRIVATE in line:
                raise BrokenPromiseError(f"the log quotes a message: {line}")
        for name in {deed.plugin for deed in DEEDS} - {""}:
            if not re.search(rf"level=(?:error|warning) .*plugin={name}\b", self._process.log):
                raise BrokenPromiseError(f"the log doesn't name plugin {name}")


def _until(what: str, condition: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > _PATIENCE:
            raise BrokenPromiseError(f"{what}: not within {_PATIENCE:g} s")
        time.sleep(0.02)  # what is asked over HTTP has no signal to wait for
