"""A server that speaks the chat completions API, for tests of components that call one.

It listens on a port of the kernel's choice, keeps what it was asked, and answers as ``chat`` does unless a test gives
it another behaviour: any coroutine function that takes an ``Exchange``.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec

__all__ = ["Behaviour", "Exchange", "FakeUpstream", "chat", "event_stream", "hang", "reset"]


@dataclass(kw_only=True)
class Exchange:
    """One request, and the means to answer it.

    Attributes:
        method: the HTTP method.
        target: the request's target as it stands in its first line.
        headers: the request's headers, with names in lower case.
        data: the request's body.
        connection: the number of the connection it came on, counted from 0.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    data: bytes
    connection: int
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The request's body as JSON."""
        return msgspec.json.decode(self.data, type=dict[str, Any])

    async def send(self, status: int, body: bytes | Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a whole body; anything but bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send_raw(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + data)

    async def send_events(self, pieces: Sequence[bytes], *, whole: bool = True) -> None:
        """Answer with a stream of events, one chunk per piece.

        Args:
            pieces: the stream, cut anywhere.
            whole: False to leave out the end of the body.
        """
        await self.send_raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for piece in pieces:
            await self.send_raw(b"%x\r\n%s\r\n" % (len(piece), piece))
        if whole:
            await self.send_raw(b"0\r\n\r\n")

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()


Behaviour: TypeAlias = Callable[[Exchange], Awaitable[None]]


async def hang(exchange: Exchange) -> None:
    """Send nothing until the client leaves."""
    await exchange.reader.read()


async def reset(exchange: Exchange) -> None:
    """Break the connection so that the client gets a reset."""
    exchange.writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    exchange.writer.transport.abort()


async def chat(exchange: Exchange) -> None:
    """Answer as OpenAI does: whole or streamed, ``n`` choices, text that repeats the last message, or tool calls."""
    body = exchange.body
    choices = _choices(body)
    counts = {"prompt_tokens": len(body["messages"]), "completion_tokens": 7, "total_tokens": len(body["messages"]) + 7}
    details = {"prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 2}}
    shared = {"id": "chatcmpl-1", "created": 1, "model": f"{body['model']}-2026-01-01"}
    usage = {**counts, **details}
    if not body.get("stream"):
        await exchange.send(200, {**shared, "object": "chat.completion", "choices": choices, "usage": usage})
        return
    chunks = [{**shared, "choices": [piece]} for choice in choices for piece in _pieces(choice)]
    if body.get("stream_options", {}).get("include_usage"):
        chunks.append({**shared, "choices": [], "usage": usage})
    await exchange.send_events(event_stream(chunks))


def event_stream(chunks: Sequence[Any], *, done: bool = True) -> list[bytes]:
    """Write chunks as server-sent events, with ``[DONE]`` after them."""
    events = [b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks]
    return [*events, b"data: [DONE]\n\n"] if done else events


def _choices(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    choice = body.get("tool_choice")
    message: dict[str, Any] = {"role": "assistant", "refusal": None}
    if body.get("tools") and choice != "none" and choice is not None and choice != "auto":
        names = [tool["function"]["name"] for tool in body["tools"]]
        called = [choice["function"]["name"]] if isinstance(choice, dict) else names
        message["content"] = None
        message["tool_calls"] = [
            {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": '{"city": "Bremen"}'}}
            for number, name in enumerate(called)
        ]
        reason = "tool_calls"
    else:
        content = (body["messages"] or [{"content": ""}])[-1]["content"]
        text = content if isinstance(content, str) else "\n".join(part["text"] for part in content or ())
        message["content"] = f"You said: {text}"
        reason = "stop"
    count = body.get("n", 1)
    return [{"index": index, "message": message, "logprobs": None, "finish_reason": reason} for index in range(count)]


def _pieces(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    message = choice["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "" if message["content"] is not None else None}]
    text = message["content"] or ""
    deltas.extend({"content": text[start : start + 5]} for start in range(0, len(text), 5))
    for number, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        first = {**call, "index": number, "function": {"name": function["name"], "arguments": ""}}
        deltas.append({"tool_calls": [first]})
        text = function["arguments"]
        deltas.extend(
            {"tool_calls": [{"index": number, "function": {"arguments": text[start : start + 4]}}]}
            for start in range(0, len(text), 4)
        )
    pieces = [{"index": choice["index"], "delta": delta, "finish_reason": None} for delta in deltas]
    return [*pieces, {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]


class FakeUpstream:
    """The server; use it with ``async with``.

    Args:
        behaviour: how to answer.
        tls: what to serve https with, None for http.

    Attributes:
        requests: what was asked so far.
        connections: how many connections there were.
        asked: set when a request has arrived.
        closed: set when a connection has ended.
    """

    def __init__(self, behaviour: Behaviour = chat, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.requests: list[Exchange] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self.asked = asyncio.Event()
        self.port = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """The server's address without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        """The base address of the API."""
        return f"{self.address}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        number = self.connections
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    exchange = await _receive(reader, writer, number)
                    self.requests.append(exchange)
                    self.asked.set()
                    await self.behaviour(exchange)
        finally:
            self.closed.set()
            writer.transport.abort()


async def _receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Exchange:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    data = await reader.readexactly(int(headers.get("content-length", "0")))
    return Exchange(
        method=method,
        target=target,
        headers=headers,
        data=data,
        connection=connection,
        reader=reader,
        writer=writer,
    )
