"""The cache's key: everything but what is known not to matter."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from jackfield import (
    ConversationRequest,
    GenerationSettings,
    Headers,
    Message,
    Record,
    ResponseFormat,
    TextPart,
    Tool,
)
from jackfield.builtin.cache.stored import LEFT_OUT, key_of

MESSAGE = Message(role="user", parts=(TextPart("hi"),))
REQUEST = ConversationRequest(component="c", messages=(MESSAGE,))
OTHER: dict[str, Any] = {
    "messages": (replace(MESSAGE, scrubbed=("digest",)),),
    "tools": (Tool(name="t"),),
    "tool_choice": "none",
    "response_format": ResponseFormat(schema=None),
    "settings": GenerationSettings(seed=1),
    "model": "m",
    "metadata": {"a": "b"},
    "extra": {"reasoning_effort": "low"},
    "prompt_cache_retention": 1.0,
    "scrub_reply": True,
    "reply_scrubber": "digest",
    "answer_each_input": True,
    "component": "d",
    "context_id": "x",
    "cache_ttl": 1.0,
    "default_cache_ttl": 1.0,
    "reply_scrubbed": True,
    "stream": True,
    "headers": Headers([(b"a", b"b")]),
    "record": Record(request_id="other"),
}


def test_the_table_has_every_field() -> None:
    """A field that is added to requests has to be thought about here."""
    assert set(OTHER) == set(ConversationRequest.__struct_fields__)


@pytest.mark.parametrize("field", OTHER)
def test_a_field_is_in_the_key_unless_it_is_left_out(field: str) -> None:
    """Requests that differ in it have different keys, or the same if it is known not to matter."""
    same = key_of(REQUEST, "d", "") == key_of(replace(REQUEST, **{field: OTHER[field]}), "d", "")
    assert same is (field in LEFT_OUT)


def test_the_order_of_metadata_is_not_in_the_key_and_that_of_a_schema_is() -> None:
    """Metadata is a set of names and values; a model fills in a schema's properties in their order."""
    ways = [("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")]
    assert len({key_of(replace(REQUEST, metadata=dict(way)), "d", "") for way in ways}) == 1
    formats = [ResponseFormat(schema={"properties": dict(way)}) for way in ways]
    assert len({key_of(replace(REQUEST, response_format=one), "d", "") for one in formats}) == 2


@pytest.mark.parametrize(("digest", "partition"), [("e", ""), ("d", "tenant")])
def test_component_and_partition_are_in_the_key(digest: str, partition: str) -> None:
    """Neither another component nor another tenant shares an entry."""
    assert key_of(REQUEST, "d", "") != key_of(REQUEST, digest, partition)
