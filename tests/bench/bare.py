"""The bare server: the same HTTP server as its makers ship it, and an app that reads the body and answers bytes."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial
from socket import socket
from typing import Any, cast

import uvicorn
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.types import ASGIApp, Receive, Scope, Send

from jackfield.serving.network import Network, bind
from jackfield.serving.worker import run

BODY = (
    b'{"outputs":[{"choices":[{"finishReason":"stop","message":{"content":'
    b'"The capital of France is Paris, and has been for a very long time."}}],'
    b'"model":"mock","usage":{"completionTokens":"17","promptTokens":"57","totalTokens":"74"}}]}'
)
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


_PIECE = b'data: {"outputs":[{"choices":[{"delta":{"content":"token "}}]}]}\n\n'
_STREAM = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]


async def app(scope: Scope, receive: Receive, send: Send, *, pieces: int = 0) -> None:
    """Answer every request alike, and those of ``/stream`` with some pieces."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        for _ in range(pieces):
            await send({"type": "http.response.body", "body": _PIECE, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def main(server: str, pieces: int) -> None:
    """Serve until SIGTERM; the port is the first line of the output."""
    network = Network(port=0, server=server)
    sockets = bind(network)
    sys.stdout.write(f"{sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()

    # A plain function, as uvicorn takes a partial one for an app of ASGI's second version.
    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send, pieces=pieces)

    if server == "uvicorn":
        await _uvicorn(served, sockets[0])
    else:
        await _hypercorn(served, sockets[0])


async def _hypercorn(served: ASGIApp, bound: socket) -> None:
    config = Config()
    config.bind = [f"fd://{bound.fileno()}"]
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.keep_alive_timeout = 75
    config.keep_alive_max_requests = 1 << 62
    config.graceful_timeout = 1
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(cast("Any", served), config, shutdown_trigger=stop.wait)


async def _uvicorn(served: ASGIApp, bound: socket) -> None:
    config = uvicorn.Config(
        cast("Any", served), log_config=None, access_log=False, server_header=False, timeout_keep_alive=75
    )
    await uvicorn.Server(config).serve(sockets=[bound])


if __name__ == "__main__":
    run(partial(main, sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
