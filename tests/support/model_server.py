"""An upstream that speaks chat completions just well enough to tell which manifest a request came through."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ModelServer"]


@dataclass
class ModelServer:
    """Answers with the model's name. Runs in a thread of its own while the context lasts.

    Attributes:
        hold: while set, replies wait for ``release``.
        calls: the requests that arrived, as JSON.
        arrived: set when a request has arrived.
        closed: set when a client closed its connection before its reply was sent.
    """

    hold: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> ModelServer:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def release(self) -> None:
        """Let held replies go, and hold no more."""
        self.hold = False
        self._loop.call_soon_threadsafe(self._released.set)

    @property
    def endpoint(self) -> str:
        """What a manifest's ``endpoint`` has to say."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._released = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                call = json.loads(await reader.readexactly(length))
                self.calls.append(call)
                self.arrived.set()
                if self.hold and not await self._held(reader):
                    self.closed.set()
                    return
                message = {"role": "assistant", "content": call["model"]}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                body = json.dumps({"model": call["model"], "choices": [choice]}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _held(self, reader: asyncio.StreamReader) -> bool:
        """Wait until replies are released; False if the client closed its connection first."""
        released = asyncio.ensure_future(self._released.wait())
        gone = asyncio.ensure_future(reader.read(1))
        done, waiting = await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return released in done
