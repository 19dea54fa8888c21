"""Splitting a file into documents (contract sheet, section 4.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.errors import ManifestError
from jackfield.manifests.documents import decode_file, split

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8), max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\n", [("a: 1\n", 1)]),
        ("---\na: 1\n", [("a: 1\n", 2)]),
        ("--- # first\na: 1\n---anything: here\nb: 2", [("a: 1\n", 2), ("b: 2", 4)]),
        ("a: 1\r\n---\r\nb: 2\r\n", [("a: 1\r\n", 1), ("b: 2\r\n", 3)]),
        ("---\n---\n\n---\na: 1\n---\n", [("a: 1\n", 5)]),
        ("# only\n# comments\n", []),
        ("%YAML 1.1\n---\na: 1\n", [("a: 1\n", 3)]),
        ("a: |\n  ---\n  b\n", [("a: |\n  ---\n  b\n", 1)]),
        ("a: 1\n---", [("a: 1\n", 1)]),
    ],
)
def test_documents_begin_after_a_line_of_three_dashes(text: str, expected: list[tuple[str, int]]) -> None:
    """A line that begins with --- parts documents; its rest, and documents with nothing in them, are left out."""
    assert [(document.text, document.line) for document in split(text)] == expected


def test_a_document_may_be_of_any_size() -> None:
    """A document far beyond daprd's limit of 64 KiB stays whole."""
    long = "a: " + "x" * 300_000 + "\n"
    assert [len(document.text) for document in split(f"{long}---\n{long}")] == [len(long), len(long)]


@given(st.lists(LINES, min_size=1, max_size=4))
def test_every_document_knows_its_line(documents: list[list[str]]) -> None:
    """The text of each document is found in the file at the line it says, whatever the documents hold."""
    lines: list[str] = []
    for number, document in enumerate(documents):
        lines += (["---"] if number else []) + [*document, f"end: {number}"]
    for found in split("\n".join(lines)):
        length = found.text.count("\n")
        assert "\n".join(lines[found.line - 1 : found.line - 1 + length + 1]).startswith(found.text)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f.yaml: the file is empty; write a manifest into it or delete it"),
        (b"\xef\xbb\xbf \n\t\n", "f.yaml: the file is empty; write a manifest into it or delete it"),
        (b"a: 1\nb: \xc3\x28\n", "f.yaml:2: the file is not UTF-8 (byte 0xc3); save it as UTF-8"),
        ("a: 1\n".encode("utf-16"), "f.yaml:1: the file is not UTF-8 (byte 0xff); save it as UTF-8"),
    ],
)
def test_a_file_that_holds_no_text_is_refused(data: bytes, message: str) -> None:
    """A file that is empty, blank or not UTF-8 counts as not parsing."""
    with pytest.raises(ManifestError) as caught:
        decode_file(data, "f.yaml")
    assert str(caught.value) == message


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """A file that an editor saved with a byte order mark reads as one without."""
    assert decode_file(b"\xef\xbb\xbfa: 1\n", "f.yaml") == "a: 1\n"
