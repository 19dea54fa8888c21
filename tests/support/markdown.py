"""The repository's Markdown pages, as far as tests need them: fenced blocks, headings, tables and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

__all__ = ["PAGES", "ROOT", "Block", "Page", "page"]

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<mark>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=mark)[ ]*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(?P<level>#{1,6}) (?P<text>.+?)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\((?P<target>[^()\s]+)\)")
_COMMENT = re.compile(r"<!--(?P<text>.*?)-->", re.DOTALL)
_NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: the first word after the fence; empty if there is none.
        text: what stands between the fences.
        line: the line of its first fence, counted from 1.
        before: the text between the block before, or the page's start, and this one.
        section: the heading that it stands under.
    """

    language: str
    text: str
    line: int
    before: str
    section: str

    @property
    def follows_directly(self) -> bool:
        """Whether nothing that a reader sees parts it from the block before."""
        return not _COMMENT.sub("", self.before).strip()

    def told(self, word: str) -> str:
        """Return what a comment ``<!-- word: ... -->`` right before it says; empty if there is none."""
        return next((text for name, text in _comments(self.before) if name == word), "")

    @property
    def file_name(self) -> str:
        """The file that the paragraph before says this is, as in "`pyproject.toml`:"; empty if it says none."""
        named = re.search(r"`([\w.-]+\.\w+)`[^`\n]*:\s*\Z", self.before)
        return named[1] if named else ""


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    def __str__(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text("utf-8")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Its fenced blocks, in order."""
        found, end = [], 0
        for fence in _FENCE.finditer(self.text):
            headings = _HEADING.findall(self._prose[: fence.start()])
            found.append(
                Block(
                    language=(fence["info"].split() or [""])[0],
                    text=fence["text"],
                    line=self.text.count("\n", 0, fence.start()) + 1,
                    before=self.text[end : fence.start()],
                    section=headings[-1][1] if headings else "",
                )
            )
            end = fence.end()
        return tuple(found)

    @cached_property
    def _prose(self) -> str:
        """The text with blanks where its fenced blocks stand, so that all else keeps its place."""
        return _FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), self.text)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """What a link's fragment may name, by GitHub's rule for headings."""
        seen: dict[str, int] = {}
        anchors = []
        for heading in _HEADING.finditer(self._prose):
            plain = _LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading["text"])
            anchor = _NOT_IN_AN_ANCHOR.sub("", plain.strip().lower()).replace(" ", "-")
            number = seen.get(anchor, 0)
            seen[anchor] = number + 1
            anchors.append(f"{anchor}-{number}" if number else anchor)
        return frozenset(anchors)

    @cached_property
    def headings(self) -> tuple[str, ...]:
        """The headings' texts, in order."""
        return tuple(heading["text"] for heading in _HEADING.finditer(self._prose))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The targets of its links."""
        return tuple(link["target"] for link in _LINK.finditer(self._prose))

    @property
    def in_steps(self) -> bool:
        """Whether its blocks build on each other: ``<!-- in steps -->``."""
        return any(name == "in steps" for name, _ in _comments(self._prose))

    def section(self, heading: str) -> str:
        """Return what stands under a heading, up to the next one of its level or above; blocks included.

        Raises:
            LookupError: the page has no such heading.
        """
        for found in _HEADING.finditer(self._prose):
            if found["text"] == heading:
                following = (
                    later.start()
                    for later in _HEADING.finditer(self._prose, found.end())
                    if len(later["level"]) <= len(found["level"])
                )
                return self.text[found.end() : next(following, None)]
        raise LookupError(f"{self} has no heading {heading!r}; it has {', '.join(self.headings)}")

    def table(self, heading: str) -> list[list[str]]:
        """Return the cells of all tables under a heading, row by row, without heads."""
        return list(_rows(self.section(heading)))

    def told(self, block: Block, word: str) -> str:
        """Return what the last comment ``<!-- word: ... -->`` in a block's section, before it, says; empty if none."""
        before = self._prose[: self._offset(block)]
        section = before[before.rfind("\n#") + 1 :]
        return next((text for name, text in reversed(_comments(section)) if name == word), "")

    def _offset(self, block: Block) -> int:
        return sum(map(len, self.text.splitlines(keepends=True)[: block.line - 1]))


def _comments(text: str) -> list[tuple[str, str]]:
    parts = [comment["text"].strip().partition(":") for comment in _COMMENT.finditer(text)]
    return [(name, said.strip()) for name, _, said in parts]


def _rows(text: str) -> Iterator[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = {index - 1 for index, line in enumerate(lines) if set(line) <= set("|-: ")}
    for index, line in enumerate(lines):
        if index not in heads and index - 1 not in heads:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield [cell.strip().replace("\\|", "|") for cell in cells]


def page(path: str) -> Page:
    """Return a page by its path in the repository."""
    return Page(ROOT / path)


PAGES = tuple(
    Page(path)
    for path in [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        *sorted(ROOT.glob("docs/**/*.md")),
        *sorted(ROOT.glob("plugins/*/README.md")),
    ]
)
"""Every page that a reader may be sent to."""
