"""Observers of a running host: what they are told of, and that what they raise harms nobody."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest
from running import RunningHost, component

from jackfield import BreakerChange, CatalogChange, ComponentChange, Record, RegisterObservers, hookimpl

PATIENCE = 15.0
T = TypeVar("T")
BREAKER = """
apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata:
  name: careful
spec:
  policies:
    circuitBreakers:
      quick:
        maxRequests: 1
        timeout: 60s
        trip: consecutiveFailures > 0
  targets:
    components:
      llm:
        outbound:
          circuitBreaker: quick
"""


class Witness:
    """Collects what observers are told, from the host's thread."""

    def __init__(self) -> None:
        self.seen: list[Record | CatalogChange | BreakerChange] = []
        self._more = threading.Condition()

    def __call__(self, what: Record | CatalogChange | BreakerChange) -> None:
        with self._more:
            self.seen.append(what)
            self._more.notify_all()

    def wait_for(self, condition: Callable[[], T]) -> T:
        with self._more:
            assert self._more.wait_for(condition, PATIENCE), self.seen
            return condition()

    @property
    def components(self) -> list[tuple[str, str, str]]:
        changes = [change for told in self.seen if isinstance(told, CatalogChange) for change in told.components]
        return [(change.name, change.what, change.state) for change in changes if change.what != "starting"]

    def plugin(self) -> ModuleType:
        """A plugin that registers this for everything."""
        module = ModuleType("witness")

        @hookimpl
        def register_observers(register: RegisterObservers) -> None:
            register.request_finished(self)
            register.catalog_changed(self)
            register.breaker_changed(self)

        module.register_observers = register_observers  # type: ignore[attr-defined]
        return module


def test_observers_are_told_what_becomes_of_a_component(tmp_path: Path) -> None:
    """A component that comes, changes, fails, recovers and goes is told of once each, with rising generations."""
    manifest, witness = tmp_path / "llm.yaml", Witness()
    good = component("llm", "conversation.echo")
    manifest.write_text(good)
    expected: list[tuple[str, str, str]] = []
    with RunningHost(tmp_path, plugins=[witness.plugin()]) as host:
        steps: list[tuple[Callable[[], object], str, str]] = [
            (lambda: None, "loaded", "ready"),
            (lambda: manifest.write_text(component("llm", "conversation.echo", model="other")), "updated", "ready"),
            (lambda: manifest.write_text(good + "  nonsense: [\n"), "failed", "stale"),
            (lambda: manifest.write_text(component("llm", "conversation.echo", model="other")), "restored", "ready"),
            (manifest.unlink, "removed", "removed"),
        ]
        for act, what, state in steps:
            act()
            expected.append(("llm", what, state))
            witness.wait_for(lambda: len(witness.components) >= len(expected))
            assert witness.components == expected
        assert host.converse("llm").status == 400
    catalogs = [told for told in witness.seen if isinstance(told, CatalogChange)]
    assert [told.generation for told in catalogs] == sorted({told.generation for told in catalogs})
    assert isinstance(catalogs[0].components[0], ComponentChange)
    assert catalogs[0].components[0].type_name == "conversation.echo"


def test_observers_are_told_of_circuit_breakers(tmp_path: Path) -> None:
    """A breaker is told of when a manifest brings it, when it opens, and when the manifest goes."""
    (tmp_path / "llm.yaml").write_text(component("llm", "conversation.openai", key="k", endpoint="http://127.0.0.1:9"))
    (tmp_path / "careful.yaml").write_text(BREAKER)
    witness = Witness()

    def states() -> list[str]:
        return [told.state for told in witness.seen if isinstance(told, BreakerChange)]

    with RunningHost(tmp_path, plugins=[witness.plugin()]) as host:
        witness.wait_for(lambda: states() == ["closed"])
        assert host.converse("llm").status == 500
        witness.wait_for(lambda: states() == ["closed", "open"])
        (tmp_path / "careful.yaml").unlink()
        witness.wait_for(lambda: states() == ["closed", "open", "removed"])
    (told, *_) = [told for told in witness.seen if isinstance(told, BreakerChange)]
    assert (told.component, told.name) == ("llm", "quick-llm")


@pytest.mark.parametrize("error", [ValueError, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_an_observer_that_raises_harms_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: type[BaseException]
) -> None:
    """Whatever it is told of, what it raises is logged with its plugin's name and without its text."""

    def broken(_: object) -> None:
        raise error("a text that may hold anything")

    module = ModuleType("clumsy")

    @hookimpl
    def register_observers(register: RegisterObservers) -> None:
        register.request_finished(broken)
        register.catalog_changed(broken)

    module.register_observers = register_observers  # type: ignore[attr-defined]
    (tmp_path / "llm.yaml").write_text(component("llm", "conversation.echo"))
    with caplog.at_level(logging.WARNING), RunningHost(tmp_path, plugins=[module]) as host:
        assert host.converse("llm").status == 200
        assert host.converse("llm").status == 200
    told = [record for record in caplog.records if record.getMessage() == "an observer raised an error"]
    assert len(told) >= 4
    assert {(vars(record)["plugin"], vars(record)["error"]) for record in told} == {("builtin.clumsy", error.__name__)}
    assert "anything" not in caplog.text
