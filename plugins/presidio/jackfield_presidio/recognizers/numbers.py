"""Social security numbers and book numbers."""

from __future__ import annotations

from jackfield_presidio.folding import AFTER_ISBN
from jackfield_presidio.recognizers.finder import Finder, by_shape

__all__ = ["isbn", "ssn"]


def ssn() -> Finder:
    """Return the finder of US social security numbers as they are written, whatever their validity."""
    return by_shape((r"(?<![0-9])(?<![0-9]-)[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])(?!-[0-9])", 0.9))


def isbn() -> Finder:
    """Return the finder of book numbers: after the word, with hyphens, or thirteen digits of the book land."""
    ten, thirteen = r"[0-9](?:[ -]?[0-9]){8}[ -]?[0-9Xx]", r"97[89](?:[ -]?[0-9]){10}"
    edge = r"(?![0-9A-Za-z])(?!-[0-9])"
    word = r"(?i:isbn)(?:[-_ ]?\(?1[03]\)?)?[:.]? ?[:#]? ?"
    return by_shape(
        (rf"{AFTER_ISBN}[:(]{{0,2}}({thirteen}|{ten}){edge}", 0.9),
        (rf"(?<![A-Za-z]){word}({thirteen}|{ten}){edge}", 0.9),
        (rf"(?<![0-9A-Za-z])(?<![0-9]-)97[89]-[0-9]{{1,5}}-[0-9]{{1,7}}-[0-9]{{1,7}}-[0-9]{edge}", 0.9, _has_13),
        (r"(?<![0-9A-Za-z])(?<![0-9]-)97[89] [0-9]{1,5} [0-9]{1,7} [0-9]{1,7} [0-9](?![0-9A-Za-z])", 0.9, _is_right),
        (rf"(?<![0-9A-Za-z])(?<![0-9]-)[0-9]{{1,5}}-[0-9]{{1,7}}-[0-9]{{1,7}}-[0-9Xx]{edge}", 0.9, _is_right),
        (rf"(?<![0-9A-Za-z])(?<![0-9][-.,])97[89]-?[0-9]{{10}}{edge}(?![.,][0-9])", 0.9, _is_right),
    )


def _digits(text: str) -> list[int]:
    return [10 if char in "Xx" else int(char) for char in text if char in "0123456789Xx"]


def _has_13(text: str) -> bool:
    return len(_digits(text)) == 13


def _is_right(text: str) -> bool:
    """Compute the check digit of ISO 2108."""
    digits = _digits(text)
    if len(digits) == 10:
        return sum(weight * digit for weight, digit in zip(range(10, 0, -1), digits, strict=True)) % 11 == 0
    return len(digits) == 13 and sum(digits[::2]) % 10 == (-3 * sum(digits[1::2])) % 10
