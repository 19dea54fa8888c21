"""``conversation.mistral``: Mistral AI's chat completions (contract sheet, section 10.2).

What differs from OpenAI's is told by Mistral's API reference. The rules for ids and for the order of messages are those
that its public package mistral-common checks requests with.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import ClassVar, Final

from msgspec.structs import replace

from jackfield import ConversationRequest, RegisterComponents, hookimpl
from jackfield_openai import ChatBody, ChatMessage, CompatibleConversation, Dialect, KeyedSettings

__all__ = ["MistralConversation", "mistral_id", "register_components"]

# Checked on 2026-11-23: Dapr's open-mistral-7b is retired, and Mistral names Ministral 8B as its successor.
DEFAULT_MODEL: Final = "ministral-8b-latest"
DEFAULT_ENDPOINT: Final = "https://api.mistral.ai/v1"

_DIALECT: Final = Dialect(seed_field="random_seed", required="any", stream_usage=False, retentions=(), tool_names=True)
_ID = re.compile(r"[A-Za-z0-9]{9}")
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BRIDGE: Final = ChatMessage("assistant", "Understood.")


class MistralConversation(CompatibleConversation[KeyedSettings]):
    """A component that one of Mistral's models answers for."""

    Settings = KeyedSettings
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({"opaque": "the API signs nothing"})
    default_model: ClassVar[str] = DEFAULT_MODEL
    model_variables: ClassVar[tuple[str, ...]] = ("MISTRAL_MODEL",)
    default_endpoint: ClassVar[str] = DEFAULT_ENDPOINT

    def dialect(self, model: str) -> Dialect:  # noqa: ARG002
        """Return what the API understands, whatever the model."""
        return _DIALECT

    def body(self, request: ConversationRequest, model: str, *, stream: bool) -> ChatBody:
        """Return the body, with ids and an order of messages that the API accepts."""
        body = super().body(request, model, stream=stream)
        body.messages = _in_order(list(_with_ids(body.messages)))
        return body


def mistral_id(text: str) -> str:
    """Return a tool call's id in the form that the API asks for: nine letters and digits.

    An id from elsewhere always becomes the same one, so that calls and results still belong together.
    """
    if _ID.fullmatch(text):
        return text
    number = int.from_bytes(sha256(text.encode()).digest()[:16])
    return "".join(_LETTERS[number // 62**place % 62] for place in range(9))


def _with_ids(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Give calls and results their ids.

    Calls without ids get some of their own, or all of them would have the same one. A result without an id belongs to
    the first of those calls that has none yet.
    """
    waiting: deque[str] = deque()
    for place, message in enumerate(messages):
        if message.tool_calls:
            numbered = [
                call.id or f"call {number} of message {place}" for number, call in enumerate(message.tool_calls)
            ]
            ids = [mistral_id(text) for text in numbered]
            pairs = list(zip(message.tool_calls, ids, strict=True))
            waiting = deque(made for call, made in pairs if not call.id)
            yield replace(message, tool_calls=[replace(call, id=made) for call, made in pairs])
        elif message.tool_call_id is not None:
            nameless = not message.tool_call_id and waiting
            yield replace(message, tool_call_id=waiting.popleft() if nameless else mistral_id(message.tool_call_id))
        else:
            yield message


def _in_order(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Bring messages into an order that the API accepts.

    System text stands before the first reply, a tool's result is followed by the assistant, an assistant says
    something, and one that has the last word is to be continued.
    """
    told = [message for message in messages if message.content or message.tool_calls or message.role != "assistant"]
    begun = next((place for place, message in enumerate(told) if message.role in {"assistant", "tool"}), len(told))
    late = [message for message in told[begun:] if message.role == "system"]
    leading = next((place for place, message in enumerate(told) if message.role != "system"), begun)
    ordered = [*told[:leading], *late, *told[leading:begun]]
    for message in told[begun:]:
        if message.role == "system":
            continue
        if message.role == "user" and ordered and ordered[-1].role == "tool":
            ordered.append(_BRIDGE)
        ordered.append(message)
    if ordered and ordered[-1].role == "assistant" and not ordered[-1].tool_calls:
        ordered[-1] = replace(ordered[-1], prefix=True)
    return ordered


@hookimpl
def register_components(register: RegisterComponents) -> None:
    """Register ``conversation.mistral``."""
    register.conversation("conversation.mistral", MistralConversation)
