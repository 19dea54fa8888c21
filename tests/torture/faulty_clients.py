"""One request over each front end, and what came back in one form."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp
import grpc
import grpc.aio
from dapr.proto.runtime.v1 import ai_pb2, dapr_pb2_grpc

__all__ = ["FRONTS", "Answer", "Clients", "clients"]

FRONTS: Final = ("alpha1", "alpha2", "alpha2-stream", "openai", "openai-stream", "grpc")


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: the HTTP status; 200 or 500 for gRPC.
        text: what the model said, as far as it came.
        done: whether the reply says that it is whole.
        code: the error's code.
        message: the error's text.
        served: the component that answered, where the front end tells.
        raw: all of it, headers included.
        seconds: how long it took.
    """

    status: int = 200
    text: str = ""
    done: bool = False
    code: str = ""
    message: str = ""
    served: str = ""
    raw: str = ""
    seconds: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Clients:
    """Asks a host.

    Attributes:
        url: where it serves.
        session: for HTTP.
        stub: for gRPC.
    """

    url: str
    session: aiohttp.ClientSession
    stub: Any

    async def ask(self, front: str, component: str, text: str) -> Answer:
        """Say something to a component over one of ``FRONTS``."""
        began = time.monotonic()
        answer = await (self._grpc(component, text) if front == "grpc" else self._http(front, component, text))
        ended = time.monotonic()
        return replace(answer, seconds=ended - began, ended=ended)

    async def json(self, path: str) -> Any:
        """Get a document."""
        async with self.session.get(self.url + path) as reply:
            return json.loads(await reply.read())

    async def _http(self, front: str, component: str, text: str) -> Answer:
        path, body = _request(front, component, text)
        async with self.session.post(self.url + path, json=body) as reply:
            data = (await reply.read()).decode()
            headers = "".join(f"{name}: {value}\n" for name, value in reply.headers.items())
            answer = Answer(reply.status, served=reply.headers.get("x-jackfield-component", ""), raw=headers + data)
            if reply.status >= 300:
                return replace(answer, **_error(json.loads(data)))
            if reply.content_type == "text/event-stream":
                return replace(answer, **_streamed(data))
            return replace(answer, text=_text(front, json.loads(data)), done=True)

    async def _grpc(self, component: str, text: str) -> Answer:
        content = [ai_pb2.ConversationMessageContent(text=text)]
        message = ai_pb2.ConversationMessage(of_user=ai_pb2.ConversationMessageOfUser(content=content))
        asked = ai_pb2.ConversationRequestAlpha2(
            name=component, inputs=[ai_pb2.ConversationInputAlpha2(messages=[message])]
        )
        try:
            reply = await self.stub.ConverseAlpha2(asked)
        except grpc.aio.AioRpcError as error:
            told = error.details() or ""
            return Answer(500, code=error.code().name, message=told, raw=f"{told} {error.trailing_metadata()}")
        said = reply.outputs[0].choices[0].message.content
        return Answer(text=said, done=True, raw=str(reply))


@asynccontextmanager
async def clients(url: str, grpc_address: str) -> AsyncIterator[Clients]:
    """Keep connections to a host while the context lasts."""
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        grpc.aio.insecure_channel(grpc_address) as channel,
    ):
        yield Clients(url, session, dapr_pb2_grpc.DaprStub(channel))  # type: ignore[no-untyped-call]


def _request(front: str, component: str, text: str) -> tuple[str, Mapping[str, Any]]:
    if front.startswith("openai"):
        said = [{"role": "user", "content": text}]
        return "/v1/chat/completions", {"model": component, "messages": said, "stream": front == "openai-stream"}
    if front == "alpha1":
        return f"/v1.0-alpha1/conversation/{component}/converse", {"inputs": [{"content": text}]}
    inputs = [{"messages": [{"ofUser": {"content": [{"text": text}]}}]}]
    return f"/v1.0-alpha2/conversation/{component}/converse", {"inputs": inputs, "stream": front == "alpha2-stream"}


def _text(front: str, body: Any) -> str:
    if front == "alpha1":
        return str(body["outputs"][0]["result"])
    choice = (body if front == "openai" else body["outputs"][0])["choices"][0]
    return str(choice["message"]["content"])


def _error(body: Any) -> dict[str, Any]:
    if "error" in body:
        return {"code": body["error"]["code"], "message": body["error"]["message"]}
    return {"code": body["errorCode"], "message": body["message"]}


def _streamed(data: str) -> dict[str, Any]:
    """Put a stream together, whichever of the two shapes it has."""
    told: dict[str, Any] = {"text": ""}
    for block in filter(None, data.split("\n\n")):
        name, event = "", ""
        for line in block.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                event += line[6:]
        if event == "[DONE]" or name == "done":
            told["done"] = True
        elif event and (name == "error" or '{"error"' in event[:9]):
            told |= _error(json.loads(event))
        elif event:
            body = json.loads(event)
            outputs = body.get("outputs", [body])
            told["text"] += "".join(
                choice["delta"].get("content") or "" for out in outputs for choice in out["choices"]
            )
    return told
