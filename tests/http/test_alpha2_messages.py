"""Plain messages: the short way reads what the long way reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.http.alpha2_messages import read_message, read_plain
from jackfield.messages import Message, TextPart

PLAIN = [
    ({"ofUser": {"content": [{"text": "hi"}]}}, "user", ["hi"]),
    ({"of_user": {"content": [{"text": "hi"}, {"text": ""}]}}, "user", ["hi", ""]),
    ({"ofSystem": {"content": []}}, "system", []),
    ({"of_developer": {"content": [{"text": "hi"}]}}, "developer", ["hi"]),
    ({"ofAssistant": {"content": [{"text": "hi"}]}}, "assistant", ["hi"]),
    ({"ofTool": {"content": [{"text": "hi"}]}}, "tool", ["hi"]),
]
KEYS = ["ofUser", "of_user", "ofAssistant", "ofTool", "name", "content", "toolCalls", "tool_id", "text", "x"]
TREES = st.recursive(
    st.one_of(st.none(), st.just("hi"), st.just(1)),
    lambda trees: st.one_of(st.lists(trees, max_size=2), st.dictionaries(st.sampled_from(KEYS), trees, max_size=2)),
    max_leaves=5,
)
PARTS = st.lists(st.one_of(st.fixed_dictionaries({"text": st.one_of(st.just("hi"), TREES)}), TREES), max_size=3)
BODIES = st.one_of(st.fixed_dictionaries({"content": st.one_of(PARTS, TREES)}, optional={"name": TREES}), TREES)
MESSAGES = st.one_of(st.dictionaries(st.sampled_from(KEYS[:4]), BODIES, max_size=2), TREES)


@pytest.mark.parametrize(("sent", "role", "texts"), PLAIN)
def test_a_plain_message_is_read_the_short_way(sent: Any, role: Any, texts: list[str]) -> None:
    """A message of one speaker and texts, in either spelling, needs no more than the short way."""
    parts = tuple(TextPart(text) for text in texts)
    assert read_plain(sent, 2, scrub=True) == Message(role=role, parts=parts, input=2, scrub=True)


@given(MESSAGES, st.booleans())
def test_the_short_way_reads_what_the_long_way_reads(sent: Any, scrub: bool) -> None:
    """Whatever the short way takes, it takes as the long way does, which has no doubt about it."""
    message = read_plain(sent, 1, scrub=scrub)
    if message is not None:
        doubts: list[str] = []
        assert message == read_message(sent, "here", 1, scrub=scrub, doubts=doubts)
        assert doubts == []
