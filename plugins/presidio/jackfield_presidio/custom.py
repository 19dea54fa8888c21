"""Patterns of the operator's own: searched in the whole text, each within its time limit."""

from __future__ import annotations

from jackfield_presidio.patterns import limited
from jackfield_presidio.recognizers.finder import Finder, Found
from jackfield_presidio.settings import CustomPattern

__all__ = ["custom_finder"]


def custom_finder(pattern: CustomPattern) -> Finder:
    """Return the finder of a custom pattern.

    It raises ``TimeoutError`` when the search takes longer than the pattern's limit, so the text isn't let through.
    """
    search = limited(pattern.regex, pattern.time_limit)

    def find(text: str) -> Found:
        try:
            for match in search(text):
                if match.end() > match.start():
                    yield match.start(), match.end(), pattern.score
        except TimeoutError:
            raise TimeoutError(
                f"the pattern {pattern.name} took longer than {pattern.time_limit:g} s; "
                "make its regex simpler or raise its timeLimit"
            ) from None

    return find
