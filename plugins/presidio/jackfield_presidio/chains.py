"""Which words stand together: the words that one entity may be written with.

A text is read word by word, where a word is a run of the characters that entities are made of. A word that could
begin an entity opens a chain; the next words are added as long as they could belong to it. What a chain holds is
searched, what stands between chains isn't. So a chain must be generous, and it depends on nothing but its own words.
"""

from __future__ import annotations

import re

__all__ = ["GAP", "LONGEST_GAP", "TRIGGER", "WORD", "Chain", "word_start"]

WORD = re.compile(r"[\w.%+@:'()\-]*")
GAP = re.compile(r" {0,2}#| ?/ ?|,? {1,2}|")
"""What may stand between two words of a chain: blanks, a comma and a blank, a slash, a number sign."""
LONGEST_GAP = 3

TRIGGER = re.compile(
    r"[0-9@]"
    r"|[A-Za-z0-9_-]{20}"  # the body of a token or the address of a wallet
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:"  # IPv6 and MAC addresses can be without any digit
    r"|(?<![A-Za-z0-9])[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-"
    r"|(?<![A-Za-z0-9])[Pp](?:\.?[Oo](?![A-Za-z])|\.?(?![\w.])"  # a PO box begins with letters
    r"|\.?[Oo]\.?[Bb]|[Oo][Ss][Tt](?![a-zB-Z])|[Oo][Ss][Tt][Aa][Ll](?![A-Za-z]))"
)

_DIGIT = re.compile("[0-9]")
_SIGNS = re.compile(r"[-.()+:]{1,3}")
_EXTENSION = re.compile(r"\(?(?:ext|x|extension)[.:]?", re.IGNORECASE)
_IBAN_HEAD = re.compile(r"(?:.*[^A-Za-z0-9])?(?:IBAN)?[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{0,4}")
_IBAN_GROUP = re.compile(r"[A-Z]{1,4}")
_HOUSE = re.compile(r"(?:.*[^0-9A-Za-z.])?[0-9]{1,5}(?:-[0-9]{1,5})?[A-Za-z]?")
_ORDINAL = re.compile(r"[0-9]{1,3}(?:st|nd|rd|th)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_][\w.'-]{0,30}[):]{0,2}")
_UNIT = re.compile(r"(?:apt|apartment|suite|ste|unit|floor|fl|room|rm|no|bldg)\.?", re.IGNORECASE)
_DIRECTION = re.compile(r"[NSEW]\.?[EW]?\.?|(?:north|south)(?:east|west)?|east|west", re.IGNORECASE)
_BOX_HEAD = re.compile(
    r"(?:.*[^A-Za-z0-9])?(?:p|po|p\.o\.?|p\.|pob|pobox|p\.o\.box|p\.o\.b\.?|post|postal|office|o|o\.|box)[:.]?",
    re.IGNORECASE,
)
_BOX_BEGIN = re.compile(r"\(?(?:p|po|p\.o\.?|p\.|pob|pobox|p\.o\.box|p\.o\.b\.?|post|postal)[:.]?", re.IGNORECASE)
_BOX_NUMBER = re.compile(r"(?:no|nr|number)[.:]?", re.IGNORECASE)

MIDDLE_WORDS = 5
"""Words between the number of a house and the end of its street's name."""

_STOP_WORDS = """
a about acres after all also an and any are as at be been before but by can cars children cm could days
developers did do does drivers each engineers feet files for friends from ft gb had has have he her his hours
how i if in into is it items its kb kilometers km lane lines may mb me men meters metres mile miles min minutes
mm months more most mph ms must my no not of on or other our out over pages people per percent points rows runs
sec seconds she should so some students than that the their them then there these they this those times to up us
used users uses using was way ways we weeks were what when which who why will with women would year years you
your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words in small letters that no street is named after: a number before them belongs to no house."""


def word_start(text: str, place: int, floor: int) -> int:
    """Return where the word that holds ``place`` begins, not before ``floor``."""
    match = WORD.match(text[floor:place][::-1])
    assert match is not None  # noqa: S101 - the pattern matches any text
    return place - match.end()


class Chain:
    """Decides which words follow the first one."""

    def __init__(self, first: str) -> None:
        self._last = ""
        self._iban = False
        self._middle: int | None = None
        self._enter(first)

    def _enter(self, word: str) -> None:
        if _DIGIT.search(word):
            self._last = "digit"
            self._iban = self._iban or _IBAN_HEAD.fullmatch(word) is not None
            self._middle = 0 if _HOUSE.fullmatch(word) else None
        else:
            self._last = "box" if _BOX_HEAD.fullmatch(word) else "letters"

    def add(self, gap: str, word: str) -> bool:
        """Say whether the next word belongs to the chain, given what stands between; if so it is its last now."""
        if not gap or not word:
            return False
        if "," in gap:
            return self._add_unit(word)
        kind = self._kind(gap, word)
        if kind in {"digit", "number"}:
            self._enter(word)
        elif kind:
            self._last = kind
        return bool(kind)

    def _kind(self, gap: str, word: str) -> str:
        last = self._last
        if _DIGIT.search(word):
            if last == "digit" and self._middle == 0 and _ORDINAL.fullmatch(word):
                return "name" if self._count() else ""
            if last == "name":
                return "name" if _ORDINAL.fullmatch(word) and self._count() else ""
            if "#" in gap:
                return "number" if last in {"box", "name", "unit"} else ""
            return "digit" if last in {"digit", "signs", "iban", "extension", "unit", "box"} else ""
        if "/" in gap or "#" in gap:
            return ""
        if last == "box":
            return "box" if _BOX_HEAD.fullmatch(word) or _BOX_NUMBER.fullmatch(word) else ""
        if last in {"digit", "signs"} and _SIGNS.fullmatch(word):
            return "signs"
        if last == "digit" and _EXTENSION.fullmatch(word):
            return "extension"
        if self._iban and last in {"digit", "iban"} and _IBAN_GROUP.fullmatch(word):
            return "iban"
        return self._street(word)

    def _street(self, word: str) -> str:
        if self._last == "digit" and _BOX_BEGIN.fullmatch(word):
            return "box"
        if self._middle is None or self._last not in {"digit", "name", "unit"}:
            return ""
        if self._last == "unit":
            return "unit" if len(word) == 1 and word.isalpha() else ""
        if self._last == "name" and _UNIT.fullmatch(word):
            return "unit"
        if self._last == "name" and _DIRECTION.fullmatch(word):
            return "name"
        return "name" if _NAME.fullmatch(word) and word not in STOP_WORDS and self._count() else ""

    def _count(self) -> bool:
        self._middle = (self._middle or 0) + 1
        return self._middle <= MIDDLE_WORDS

    def _add_unit(self, word: str) -> bool:
        """A comma may stand before the flat: 12 Main St, Apt 4."""
        if self._last == "name" and _UNIT.fullmatch(word):
            self._last = "unit"
            return True
        return False
