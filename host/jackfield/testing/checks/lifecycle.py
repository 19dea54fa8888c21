"""Checks of a component's life: many requests at once, a reload under load, its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jackfield.components import Build
from jackfield.testing.building import manifest_text
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, said
from jackfield.testing.running import Reply, RunningHost
from jackfield.testing.script import say
from jackfield.testing.upstream import Behaviour, FakeUpstream, hang

__all__ = ["LifecycleChecks"]

_AT_ONCE: Final = 16
_RUNNING: Final = 4


class LifecycleChecks(Checks):
    """A component serves many at once, is replaced while it serves, and ends more than once."""

    @check("many requests at once don't mix")
    async def test_many_at_once(self) -> None:
        """Each caller gets the answer to what that caller said."""
        async with self.opened() as opened:
            asked = [f"question {number}" for number in range(_AT_ONCE)]
            results = await asyncio.gather(*(opened.converse(said(text)) for text in asked))
            assert [result.choices[0].text for result in results] == [f"You said: {text}" for text in asked]

    @check("closing twice does no harm", upstream=False)
    async def test_close_is_idempotent(self) -> None:
        """Also after a request, and for a component that never started."""
        async with self.opened() as opened:
            component = opened.instance.component
            await opened.converse()
            await component.close()
            await component.close()
            environment = self.environment
            build: Build[Any] = Build("llm", self.type_name, component.settings, environment)
            unstarted = self.kind.factory(build)
            await unstarted.close()
            await unstarted.close()

    @check("a reload under load loses nothing", upstream=False)
    async def test_reload_under_load(self, tmp_path: Path) -> None:
        """Each reply comes from the old manifest or from the new one, also of requests that run through the reload."""
        async with FakeUpstream(self._saying("old")) as first, FakeUpstream(self._saying("new")) as second:
            file = tmp_path / "llm.yaml"

            def write(upstream: FakeUpstream, timeout: str) -> None:
                text = manifest_text(self.type_name, self.items(upstream.address, timeout=timeout))
                beside = tmp_path / ".llm"
                beside.write_text(text, encoding="utf-8")
                beside.replace(file)

            write(first, "30s")
            own = () if self.plugin is None else (self.plugin,)
            options = {"environment": dict(self.environment)}
            host = await asyncio.to_thread(RunningHost(tmp_path, options=options, plugins=own).__enter__)
            try:
                replies = await self._replies_meanwhile(host, lambda: write(second, "31s"))
            finally:
                await asyncio.to_thread(host.__exit__)
        assert {reply.status for reply in replies} == {200}, next(
            reply.body for reply in replies if reply.status != 200
        )
        if self.dialect is not None:
            assert {reply.text for reply in replies} == {"old", "new"}
            assert replies[-1].text == "new"

    async def _replies_meanwhile(self, host: RunningHost, edit: Callable[[], None]) -> list[Reply]:
        """Keep some requests running while the manifest changes, until the new one serves."""
        replies = [await asyncio.to_thread(host.converse, "llm")]
        generation = host.host.catalog.generation

        async def ask() -> None:
            while host.host.catalog.generation == generation:
                replies.append(await asyncio.to_thread(host.converse, "llm"))

        running = asyncio.gather(*(ask() for _ in range(_RUNNING)))
        edit()
        await running
        return [*replies, await asyncio.to_thread(host.converse, "llm")]

    def _saying(self, text: str) -> Behaviour:
        script = self.script()
        if script is None:
            return hang
        script.then = lambda _: say(text)
        return script
