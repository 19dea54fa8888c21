"""Bedrock's Converse API for ``jackfield.testing``: a dialect that a fake upstream speaks.

Requests are checked against botocore's own model of the service, and against the rules that the API reference gives in
words. For tests alone: it needs what ``jackfield.testing`` needs.
"""

# botocore and aiobotocore come without types.
# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final
from urllib.parse import unquote
from zlib import crc32

import msgspec
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from jackfield import (
    Choice,
    ConversationRequest,
    FinishReason,
    GenerationSettings,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    Tool,
    ToolCall,
    Usage,
)
from jackfield.testing import Dialect, Exchange, Fail, Refused, Say, cut

__all__ = ["Converse", "event_frame", "frames"]

_ERRORS: Final[Mapping[int, str]] = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}
_TARGET: Final = re.compile(r"/model/([^/]+)/converse(-stream)?")
_REDACTED: Final = "redacted:"


class Converse(Dialect):
    """``POST /model/{modelId}/converse`` and ``/converse-stream`` of the Bedrock runtime's API reference."""

    stream_type: ClassVar[str] = "application/vnd.amazon.eventstream"

    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
    }

    def read(self, exchange: Exchange) -> ConversationRequest:
        """Say what was asked; see ``Dialect.read``. The request must be signed, and valid by the service's model."""
        target = _TARGET.fullmatch(exchange.target.partition("?")[0])
        if exchange.method != "POST" or target is None:
            raise Refused("Unable to determine service/operation name to be authorized", 404)
        if not exchange.headers.get("authorization", "").startswith(("AWS4-HMAC-SHA256 Credential=", "Bearer ")):
            raise Refused("Missing Authentication Token", 403)
        body = exchange.body
        _check_shapes({**body, "modelId": unquote(target[1])})
        _check_rules(body)
        inference = body.get("inferenceConfig") or {}
        config = body.get("toolConfig") or {}
        tools = [tool["toolSpec"] for tool in config.get("tools") or () if "toolSpec" in tool]
        system = tuple(TextPart(block["text"]) for block in body.get("system") or () if "text" in block)
        stop = inference.get("stopSequences")
        return ConversationRequest(
            component="",
            messages=(*([Message(role="system", parts=system)] if system else ()), *_messages(body["messages"])),
            tools=tuple(
                Tool(name=tool["name"], description=tool.get("description", ""), parameters=tool["inputSchema"]["json"])
                for tool in tools
            ),
            tool_choice=_choice(config.get("toolChoice") or {}),
            settings=GenerationSettings(
                temperature=inference.get("temperature"),
                max_tokens=inference.get("maxTokens"),
                top_p=inference.get("topP"),
                top_k=_top_k(body.get("additionalModelRequestFields") or {}),
                stop=tuple(stop) if stop else None,
            ),
            model=unquote(target[1]),
            stream=target[2] is not None,
            metadata=body.get("requestMetadata") or {},
        )

    def whole(self, reply: Say, exchange: Exchange) -> Any:  # noqa: ARG002
        """Write a reply in one piece; see ``Dialect.whole``. The API gives one choice and no model."""
        return {
            "output": {"message": {"role": "assistant", "content": list(_blocks(reply.result.choices[0]))}},
            "stopReason": self.word(reply),
            "usage": _usage(reply.result.usage or Usage()),
            "metrics": {"latencyMs": 1},
        }

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:  # noqa: ARG002
        """Write a reply as a stream; see ``Dialect.pieces``."""
        events: list[tuple[str, Mapping[str, Any]]] = [("messageStart", {"role": "assistant"})]
        for index, block in enumerate(_blocks(reply.result.choices[0])):
            if "toolUse" in block:
                start = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
                events.append(("contentBlockStart", {"start": {"toolUse": start}, "contentBlockIndex": index}))
            events += [("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in _deltas(block)]
            events.append(("contentBlockStop", {"contentBlockIndex": index}))
        events.append(("messageStop", {"stopReason": self.word(reply)}))
        events.append(
            ("metadata", {"usage": _usage(reply.result.usage or Usage()), "metrics": {"latencyMs": 1}}),
        )
        return frames(events)

    def failure(self, reply: Fail) -> Any:
        """Write the body of a refusal; see ``Dialect.failure``."""
        return {"message": reply.message}

    def failure_headers(self, reply: Fail) -> Mapping[str, str]:
        """Name the error, which stands in a header."""
        return {"x-amzn-ErrorType": _ERRORS.get(reply.status, "InternalServerException")}


def frames(events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[bytes]:
    """Write events as frames of AWS's event stream, each with its name and JSON payload."""
    return [
        event_frame(
            {":event-type": name, ":content-type": "application/json", ":message-type": "event"},
            msgspec.json.encode(payload),
        )
        for name, payload in events
    ]


def event_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Write one frame: lengths, their checksum, headers, payload, the frame's checksum.

    The encoding is that of "Event stream encoding" in Amazon Transcribe's developer guide.
    """
    head = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    frame = lengths + struct.pack("!I", crc32(lengths)) + head + payload
    return frame + struct.pack("!I", crc32(frame))


@cache
def _shape() -> Shape:
    model = Loader().load_service_model("bedrock-runtime", "service-2")
    return ServiceModel(model, "bedrock-runtime").shape_for("ConverseRequest")


def _check_shapes(parameters: Mapping[str, Any]) -> None:
    report = ParamValidator().validate(parameters, _shape())
    problems = [report.generate_report()] if report.has_errors() else list(_unfit(parameters, _shape(), "request"))
    if problems:
        raise Refused("; ".join(problems))


def _unfit(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Find what the service's model restricts and botocore's validator lets pass: enumerations, patterns, sizes."""
    if getattr(shape, "is_document_type", False):
        return
    limits = shape.metadata
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{path}: not one of {shape.enum}"
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            yield f"{path}: doesn't satisfy {limits['pattern']}"
    if "max" in limits and (len(value) if isinstance(value, str | list | dict) else value) > limits["max"]:
        yield f"{path}: more than {limits['max']}"
    for inner, inner_shape, name in _inside(value, shape):
        yield from _unfit(inner, inner_shape, f"{path}.{name}")


def _inside(value: Any, shape: Any) -> Iterator[tuple[Any, Shape, str]]:
    if shape.type_name == "structure":
        if getattr(shape, "is_tagged_union", False) and len(value) != 1:
            raise Refused(f"a union has one member, not {sorted(value)}")
        yield from ((member, shape.members[name], name) for name, member in value.items())
    elif shape.type_name == "list":
        yield from ((member, shape.member, str(position)) for position, member in enumerate(value))
    elif shape.type_name == "map":
        yield from ((name, shape.key, "key") for name in value)
        yield from ((member, shape.value, name) for name, member in value.items())


def _check_rules(body: Mapping[str, Any]) -> None:
    """Refuse what the API refuses beyond its shapes, in words like its own."""
    turns = body.get("messages") or []
    if not turns or turns[0]["role"] != "user":
        raise Refused("A conversation must start with a user message. Try again with a conversation that does.")
    waiting: list[str] = []
    for position, turn in enumerate(turns):
        blocks = turn["content"]
        if position and turns[position - 1]["role"] == turn["role"]:
            raise Refused(f"messages.{position}: roles must alternate between user and assistant")
        if not blocks:
            raise Refused(f"The content field in the Message object at messages.{position} is empty.")
        inner = [text for block in blocks if "toolResult" in block for text in block["toolResult"]["content"]]
        if any("text" in block and not block["text"].strip() for block in [*blocks, *inner]):
            raise Refused(f"The text field in the ContentBlock object at messages.{position} is blank.")
        results = [block["toolResult"]["toolUseId"] for block in blocks if "toolResult" in block]
        if sorted(results) != sorted(waiting):
            raise Refused(f"messages.{position}: the toolResult blocks don't match the toolUse blocks before them")
        waiting = [block["toolUse"]["toolUseId"] for block in blocks if "toolUse" in block]
        if (waiting or results) and "toolConfig" not in body:
            raise Refused("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        if any(not isinstance(block["toolUse"]["input"], dict) for block in blocks if "toolUse" in block):
            raise Refused(f"messages.{position}: the format of the value at toolUse.input is invalid")
    tools = [tool["toolSpec"] for tool in (body.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in tool]
    if any(tool["inputSchema"]["json"].get("type") != "object" for tool in tools):
        raise Refused("The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of: object.")


def _messages(turns: Sequence[Mapping[str, Any]]) -> Iterator[Message]:
    for turn in turns:
        parts: list[Part] = []
        calls: list[ToolCall] = []
        for block in turn["content"]:
            if "toolResult" in block:
                texts = tuple(TextPart(inner["text"]) for inner in block["toolResult"]["content"])
                yield Message(role="tool", parts=texts, tool_call_id=block["toolResult"]["toolUseId"])
            elif "text" in block:
                parts.append(TextPart(block["text"]))
            elif "toolUse" in block:
                use = block["toolUse"]
                calls.append(ToolCall(use["toolUseId"], use["name"], msgspec.json.encode(use["input"]).decode()))
            elif "reasoningContent" in block:
                parts.append(_thought(block["reasoningContent"]))
        if parts or calls:
            yield Message(role=turn["role"], parts=tuple(parts), tool_calls=tuple(calls))


def _thought(block: Mapping[str, Any]) -> ReasoningPart:
    if "redactedContent" in block:
        return ReasoningPart("", _REDACTED + b64decode(block["redactedContent"]).decode())
    return ReasoningPart(block["reasoningText"]["text"], block["reasoningText"].get("signature", ""))


def _choice(written: Mapping[str, Any]) -> str:
    if "tool" in written:
        return str(written["tool"]["name"])
    return "required" if "any" in written else "auto" if "auto" in written else ""


def _top_k(fields: Mapping[str, Any]) -> int | None:
    value = fields.get("top_k", fields.get("k", fields.get("inferenceConfig", {}).get("topK")))
    return value if isinstance(value, int) else None


def _blocks(choice: Choice) -> Iterator[dict[str, Any]]:
    for part in choice.parts:
        if isinstance(part, TextPart):
            yield {"text": part.text}
        elif part.signature.startswith(_REDACTED):
            hidden = b64encode(part.signature.removeprefix(_REDACTED).encode()).decode()
            yield {"reasoningContent": {"redactedContent": hidden}}
        else:
            signed = {"signature": part.signature} if part.signature else {}
            yield {"reasoningContent": {"reasoningText": {"text": part.text, **signed}}}
    for call in choice.tool_calls:
        arguments = msgspec.json.decode(call.arguments or "{}")
        yield {"toolUse": {"toolUseId": call.id, "name": call.name, "input": arguments}}


def _deltas(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "text" in block:
        return [{"text": piece} for piece in cut(block["text"])]
    if "toolUse" in block:
        return [{"toolUse": {"input": piece}} for piece in cut(msgspec.json.encode(block["toolUse"]["input"]).decode())]
    thought = block["reasoningContent"]
    if "redactedContent" in thought:
        return [{"reasoningContent": thought}]
    written = thought["reasoningText"]
    deltas = [{"reasoningContent": {"text": piece}} for piece in cut(written["text"])]
    return deltas + [{"reasoningContent": {"signature": written["signature"]}}] * ("signature" in written)


def _usage(usage: Usage) -> dict[str, int]:
    cached = usage.cached_tokens or 0
    counts = {
        "inputTokens": usage.prompt_tokens - cached,
        "outputTokens": usage.completion_tokens,
        "totalTokens": usage.total_tokens,
    }
    return counts if usage.cached_tokens is None else {**counts, "cacheReadInputTokens": cached}
