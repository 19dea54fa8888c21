"""Split a manifest file into its documents, before any of them is parsed (contract sheet, section 4.4)."""

from __future__ import annotations

import re
from typing import NamedTuple

from jackfield.errors import ManifestError, Problem

__all__ = ["Document", "decode_file", "split"]

_SEPARATOR = re.compile(r"(?:\A|(?<=\n))---[^\n]*(?:\n|\Z)")
_EMPTY_LINE = re.compile(r"\s*(?:#.*|%.*)?")


class Document(NamedTuple):
    """One document of a file.

    Attributes:
        text: the document without its separator lines.
        line: the line of the file on which the text begins, counted from 1.
    """

    text: str
    line: int


def decode_file(data: bytes, file: str) -> str:
    """Decode a file's bytes.

    Raises:
        ManifestError: the bytes are not UTF-8, or there is nothing but blanks; such a file counts as not parsing, so
            that an editor which empties a file before it writes it removes no component.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        cause = f"the file is not UTF-8 (byte 0x{error.object[error.start]:02x})"
        raise ManifestError([Problem(file, line, "", cause, "save it as UTF-8")]) from error
    if not text.strip():
        raise ManifestError([Problem(file, 0, "", "the file is empty", "write a manifest into it or delete it")])
    return text


def split(text: str) -> tuple[Document, ...]:
    """Split a file's text at each line that begins with ``---``; the rest of such a line is ignored.

    Documents may be of any size. Those that hold nothing but blanks, comments and directives are left out, so a file of
    comments has no documents and is in order.
    """
    documents = []
    start, line = 0, 1
    for separator in _SEPARATOR.finditer(text):
        documents.append(Document(text[start : separator.start()], line))
        line += text.count("\n", start, separator.end())
        start = separator.end()
    documents.append(Document(text[start:], line))
    return tuple(document for document in documents if not _is_empty(document.text))


def _is_empty(text: str) -> bool:
    return all(_EMPTY_LINE.fullmatch(line) for line in text.splitlines())
