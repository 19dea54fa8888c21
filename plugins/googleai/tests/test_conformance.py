"""The conformance kit, against a server that is as strict as Google's and streams as it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from jackfield import FinishReason, Message, ToolCall
from jackfield.testing import ChatCompletions, ConversationKit, Exchange, Fail, Refused, Say, cut, event_stream

KNOWN = {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format", "temperature"),
    *("max_tokens", "max_completion_tokens", "top_p", "stop", "n", "reasoning_effort"),
}


class GoogleAI(ChatCompletions):
    """Google's compatible API: unknown members and unsigned calls are errors, calls stream whole and unnumbered."""

    path: ClassVar[str] = "/v1beta/openai"
    finish_reasons: ClassVar[Mapping[str, FinishReason]] = {
        **ChatCompletions.finish_reasons,
        "SAFETY": "content_filter",
        "content_filter: PROHIBITED_CONTENT": "content_filter",
        "MAX_TOKENS": "length",
    }

    def read(self, exchange: Exchange) -> Any:
        """Refuse what Google's server refuses."""
        for name in exchange.body.keys() - KNOWN:
            raise Refused(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        asked = super().read(exchange)
        for message in asked.messages if exchange.body["model"].startswith("gemini-3") else ():
            if message.tool_calls and not message.tool_calls[0].opaque:
                raise Refused("Function call is missing a thought_signature in functionCall parts.")
        return asked

    def read_call(self, call: Mapping[str, Any]) -> ToolCall:
        """Read a call with its signature."""
        read = super().read_call(call)
        signature = call.get("extra_content", {}).get("google", {}).get("thought_signature", "")
        return ToolCall(read.id, read.name, read.arguments, signature)

    def write_call(self, call: ToolCall) -> dict[str, Any]:
        """Write a call with its signature."""
        signed = {"extra_content": {"google": {"thought_signature": call.opaque}}} if call.opaque else {}
        return {**super().write_call(call), **signed}

    def pieces(self, reply: Say, exchange: Exchange) -> Sequence[bytes]:
        """Stream text in pieces and calls in one each."""
        whole = self.whole(reply, exchange)
        chunks: list[dict[str, Any]] = []
        for choice in whole["choices"]:
            message = choice["message"]
            deltas: list[dict[str, Any]] = [
                {name: piece} for name in ("reasoning_content", "content") for piece in cut(message.get(name) or "")
            ]
            deltas += [{"tool_calls": [call]} for call in message.get("tool_calls", ())]
            ended = [*((delta, None) for delta in deltas), ({"role": "assistant"}, choice["finish_reason"])]
            chunks += [{"choices": [{"index": choice["index"], "delta": d, "finish_reason": f}]} for d, f in ended]
        return event_stream([{"model": whole["model"], "usage": whole.get("usage"), **chunk} for chunk in chunks])

    def failure(self, reply: Fail) -> Any:
        """Write an error as Google does: in a list."""
        return [{"error": {"code": reply.status, "message": reply.message, "status": "INVALID_ARGUMENT"}}]


class TestGoogleAI(ConversationKit):
    type_name = "conversation.googleai"
    dialect = GoogleAI
    metadata: ClassVar[Mapping[str, Any]] = {"key": "AIza-test-0123456789", "model": "gemini-3.8-flash"}
    live: ClassVar[Mapping[str, str]] = {"key": "GEMINI_API_KEY"}


def test_messages_are_read() -> None:
    """The server above tells signed from unsigned calls; a check that can't fail would be none."""
    call = GoogleAI().write_call(ToolCall("a", "look", "{}", "c2ln"))
    read = GoogleAI().read_message({"role": "assistant", "content": None, "tool_calls": [call]})
    assert read == Message(role="assistant", tool_calls=(ToolCall("a", "look", "{}", "c2ln"),))
