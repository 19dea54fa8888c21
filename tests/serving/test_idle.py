"""How long a connection of hypercorn may be silent: a timer in place of a task for each request."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.config import Config
from starlette.routing import Mount, Router
from starlette.types import Receive, Scope, Send

from jackfield.serving.connections import serve
from jackfield.serving.idle import Silence

_SHORT = 0.05
_LONG = 60.0


async def _start(silence: Silence) -> None:
    """Nothing happens after the first silence has begun."""


async def _again(silence: Silence) -> None:
    await silence.stop()
    await asyncio.sleep(2 * _SHORT)  # a reply takes longer than a silence may
    assert silence.begun is None


async def _hurried(silence: Silence) -> None:
    silence.shorten(_SHORT)


@pytest.mark.parametrize(
    ("patience", "then", "restarts"),
    [(_SHORT, _start, False), (_SHORT, _again, True), (_LONG, _hurried, False)],
    ids=["from the start", "after a long reply", "shortened"],
)
def test_a_silence_ends(patience: float, then: Callable[[Silence], Awaitable[None]], restarts: bool) -> None:
    """The connection is ended once, after its patience and not before, however many replies came before."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        ended: list[float] = []
        over = asyncio.Event()

        async def end() -> None:
            ended.append(loop.time())
            over.set()

        silence = Silence(patience)
        async with TaskGroup(loop) as tasks:
            began = loop.time()
            await silence.restart(tasks, end)
            await then(silence)
            if restarts:
                assert not ended, "a request under way counts as silence"
                began = loop.time()
                await silence.restart(tasks, end)
            async with asyncio.timeout(10):
                await over.wait()
        return [moment - began for moment in ended]

    assert len(took := asyncio.run(main())) == 1
    assert took[0] >= _SHORT - 0.01


def test_a_request_that_crosses_the_closing_is_not_begun() -> None:
    """Whoever gets no answer on a connection that is closed may ask again: nothing has been done for it."""
    begun: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        begun.append(scope["path"])
        await asyncio.sleep(_SHORT)  # the closing would come first
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main() -> bytes:
        config, stop, loop = Config(), asyncio.Event(), asyncio.get_running_loop()
        config.keep_alive_timeout = 2 * _SHORT
        bound = socket.create_server(("127.0.0.1", 0))
        serving = loop.create_task(
            serve(Router([Mount("/", app)]), config, [bound], stopped=stop.wait, quiet=lambda: None)
        )
        with socket.create_connection(bound.getsockname()) as client:
            client.setblocking(False)
            await asyncio.sleep(_SHORT)  # it is let in
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(4 * _SHORT)  # noqa: ASYNC251  the loop is to find the request and the end of the silence at once
            answer = b""
            with suppress(ConnectionResetError):
                answer = await asyncio.wait_for(loop.sock_recv(client, 1000), 10)
        stop.set()
        await asyncio.wait_for(serving, 10)
        return answer

    answer = asyncio.run(main())
    assert bool(begun) == (b"204" in answer), "a request was begun, and its client heard nothing"


def test_a_closed_connection_is_let_go() -> None:
    """No timer holds what belongs to a connection that has closed: one-shot clients would pile up for a minute."""

    async def main() -> None:
        class Closed:
            async def over(self) -> None:
                raise AssertionError("it is closed already")

        loop = asyncio.get_running_loop()
        connection = Closed()
        gone = weakref.ref(connection)
        silence = Silence(_LONG)
        async with TaskGroup(loop) as tasks:
            await silence.restart(tasks, connection.over)
        silence.end()
        del connection, silence
        gc.collect()
        assert gone() is None

    asyncio.run(main())
