"""The dialect: requests into the host's terms, the host's replies into Converse's."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import msgspec

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
from jackfield_bedrock.testing.checks import check_rules, check_shapes
from jackfield_bedrock.testing.frames import frames

__all__ = ["Converse"]

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
        check_shapes({**body, "modelId": unquote(target[1])})
        check_rules(body)
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
