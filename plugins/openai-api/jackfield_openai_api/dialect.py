"""``POST /v1/chat/completions``: OpenAI's API in front of the components."""

from __future__ import annotations

from time import time

from jackfield import ConversationRequest, RequestError, Result
from jackfield.frontends import Call, OverridePolicy, Refusal
from jackfield_openai_api.errors import refusal
from jackfield_openai_api.replies import encode_reply
from jackfield_openai_api.requests import ChatRequest
from jackfield_openai_api.streams import ChunkEncoder

__all__ = ["ChatCompletions"]


class ChatCompletions:
    """The API; a ``Dialect``."""

    name = "openai"
    success = 200

    def read(self, call: Call) -> ChatExchange:
        """Read a request's body; see ``Dialect.read``."""
        return ChatExchange(ChatRequest(call), f"chatcmpl-{call.record.request_id}")

    def refuse(self, error: RequestError) -> Refusal:
        """Write an error; see ``Dialect.refuse``."""
        return refusal(error)


class ChatExchange:
    """One request and its reply; an ``Exchange``.

    Args:
        asked: the request.
        completion_id: the reply's id.
    """

    def __init__(self, asked: ChatRequest, completion_id: str) -> None:
        self._asked = asked
        self._id = completion_id
        self._created = int(time())

    @property
    def component(self) -> str:
        """The component that is asked."""
        return self._asked.component

    def request(self, overrides: OverridePolicy) -> ConversationRequest:
        """Make the chain's request; see ``Exchange.request``."""
        return self._asked.decode(overrides)

    def reply(self, result: Result) -> bytes:
        """Write a whole reply."""
        return encode_reply(result, completion_id=self._id, created=self._created, model=self._asked.model)

    def stream(self) -> ChunkEncoder:
        """Give what writes a streamed reply."""
        return ChunkEncoder(
            completion_id=self._id,
            created=self._created,
            model=self._asked.model,
            include_usage=self._asked.include_usage,
        )
