"""The commands in a page's shell blocks, and what curl would send for them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from markdown import Block

__all__ = ["SHELLS", "Curl", "commands"]

SHELLS = frozenset({"sh", "console", ""})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the words of each simple command of a block, without assignments before it.

    In a ``console`` block the lines after ``$ `` are commands and the others what they print.

    Raises:
        ValueError: quotes are opened and not closed.
    """
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    pending = ""
    for line in lines:
        pending = f"{pending}\n{line}" if pending else line
        try:
            words = _split(pending)
        except ValueError:
            continue  # the quoted text goes on in the next line
        pending = ""
        yield from words
    if pending:
        raise ValueError(f"quotes are not closed in {pending!r}")


def _split(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;"):
            found.append([])
        elif found[-1] or not _ASSIGNMENT.fullmatch(word):
            found[-1].append(word)
    return [words for words in found if words]


@dataclass
class Curl:
    """A call of curl.

    Attributes:
        method: the request's method.
        path: the URL's path and query.
        headers: header lines.
        data: the body; None if there is none.
    """

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    data: str | None = None

    @classmethod
    def parse(cls, words: list[str]) -> Curl:
        """Read curl's command line.

        Raises:
            ValueError: an option is none of the few that pages use, or the URL isn't the host's own.
        """
        call = cls()
        rest = iter(words[1:])
        for word in rest:
            if word in {"-X", "--request"}:
                call.method = next(rest)
            elif word in {"-H", "--header"}:
                name, _, value = next(rest).partition(":")
                call.headers[name.strip()] = value.strip()
            elif word in {"-d", "--data"}:
                call.data = next(rest)
            elif word.startswith("-") and set(word[1:]) <= set("NisSf"):
                continue
            elif word.startswith("-"):
                raise ValueError(f"pages don't use curl's option {word}")
            else:
                parts = urlsplit(word if "://" in word else f"http://{word}")
                if parts.netloc not in {"localhost:3500", "127.0.0.1:3500"}:
                    raise ValueError(f"{word} is not a host of the reader's own")
                call.path = parts.path + (f"?{parts.query}" if parts.query else "")
        call.method = call.method or ("GET" if call.data is None else "POST")
        if not call.path:
            raise ValueError("curl without a URL")
        return call
