"""Spellings of wire fields."""

from __future__ import annotations

import pytest

from jackfield.errors import MalformedRequest
from jackfield.http.spelling import SCRUB, Fields, folded

FIELDS = Fields("toolCalls", "name", ("contextID",), SCRUB, any_case=SCRUB[:1])


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("toolCalls", "toolCalls"),
        ("tool_calls", "toolCalls"),
        ("name", "name"),
        ("contextID", "contextID"),
        ("scrubPII", "scrubPII"),
        ("scrubPii", "scrubPII"),
        ("scrub_pii", "scrubPII"),
        ("ScrubPII", "scrubPII"),
        ("scrubpii", "scrubPII"),
        ("SCRUB_PII", "scrubPII"),
    ],
)
def test_each_spelling_is_its_field(spelling: str, name: str) -> None:
    """A field is found under each of its spellings; the scrub flag in any case, as overlooking it leaks."""
    assert FIELDS.read({spelling: 1}, "") == {name: 1}


@pytest.mark.parametrize("unknown", ["ToolCalls", "tool-calls", "contextId", "context_i_d", "toolcalls", "Name", ""])
def test_other_names_are_unknown_and_left_out(unknown: str) -> None:
    """Only the scrub flag is known in any case; other names are dropped, as protojson does."""
    others: dict[str, object] = {}
    assert FIELDS.read({unknown: 1, "name": "x"}, "", others) == {"name": "x"}
    assert others == {unknown: 1}


@pytest.mark.parametrize("value", [True, None])
@pytest.mark.parametrize("pair", [("toolCalls", "tool_calls"), ("scrubPII", "scrub_pii"), ("scrubPii", "SCRUBPII")])
def test_two_spellings_of_a_field_are_refused(pair: tuple[str, str], value: object) -> None:
    """Both spellings at once are an error even where one is null, and the error names place and field."""
    with pytest.raises(MalformedRequest, match=r"inputs\[3\]: the field \w+ is given in two spellings; send one"):
        FIELDS.read(dict.fromkeys(pair, value), "inputs[3]")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        ([], "an array"),
        ("x", "a string"),
        (1, "a number"),
        (1.5, "a number"),
        (True, "a boolean"),
    ],
)
def test_what_is_no_object_is_refused(value: object, kind: str) -> None:
    """A value that should be an object is told by its path and its JSON type."""
    with pytest.raises(MalformedRequest, match=f"the body: expected an object, got {kind}$"):
        FIELDS.read(value, "")


def test_folding_forgets_case_and_separators() -> None:
    """Names that differ only in case, underscores and hyphens fold to one."""
    assert {folded(name) for name in ("max_tokens", "maxTokens", "MAX-TOKENS", "MaxTokens")} == {"maxtokens"}
