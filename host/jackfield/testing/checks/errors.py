"""Checks of what happens when the upstream fails, and when the caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, ClassVar, Final

import pytest

from jackfield.errors import InvokeError, ProviderError, ProviderTimeout, ProviderUnreachable
from jackfield.events import Result
from jackfield.testing.checking import check
from jackfield.testing.checks.base import Checks, Opened, asking
from jackfield.testing.ports import closed_port
from jackfield.testing.script import Cut, Fail, Hang, Raw, Reply, say

__all__ = ["ErrorChecks"]

_BEGUN: Final = say("Once upon a time, there was a telephone exchange.").result
_RUBBISH: Final[dict[str, Raw]] = {
    "a page": Raw(b"<!doctype html><title>Welcome</title>"),
    "nothing": Raw(b""),
    "null": Raw(b"null", "application/json"),
    "another object": Raw(b'{"unexpected": [1]}', "application/json"),
    "half of a JSON": Raw(b'{"choices": [{"mess', "application/json"),
    "no UTF-8": Raw(b'{"model": "\xff\xfe"}', "application/json"),
    "deep": Raw(b"[" * 100_000, "application/json"),
}


def _ask(opened: Opened, form: str) -> Callable[..., Awaitable[Result]]:
    return opened.converse if form == "unary" else opened.collected


forms = pytest.mark.parametrize("form", ["unary", "streamed"])


class ErrorChecks(Checks):
    """A failure is told as what it is, with the upstream's words for the caller."""

    patience: ClassVar[float] = 5.0
    """Seconds that the upstream waits to be asked, and then to see its connection close."""

    @check("the upstream's refusals are told")
    @forms
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 503, 529])
    async def test_refusals(self, status: int, form: str) -> None:
        """The error has the upstream's status and its words, and names the component."""
        async with self.opened(Fail(status, "the reason in the upstream's words")) as opened:
            with pytest.raises(ProviderError) as caught:
                await _ask(opened, form)()
            assert caught.value.status == status
            assert "the reason in the upstream's words" in caught.value.detail
            assert caught.value.component == "llm"
            assert len(opened.script.asked) == 1, "the provider repeats by itself; that is the host's part"

    @check("the time to wait is told")
    @pytest.mark.parametrize("status", [429, 503])
    async def test_retry_after(self, status: int) -> None:
        """``Retry-After`` is passed on, in seconds."""
        async with self.opened(Fail(status, "later", retry_after=17)) as opened:
            with pytest.raises(ProviderError) as caught:
                await opened.converse()
            assert caught.value.retry_after == 17

    @check("an upstream that isn't there is told")
    @forms
    async def test_unreachable(self, form: str) -> None:
        """No connection is its own error, as another target of a router may do better."""
        with closed_port() as address:
            async with self.opened(**self.endpoint(address)) as opened:
                with pytest.raises(ProviderUnreachable):
                    await _ask(opened, form)()

    @check("an upstream that is silent is given up")
    @forms
    async def test_timeout(self, form: str) -> None:
        """The manifest's ``timeout`` ends a call, and the upstream sees its connection close."""
        async with self.opened(Hang(), timeout="200ms") as opened:
            with pytest.raises(ProviderTimeout):
                await _ask(opened, form)()
            await asyncio.wait_for(opened.upstream.closed.wait(), self.patience)

    @check("a reply that breaks off is an error")
    @forms
    async def test_cut_off(self, form: str) -> None:
        """What came of it is never told as a whole reply."""
        async with self.opened(Cut(_BEGUN)) as opened:
            with pytest.raises((ProviderUnreachable, ProviderError)):
                await _ask(opened, form)()

    @check("rubbish is an error")
    @forms
    @pytest.mark.parametrize("kind", list(_RUBBISH))
    async def test_rubbish(self, kind: str, form: str) -> None:
        """What is no reply of the API is told as the provider's error, not as a fault of the plugin."""
        async with self.opened(_RUBBISH[kind]) as opened:
            with pytest.raises(InvokeError) as caught:
                await _ask(opened, form)()
            assert isinstance(caught.value, (ProviderError, ProviderUnreachable)), caught.value.detail

    @check("after a failure all is well")
    async def test_after_a_failure(self) -> None:
        """An error leaves nothing behind that the next request meets."""
        replies: list[Reply] = [Fail(500), Cut(_BEGUN), Raw(b"<html>"), say("All is well.")]
        async with self.opened(*replies) as opened:
            for _ in range(len(replies) - 1):
                with suppress(InvokeError):
                    await opened.converse()
            assert (await opened.converse()).choices[0].text == "All is well."

    @check("a caller who leaves ends the call", "cancellation")
    @pytest.mark.parametrize("form", ["unary", "streamed", "streamed, begun"])
    async def test_cancellation(self, form: str) -> None:
        """The upstream sees its connection close, so that it stops to write what nobody reads."""
        begun = "begun" in form
        async with self.opened(Hang(_BEGUN if begun else None)) as opened:
            if begun:
                async with aclosing(opened.instance.handler(asking(stream=True))) as events:
                    await anext(events)
            else:
                call: asyncio.Task[Any] = asyncio.ensure_future(_ask(opened, form)())
                await asyncio.wait_for(opened.upstream.asked.wait(), self.patience)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            await asyncio.wait_for(opened.upstream.closed.wait(), self.patience)

    @check("a caller who leaves is let go, without an upstream", upstream=False)
    async def test_leaving(self) -> None:
        """A stream that is closed after its first event ends at once."""
        async with self.opened() as opened:
            events = opened.instance.handler(asking(stream=True))
            await anext(events)
            await asyncio.wait_for(events.aclose(), self.patience)
