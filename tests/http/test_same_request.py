"""Any request decodes to the same thing in both spellings."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.http.alpha2 import decode_alpha2
from jackfield.http.strict_json import parse
from jackfield.messages import ConversationRequest, Record
from jackfield.overrides import OverridePolicy

POLICY = OverridePolicy.from_manifest(None)


class Name(str):
    """A field's JSON name, apart from keys that a caller chose and that nobody respells."""

    __slots__ = ()


def respelled(value: Any) -> Any:
    """Return a request with every field's proto name in place of its JSON name."""
    if isinstance(value, dict):
        return {snake(key) if isinstance(key, Name) else key: respelled(item) for key, item in value.items()}
    return [respelled(item) for item in value] if isinstance(value, list) else value


def snake(name: str) -> str:
    """Return a JSON name's proto name."""
    return re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name)


def message_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Make objects of which every field may be absent."""
    return st.fixed_dictionaries({}, optional={Name(name): strategy for name, strategy in fields.items()})


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEY = TEXT.map(lambda text: f"x_{text}")  # no key of these names a setting
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
CONTENT = st.lists(message_of(text=TEXT), max_size=3)
CALL = st.builds(
    lambda rest, function: {**rest, Name("function"): function},
    message_of(id=TEXT),
    message_of(name=TEXT, arguments=TEXT),
)
PLAIN = message_of(name=TEXT, content=CONTENT)
MESSAGE = st.one_of(
    PLAIN.map(lambda fields: {Name("ofDeveloper"): fields}),
    PLAIN.map(lambda fields: {Name("ofSystem"): fields}),
    PLAIN.map(lambda fields: {Name("ofUser"): fields}),
    message_of(name=TEXT, content=CONTENT, toolCalls=st.lists(CALL, max_size=2)).map(
        lambda fields: {Name("ofAssistant"): fields}
    ),
    message_of(name=TEXT, content=CONTENT, toolId=TEXT).map(lambda fields: {Name("ofTool"): fields}),
)
INPUT = message_of(messages=st.lists(MESSAGE, max_size=4), scrubPii=st.booleans())
FUNCTION = message_of(name=TEXT, description=TEXT, parameters=st.dictionaries(TEXT, JSON, max_size=3))
REQUEST = st.builds(
    lambda inputs, rest: {Name("inputs"): inputs, **rest},
    st.lists(INPUT, min_size=1, max_size=3),
    message_of(
        contextId=TEXT,
        parameters=st.dictionaries(KEY, JSON, max_size=2) | st.just({"maxTokens": 3}),
        metadata=st.dictionaries(KEY, TEXT, max_size=3),
        scrubPii=st.booleans(),
        temperature=st.floats(0, 2),
        tools=st.lists(message_of(function=FUNCTION), max_size=3),
        toolChoice=st.sampled_from(["", "auto", "none"]),
        responseFormat=st.sampled_from([{"type": "object", "toolCalls": 1}, {"type": "text"}]),
        promptCacheRetention=st.sampled_from(["1s", "24h"]),
        maxTokens=st.integers(1, 2**31) | st.integers(1, 2**31).map(str),
        topP=st.floats(0, 1),
        presencePenalty=st.floats(-2, 2),
    ),
)


def decode(members: Any, record: Record) -> ConversationRequest:
    """Decode a request for the component llm."""
    return decode_alpha2(parse(json.dumps(members).encode()), component="llm", policy=POLICY, record=record)


@settings(max_examples=200, deadline=None, database=None)
@given(REQUEST)
def test_json_names_and_proto_names_mean_the_same(members: Any) -> None:
    """A request in camelCase and the same in snake_case are equal, and nothing that was said is lost."""
    record = Record()
    request = decode(members, record)
    assert request == decode(respelled(members), record)
    sent = [message for entry in members["inputs"] for message in entry.get("messages", [])]
    assert len(request.messages) == len(sent)
    for message, ((member, fields),) in zip(request.messages, (message.items() for message in sent), strict=True):
        assert member == f"of{message.role.title()}"
        assert [part.text for part in message.parts] == [part.get("text", "") for part in fields.get("content", [])]
        assert message.name == fields.get("name", "")
    wishes = [entry.get("scrubPii", False) for entry in members["inputs"] for _ in entry.get("messages", [])]
    assert [message.scrub for message in request.messages] == wishes
    assert request.scrub_reply is members.get("scrubPii", False)
    assert request.metadata == members.get("metadata", {})
