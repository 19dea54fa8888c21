"""The nasty scalars of YAML: what they are as a field, and what they are as a metadata value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.manifests.documents import Document
from jackfield.manifests.reading import parse_document
from jackfield.manifests.scalars import go_text, resolve
from jackfield.manifests.yaml import MappingNode, parse, to_json

NASTY: list[tuple[str, object, str | None]] = [
    ("yes", True, "yes"),
    ("No", False, "No"),
    ("on", True, "on"),
    ("OFF", False, "OFF"),
    ("y", True, "y"),
    ("N", False, "N"),
    ("true", True, "true"),
    ("TrUe", "TrUe", "TrUe"),
    ("null", None, None),
    ("~", None, None),
    ("", None, None),
    ("Null", None, None),
    ("nULL", "nULL", "nULL"),
    ("2024-10-21", "2024-10-21", "2024-10-21"),
    ("2024-10-21T10:00:00Z", "2024-10-21T10:00:00Z", "2024-10-21T10:00:00Z"),
    ("1:30", "1:30", "1:30"),
    ("190:20:30.15", "190:20:30.15", "190:20:30.15"),
    ("1.10", 1.1, "1.10"),
    ("0123", 83, "0123"),
    ("08", 8.0, "08"),
    ("0o17", 15, "0o17"),
    ("0x1F", 31, "0x1F"),
    ("0b101", 5, "0b101"),
    ("-0b11", -3, "-0b11"),
    ("1_000", 1000, "1_000"),
    ("+12", 12, "+12"),
    ("1e3", 1000.0, "1e3"),
    (".5", 0.5, ".5"),
    ("._5", "._5", "._5"),
    ("1e999", "1e999", "1e999"),
    (".inf", ".inf", ".inf"),
    (".NaN", ".NaN", ".NaN"),
    ("18446744073709551615", 18446744073709551615, "18446744073709551615"),
    ("18446744073709551616", 1.8446744073709552e19, "18446744073709551616"),
    ("0x10000000000000000", 0x10000000000000000, "0x10000000000000000"),
    ("0x", "0x", "0x"),
    ("12:", "12:", "12:"),
    ("=", "=", "="),
    ("<<", "<<", "<<"),
    ("'yes'", "yes", "yes"),
    ('"~"', "~", "~"),
    ("!!str 0123", "0123", "0123"),
    ("!!int 0123", 83, "0123"),
    ("! yes", "yes", "yes"),
    ("!!binary aGVsbG8=", "hello", "hello"),
    ("!own 1.10", "1.10", "1.10"),
    ("1.2.3", "1.2.3", "1.2.3"),
    ("gpt-4.1", "gpt-4.1", "gpt-4.1"),
]


def manifest(value: str) -> Document:
    """Return a manifest with one metadata item."""
    return Document(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec:\n  type: conversation.test\n"
        f"  metadata:\n  - name: item\n    value: {value}\n",
        1,
    )


@pytest.mark.parametrize(("text", "value"), [row[:2] for row in NASTY if row[0] != "12:"])
def test_a_scalar_means_what_it_means_in_go(text: str, value: object) -> None:
    """An ordinary field resolves as Go's YAML 1.1 does it, so that a manifest means here what it means to daprd."""
    tree = parse(Document(f"field: {text}\n", 1), "f.yaml")
    assert isinstance(tree.root, MappingNode)
    found = to_json(tree.root.entries[0][1])
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(("text", "kept"), [(row[0], row[2]) for row in NASTY if row[0] != "12:"])
def test_a_metadata_value_keeps_its_written_text(text: str, kept: str | None) -> None:
    """A scalar metadata value is the text in the file; only a plain null is no value."""
    parsed = parse_document(manifest(text), file="f.yaml")
    assert parsed.problems == ()
    assert parsed.manifest is not None
    assert parsed.manifest.items[0].value == kept
    assert parsed.manifest.items[0].has_value is (kept is not None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123", "123"),
        ("0123", "83"),
        ("1.10", "1.1"),
        ("yes", "true"),
        ("off", "false"),
        ("~", ""),
        ("1e6", "1e+06"),
        ("123456.5", "123456.5"),
        ("1234567.5", "1.2345675e+06"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("-0.0", "-0"),
        (".inf", "+Inf"),
        ("-.inf", "-Inf"),
        (".nan", "NaN"),
        ("v1", "v1"),
    ],
)
def test_a_number_where_text_is_wanted_is_written_as_go_writes_it(text: str, expected: str) -> None:
    """``name: 0123`` is the name ``83``, as it is to daprd."""
    assert go_text(resolve(text)) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_written_as_go_does_is_still_that_float(value: float) -> None:
    """Writing a float loses nothing of it."""
    assert float(go_text(value)) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_resolving_takes_any_text(text: str) -> None:
    """No plain scalar makes the resolver fail, and one that is no number, boolean or null is its own text."""
    value = resolve(text)
    assert value == text or not isinstance(value, str)


PRINTABLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff\u2028\u2029"), max_size=60
)


@given(PRINTABLE)
def test_any_text_survives_in_single_quotes(text: str) -> None:
    """What stands in single quotes is a metadata value as it stands, whatever it looks like."""
    parsed = parse_document(manifest("'" + text.replace("'", "''") + "'"), file="f.yaml")
    assert parsed.manifest is not None
    assert parsed.manifest.items[0].value == text
