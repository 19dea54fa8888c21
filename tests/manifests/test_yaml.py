"""The tree of a document: lines, duplicate keys, aliases and bounds."""

from __future__ import annotations

import itertools
import time

import pytest

from jackfield.errors import ManifestError
from jackfield.manifests.documents import Document
from jackfield.manifests.yaml import DEEPEST, LARGEST, Duplicate, MappingNode, Node, SequenceNode, parse, to_json


def root(text: str, line: int = 1) -> Node:
    """Parse a document that has something in it."""
    tree = parse(Document(text, line), "f.yaml")
    assert tree.root is not None
    return tree.root


def error(text: str, line: int = 1) -> str:
    """Return what a document that doesn't parse is told."""
    with pytest.raises(ManifestError) as caught:
        parse(Document(text, line), "f.yaml")
    return str(caught.value)


def test_every_node_knows_its_line_in_the_file() -> None:
    """Lines are those of the file, wherever in it the document begins."""
    tree = root("a: 1\nb:\n- x\n\n- {c: d,\n   e: f}\n", line=10)
    assert isinstance(tree, MappingNode)
    (_, first), (key, second) = tree.entries
    assert isinstance(second, SequenceNode)
    assert isinstance(second.items[1], MappingNode)
    assert (first.line, key.line, second.line) == (10, 11, 12)
    assert [item.line for item in second.items] == [12, 14]
    assert [key.line for key, _ in second.items[1].entries] == [14, 15]


def test_duplicate_keys_are_found_at_every_level() -> None:
    """A key that stands in an object twice is reported with both lines; in two objects it is none."""
    tree = parse(Document("a: 1\nb: {c: 1, c: 2}\nd: [{c: 1}, {c: 1}]\na: 2\n", 5), "f.yaml")
    assert tree.duplicates == (Duplicate("c", 6, 6), Duplicate("a", 5, 8))


def test_aliases_stand_for_what_they_name() -> None:
    """An alias is the value of its anchor, and a merged object gives what isn't there already."""
    text = "base: &base {a: 1, b: 2}\nmore: &more {b: 9, c: 3}\nall:\n  b: 0\n  <<: [*base, *more]\nlist: [*base]\n"
    value = to_json(root(text))
    assert isinstance(value, dict)
    assert value["all"] == {"b": 0, "a": 1, "c": 3}
    assert value["list"] == [{"a": 1, "b": 2}]


def test_a_document_of_nothing_but_comments_has_no_root() -> None:
    """Comments alone are no value."""
    assert parse(Document("# nothing\n", 1), "f.yaml").root is None


def test_a_scalar_that_looks_like_a_recursive_alias_is_refused() -> None:
    """A value can't be part of itself."""
    assert error("a: &a [*a]") == "f.yaml:1: *a refers to the value it is part of; write the value out"


def test_aliases_can_not_grow_without_bounds() -> None:
    """A few lines of aliases that would expand to a billion values are refused at once."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in itertools.pairwise("abcdefghij")]
    begin = time.thread_time()
    message = f"f.yaml:6: the document has more than {LARGEST:,} values; write out less, or split it"
    assert error("\n".join(lines)) == message
    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000, "&a [" * 50_000],
    ids=["lists", "dashes", "objects", "keys", "anchors"],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    """A document that nests without end is a clear error, in no time and with no deep recursion."""
    begin = time.thread_time()
    assert f"nests deeper than {DEEPEST} levels" in error(text)
    assert time.thread_time() - begin < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "f.yaml:1: a ':' stands where none can be; "),
        ("x: 1\na:\n\t- b", "f.yaml:3: a tab is used to indent; use spaces"),
        ("a: 'x\n\n\n", "f.yaml:1: quotes are opened and not closed; add the closing quote"),
        ("x: 1\na: [1,\n2\n", "f.yaml:2: a list in [ ] is not closed; add the ']' or a ','"),
        ("a: @b", "f.yaml:1: a value begins with @; put it in quotes"),
        ("a: `b`", "f.yaml:1: a value begins with `; put it in quotes"),
        ("- a\nb: 1", "f.yaml:2: the line fits neither the object nor the list around it; "),
        ("x: é\na: \x01", "f.yaml:2: a control character stands in the text; take it out"),
        ('a: "\\q"', "f.yaml:1: a backslash in double quotes escapes nothing; use single quotes"),
        ("a: 1\n...\nb: 2", "f.yaml:3: text follows the end of the document; begin the next one with ---"),
        ("a: *b", "f.yaml:1: *b refers to nothing; write &b before the value it stands for"),
        ("<<: 1", "f.yaml:1: << must refer to an object, or to a list of them; write `<<: *name`"),
        ("[a, b]: 1", "f.yaml:1: a name must be text, not a list or an object; "),
        ("a: !!int x", "f.yaml:1: the value tagged !!int is something else; mend the value or take the tag out"),
        ("a: !!binary '?'", "f.yaml:1: the value tagged !!binary is not text in base64; "),
        ("a: !!binary é", "f.yaml:1: the value tagged !!binary is not text in base64; "),
    ],
)
def test_what_does_not_parse_is_explained(text: str, message: str) -> None:
    """A syntax error is told in plain words with its line, and the parser's own words are left to rare ones."""
    assert error(text).startswith(message)


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029", "\r"])
def test_lines_are_those_that_editors_count(end: str) -> None:
    """A character at which YAML ends a line and an editor does not moves no line number."""
    tree = root(f"é: 'x{end}{end}y'\nb: 1\n")
    assert isinstance(tree, MappingNode)
    assert [key.line for key, _ in tree.entries] == [1, 2]
    assert error(f"é: 'x{end}{end}y'\nb: @\n").startswith("f.yaml:2: a value begins with @")


def test_the_line_of_an_error_is_that_of_the_file() -> None:
    """An error in a later document of a file has the file's line."""
    assert error("a: 1\nb: @", line=41).startswith("f.yaml:42: ")
