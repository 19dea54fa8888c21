"""OpenAI's chat completions API, as OpenAI and every compatible server speak it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jackfield.events import Choice, FinishReason, Usage
from jackfield.messages import (
    ConversationRequest,
    GenerationSettings,
    Message,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)
from jackfield.testing.dialect import Dialect, cut
from jackfield.testing.script import Fail, Refused, Say, Script
from jackfield.testing.upstream import Exchange, event_stream

__all__ = ["ChatCompletions", "chat"]


class ChatCompletions(Dialect):
    """``POST /chat/completions`` of OpenAI's API reference. Derive from it for a server that differs."""

    path: ClassVar[str] = "/v1"
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        "stop": "stop",
        "length": "length",
        "tool_calls": "tool_calls",
        "content_filter": "content_filter",
    }

    def read(self, exchange: Exchange) -> ConversationRequest:
        """Say what was asked; see ``Dialect.read``."""
        if not exchange.target.partition("?")[0].endswith("/chat/completions"):
            raise Refused(f"there is nothing at {exchange.target}", 404)
        body = exchange.body
        for name in ("model", "messages"):
            if not body.get(name):
                raise Refused(f"Missing required parameter: '{name}'.")
        stop = body.get("stop")
        return ConversationRequest(
            component="",
            messages=tuple(self.read_message(message) for message in body["messages"]),
            tools=tuple(_tool(tool["function"]) for tool in body.get("tools") or ()),
            tool_choice=_choice(body.get("tool_choice")),
            response_format=_format(body.get("response_format")),
            settings=GenerationSettings(
                temperature=body.get("temperature"),
                max_tokens=body.get("max_completion_tokens", body.get("max_tokens")),
                top_p=body.get("top_p"),
                top_k=body.get("top_k"),
                stop=(stop,) if isinstance(stop, str) else tuple(stop) if stop else None,
                seed=body.get("seed"),
                presence_penalty=body.get("presence_penalty"),
                frequency_penalty=body.get("frequency_penalty"),
                n=body.get("n"),
            ),
            model=body["model"],
            stream=bool(body.get("stream")),
        )

    def read_message(self, message: Mapping[str, Any]) -> Message:
        """Read one message."""
        content = message.get("content")
        texts = [content] if isinstance(content, str) else [part["text"] for part in content or () if "text" in part]
        parts: list[Part] = [TextPart(text) for text in texts]
        if message["role"] not in {"developer", "system", "user", "assistant", "tool"}:
            raise Refused(f"Invalid value: '{message['role']}'.")
        if message["role"] == "tool" and not message.get("tool_call_id"):
            raise Refused("Missing required parameter: 'tool_call_id'.")
        return Message(
            role=message["role"],
            parts=tuple(parts),
            name=message.get("name") or "",
            tool_calls=tuple(self.read_call(call) for call in message.get("tool_calls") or ()),
            tool_call_id=message.get("tool_call_id") or "",
        )

    def read_call(self, call: Mapping[str, Any]) -> ToolCall:
        """Read a tool call of an earlier turn."""
        return ToolCall(call["id"], call["function"]["name"], call["function"]["arguments"])

    def write_call(self, call: ToolCall) -> dict[str, Any]:
        """Write a tool call."""
        return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}

    def whole(self, reply: Say, exchange: Exchange) -> Any:
        """Write a reply in one piece; see ``Dialect.whole``."""
        choices = [
            {
                "index": index,
                "message": self._message(choice),
                "logprobs": None,
                "finish_reason": self.word(reply, index),
            }
            for index, choice in enumerate(reply.result.choices)
        ]
        body = {**_shared(reply, exchange), "object": "chat.completion", "choices": choices}
        return body if reply.result.usage is None else {**body, "usage": _usage(reply.result.usage)}

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Write a reply as a stream; see ``Dialect.pieces``."""
        shared = {**_shared(reply, exchange), "object": "chat.completion.chunk"}
        chunks: list[dict[str, Any]] = []
        for index, choice in enumerate(reply.result.choices):
            ended = [*((delta, None) for delta in self._deltas(choice)), ({}, self.word(reply, index))]
            pieces = [{"index": index, "delta": delta, "finish_reason": reason} for delta, reason in ended]
            chunks += [{**shared, "choices": [piece]} for piece in pieces]
        wanted = exchange.body.get("stream_options") or {}
        if wanted.get("include_usage") and reply.result.usage is not None:
            chunks.append({**shared, "choices": [], "usage": _usage(reply.result.usage)})
        return event_stream(chunks)

    def failure(self, reply: Fail) -> Any:
        """Write the body of a refusal; see ``Dialect.failure``."""
        return {"error": {"message": reply.message, "type": "invalid_request_error", "param": None, "code": None}}

    def _message(self, choice: Choice) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": choice.text or None, "refusal": None}
        if not choice.tool_calls:
            message["content"] = choice.text
        if reasoning := _reasoning(choice):
            message["reasoning_content"] = reasoning
        if choice.tool_calls:
            message["tool_calls"] = [self.write_call(call) for call in choice.tool_calls]
        return message

    def _deltas(self, choice: Choice) -> list[dict[str, Any]]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if choice.tool_calls else ""}]
        deltas += [{"reasoning_content": piece} for piece in cut(_reasoning(choice))]
        deltas += [{"content": piece} for piece in cut(choice.text)]
        for number, call in enumerate(choice.tool_calls):
            written = self.write_call(call)
            arguments = written["function"].pop("arguments")
            deltas.append(
                {"tool_calls": [{"index": number, **written, "function": {**written["function"], "arguments": ""}}]}
            )
            deltas += [
                {"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in cut(arguments, 4)
            ]
        return deltas


async def chat(exchange: Exchange) -> None:
    """Answer one request as OpenAI does: a ``Behaviour`` without a script."""
    await Script(ChatCompletions())(exchange)


def _tool(function: Mapping[str, Any]) -> Tool:
    return Tool(
        name=function["name"], description=function.get("description") or "", parameters=function.get("parameters")
    )


def _choice(choice: Any) -> str:
    return choice["function"]["name"] if isinstance(choice, dict) else choice or ""


def _format(written: Mapping[str, Any] | None) -> ResponseFormat | None:
    if written is None or written["type"] == "text":
        return None
    if written["type"] == "json_object":
        return ResponseFormat(schema=None)
    described = written["json_schema"]
    return ResponseFormat(
        schema=described["schema"],
        name=described.get("name", ""),
        description=described.get("description", ""),
        strict=bool(described.get("strict")),
    )


def _shared(reply: Say, exchange: Exchange) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1, "model": reply.result.model or f"{exchange.body['model']}-2026-01-01"}


def _reasoning(choice: Choice) -> str:
    return "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart))


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
