"""A host as a process, and clients of every kind that ask it without a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import grpc
from dapr.proto.runtime.v1 import ai_pb2, dapr_pb2_grpc
from pausing_upstream import PausingUpstream
from process import Process, serving
from running import component
from stop_clients import Clients

__all__ = ["BUDGET", "Loaded", "loaded"]

BUDGET = 3.0
"""The host's ``--graceful-shutdown-seconds``."""
_PATIENCE = 60.0


@dataclass
class Loaded:
    """A host under load.

    Attributes:
        process: the host.
        clients: its clients.
        upstream: where its slow component asks.
        temporary: the host's folder for temporary files.
        unix: its Unix socket, if that is what it listens on.
        tasks: the clients' tasks.
    """

    process: Process
    clients: Clients
    upstream: PausingUpstream
    temporary: Path
    unix: Path | None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def run(self, *clients: Coroutine[Any, Any, None]) -> None:
        """Run further clients."""
        self.tasks += [asyncio.get_running_loop().create_task(client) for client in clients]

    async def hang(self) -> None:
        """Send a request that never ends; returns when it has come through to the upstream."""
        self.run(self.clients.fresh("hang", "slow hang"))
        async with asyncio.timeout(_PATIENCE):
            while not any(nonce.startswith("hang") for nonce in self.upstream.begun):
                await asyncio.sleep(0.01)  # it has no signal for us


@asynccontextmanager
async def loaded(
    folder: Path, server: str, workers: int, random: Random, *, unix: bool = False, named: bool = False
) -> AsyncIterator[Loaded]:
    """Serve a quick and a slow component, and ask both until the context's end.

    Args:
        folder: empty, to work in.
        server: which server carries the host.
        workers: how many serving processes.
        random: draws the clients' pauses.
        unix: serve on a Unix socket instead of a port.
        named: ask on every connection first which worker has it, and make no gRPC calls: one worker alone has that
            port.
    """
    manifests, temporary, path = folder / "manifests", folder / "tmp", folder / "s" if unix else None
    manifests.mkdir()
    temporary.mkdir()
    upstream = PausingUpstream()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(upstream.serving())
        (manifests / "echo.yaml").write_text(component("echo"))
        slow = component("slow", "conversation.openai", key="k", model="m", endpoint=upstream.endpoint)
        (manifests / "slow.yaml").write_text(slow)
        options = ["--server", server, "--workers", str(workers), "--graceful-shutdown-seconds", str(BUDGET)]
        options += ["--plugins", "echo,openai,grpc,metrics", *(["--unix-socket", str(path)] if path else [])]
        started = stack.enter_context(ExitStack())
        process = await asyncio.to_thread(started.enter_context, serving(manifests, *options, TMPDIR=str(temporary)))
        clients = Clients(0 if unix else process.port, path, random, named=named)
        host = Loaded(process, clients, upstream, temporary, path)
        await clients.ready()
        if not named:
            port = (await asyncio.to_thread(process.wait_for, r"serving gRPC.*address=\S*:(\d+)"))[1]
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
            host.run(clients.call("gRPC", _caller(channel), grpc.aio.AioRpcError))
        host.run(*_mixed(clients))
        try:
            yield host
        finally:
            for task in host.tasks:
                task.cancel()
            ended = await asyncio.gather(*host.tasks, return_exceptions=True)
            await asyncio.sleep(0.02)  # connections that were closed end in the loop's next turns
        for error in ended:
            if isinstance(error, Exception):
                raise error


def _mixed(clients: Clients) -> list[Coroutine[Any, Any, None]]:
    return [
        *(clients.kept("kept unary", "echo say") for _ in range(5)),
        *(clients.kept("kept stream", "echo say", stream=True) for _ in range(2)),
        *(clients.kept("kept slow", f"slow {seconds}") for seconds in (0.2, 0.6, 1.2)),
        *(clients.kept("kept slow stream", f"slow {seconds}", stream=True) for seconds in (0.3, 0.9)),
        *(clients.fresh("new", "echo say") for _ in range(3)),
        *(clients.fresh("new slow", f"slow {seconds}") for seconds in (0.3, 0.8)),
        *(clients.fresh("new and late", "slow 0.1", before=0.3) for _ in range(3)),
        *(clients.kept("seldom", "slow 0.1", pause=1.5) for _ in range(4)),
    ]


def _caller(channel: grpc.aio.Channel) -> Callable[[str], Awaitable[None]]:
    stub = dapr_pb2_grpc.DaprStub(channel)  # type: ignore[no-untyped-call]

    async def call(nonce: str) -> None:
        content = ai_pb2.ConversationMessageContent(text=f"0.1 {nonce}")
        message = ai_pb2.ConversationMessage(of_user=ai_pb2.ConversationMessageOfUser(content=[content]))
        inputs = [ai_pb2.ConversationInputAlpha2(messages=[message])]
        reply = await stub.ConverseAlpha2(ai_pb2.ConversationRequestAlpha2(name="slow", inputs=inputs))
        text = reply.outputs[0].choices[0].message.content
        assert text == f"0.1 {nonce}", f"it says {text!r}"

    return call
