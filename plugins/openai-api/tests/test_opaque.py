"""Data that a provider wants back with a streamed call: clients return it, and one that comes late spoils nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_openai import ChatOpenAI
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import SecretStr

from jackfield import (
    Conversation,
    ConversationRequest,
    Delta,
    Event,
    Finish,
    RegisterComponents,
    Settings,
    TextPart,
    ToolCall,
    ToolCallPart,
    hookimpl,
)
from jackfield.testing import RunningHost

MANIFEST = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: late}\n"
CALL = ToolCall("call_1", "look", '{"at": 1}', "signed")


class Late(Conversation[Settings]):
    """Calls a tool and signs the call, in its first piece or in its last; says what it gets back."""

    async def stream(self, request: ConversationRequest) -> AsyncGenerator[Event, None]:
        """Answer a request."""
        if request.messages[-1].role == "tool":
            (call,) = request.messages[-2].tool_calls
            answered = request.messages[-1].tool_call_id
            yield Delta(TextPart(f"{call.id} {call.opaque} {answered}"))
            yield Finish("stop")
            return
        late = request.messages[-1].text == "late"
        yield Delta(ToolCallPart(0, "call_1", "look", opaque="" if late else "signed"))
        yield Delta(ToolCallPart(0, arguments='{"at"'))
        yield Delta(ToolCallPart(0, arguments=": 1}"))
        if late:
            yield Delta(ToolCallPart(0, opaque="signed"))
        yield Finish("tool_calls")


@pytest.fixture(name="url")
def _url(tmp_path: Path) -> Generator[str, None, None]:
    """Run a host with that component; the base address."""

    @hookimpl
    def register_components(register: RegisterComponents) -> None:
        register.conversation("conversation.late", Late)

    module = ModuleType("late")
    module.register_components = register_components  # type: ignore[attr-defined]
    (tmp_path / "late.yaml").write_text(f"{MANIFEST}spec: {{type: conversation.late, version: v1}}\n", encoding="utf-8")
    with RunningHost(tmp_path, plugins=(module,)) as running:
        yield f"http://127.0.0.1:{running.port}/v1"


Gather = Callable[[OpenAI, ChatCompletionMessageParam], tuple[str, str]]
WHEN = pytest.mark.parametrize(("when", "returned"), [("early", "signed"), ("late", "")])


def joined(client: OpenAI, said: ChatCompletionMessageParam) -> tuple[str, str]:
    """Let OpenAI's client put the pieces together; gives the call's id and arguments."""
    with client.chat.completions.stream(model="late", messages=[said]) as events:
        calls: Any = events.get_final_completion().choices[0].message.tool_calls
    assert len(calls) == 1
    return calls[0].id, calls[0].function.arguments


def newest(client: OpenAI, said: ChatCompletionMessageParam) -> tuple[str, str]:
    """Take the newest id, as many a loop over chunks does."""
    own_id, arguments = "", ""
    for chunk in client.chat.completions.create(model="late", messages=[said], stream=True):
        for call in chunk.choices[0].delta.tool_calls or ():
            own_id = call.id or own_id
            arguments += (call.function and call.function.arguments) or ""
    return own_id, arguments


@WHEN
@pytest.mark.parametrize("gather", [joined, newest])
def test_official_client(url: str, gather: Gather, when: str, returned: str) -> None:
    """The data comes back with the call's own id, however the client put that together."""
    said: ChatCompletionMessageParam = {"role": "user", "content": when}
    with OpenAI(base_url=url, api_key="any", max_retries=0) as client:
        own_id, arguments = gather(client, said)
        assert arguments == CALL.arguments
        called: Any = {"id": own_id, "type": "function", "function": {"name": "look", "arguments": arguments}}
        messages: list[ChatCompletionMessageParam] = [
            said,
            {"role": "assistant", "tool_calls": [called]},
            {"role": "tool", "tool_call_id": own_id, "content": "a tree"},
        ]
        reply = client.chat.completions.create(model="late", messages=messages)
    assert reply.choices[0].message.content == f"call_1 {returned} call_1"


@WHEN
def test_langchain(url: str, when: str, returned: str) -> None:
    """LangChain joins messages of its own kind, by the calls' ids."""
    chat = ChatOpenAI(base_url=url, api_key=SecretStr("any"), model="late", max_retries=0)
    whole: Any = None
    for chunk in chat.stream(when):
        whole = chunk if whole is None else whole + chunk
    (call,) = whole.tool_calls
    reply = chat.invoke([("user", when), whole, ToolMessage("a tree", tool_call_id=call["id"])])
    assert reply.content == f"call_1 {returned} call_1"
