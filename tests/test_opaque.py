"""A provider's opaque data goes to the client with a call and comes back with the next turn."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from jackfield import Choice, ConversationRequest, Message, Result, ToolCall
from jackfield.http.alpha2_messages import read_message
from jackfield.http.alpha2_reply import encode_alpha2
from jackfield.opaque import carried_id, split_id

ids = st.text(max_size=20).filter(lambda text: "~" not in text)


def read(sent: object) -> Message | None:
    """Read one message of a request."""
    doubts: list[str] = []
    message = read_message(sent, "inputs[0].messages[0]", 0, scrub=False, doubts=doubts)
    assert doubts == []
    return message


@given(ids, st.text(max_size=60))
def test_what_an_id_carries_comes_back(own_id: str, opaque: str) -> None:
    """Any data, even one that looks like the mark itself, is parted from the provider's own id."""
    assert split_id(carried_id(ToolCall(own_id, "f", "{}", opaque))) == (own_id, opaque)


def test_a_client_that_returns_the_calls_it_got_returns_the_data() -> None:
    """Over alpha2 the call comes back as the provider wrote it, and its result names the provider's own id."""
    calls = (ToolCall("call_1", "f", "{}", "signed~opaque~data"), ToolCall("call_2", "g", "{}"))
    asked = ConversationRequest(component="llm", messages=())
    reply = json.loads(encode_alpha2(asked, Result((Choice((), calls, "tool_calls"),))))
    sent = reply["outputs"][0]["choices"][0]["message"]["toolCalls"]
    assert sent[1]["id"] == "call_2"

    returned = read({"ofAssistant": {"toolCalls": sent}})
    result = read({"ofTool": {"toolId": sent[0]["id"], "name": "f", "content": [{"text": "1"}]}})

    assert returned is not None
    assert returned.tool_calls == calls
    assert result is not None
    assert result.tool_call_id == "call_1"
