"""Street addresses, PO boxes and ZIP codes."""

from __future__ import annotations

import re

from jackfield_presidio.chains import STOP_WORDS
from jackfield_presidio.folding import AFTER_STATE
from jackfield_presidio.recognizers.finder import Finder, by_shape

__all__ = ["po_box", "street", "zip_code"]

_ALWAYS = "street|avenue|ave|road|rd|boulevard|blvd|lane|ln|highway|hwy|parkway|pkwy|terrace|str"
_WITH_CAPITAL = (
    "st|drive|dr|court|ct|place|pl|square|sq|circle|cir|trail|trl|way|park|loop|crescent|cres|close|row|alley|plaza|"
    "quay|mews|gardens|grove|hill|expressway|expy|freeway|fwy|turnpike|pike|walk|bend|ridge|point|landing|broadway"
)
_SMALL = "st|drive|dr|court|ct|place|pl|square|sq|circle|cir|trail|trl|park"
_HOUSE = r"(?<![A-Za-z0-9_$])(?<![0-9][.,:/-])[0-9]{1,5}(?:-[0-9]{1,5})?[A-Za-z]?"
_ORDINAL = r"[0-9]{1,3}(?i:st|nd|rd|th)"
_STOP = "|".join(sorted(STOP_WORDS))
_WORD = rf"(?:(?!(?:{_STOP})(?![\w'-]))[^\W\d_][\w.'-]{{0,30}}|{_ORDINAL})"
_DIRECTION = r"(?: (?:[NSEW]\.?[EW]?\.?|(?:North|South)(?:east|west)?|East|West)(?![\w]))?"
_FLAT = r"(?i:apt|apartment|suite|ste|unit|floor|fl|room|rm|bldg)\.? ?#?"
_UNIT = rf"(?:\.?,? {_FLAT} ?(?:[0-9]{{1,5}}[A-Za-z]?|[A-Z](?![\w]))|,? ?#[0-9]{{1,5}}[A-Za-z]?)?"
_END = r"(?![A-Za-z0-9_\u00c0-\u024f])"


def street() -> Finder:
    """Return the finder of street addresses: a house's number, the street's name and what kind of street it is."""
    always = rf"(?i:{_ALWAYS}){_END}"

    def capital(names: str) -> str:
        return "|".join(f"{name.capitalize()}|{name.upper()}" for name in names.split("|"))

    return by_shape(
        (
            rf"{_HOUSE}(?: {{1,2}}{_WORD}){{1,4}}? {{1,2}}{always}(?:(?: {_WORD}){{0,2}} {always})?{_DIRECTION}{_UNIT}",
            0.6,
            _is_house,
        ),
        (
            rf"{_HOUSE}(?: {{1,2}}{_WORD}){{1,4}} {{1,2}}(?:{capital(_WITH_CAPITAL)}){_END}{_DIRECTION}{_UNIT}",
            0.6,
            _is_house,
        ),
        (
            rf"{_HOUSE} (?:[nsew]\.? )?(?:(?!(?:{_STOP}) )[a-z]{{3,20}}|{_ORDINAL}) (?:{_SMALL}){_END}{_UNIT}",
            0.5,
            _is_house,
        ),
        (rf"{_HOUSE} (?:(?:[A-Z][\w'-]{{1,20}}) )?(?:Broadway){_END}{_DIRECTION}{_UNIT}", 0.5),
    )


_YEAR = re.compile(r"(?:19|20)[0-9]{2} +[a-z]")


def _is_house(text: str) -> bool:
    """Tell a house from a year: 2024 test drive."""
    return _YEAR.match(text) is None


def po_box() -> Finder:
    """Return the finder of post office boxes."""
    words = r"(?i:p\.? ?o\.? ?(?:box|b\.?)|post(?:al)?(?: office)? box|pob(?:ox)?)[.:]?"
    number = r"(?:#|(?i:no|nr|number)[.:]?)? {0,2}[0-9]{1,8}(?:-[0-9]{1,6})?[A-Za-z]?"
    return by_shape((rf"(?<![A-Za-z0-9]){words} {{0,2}}{number}(?![A-Za-z0-9])", 0.8))


def zip_code() -> Finder:
    """Return the finder of ZIP codes beside a state, a street address or the word zip."""
    return by_shape(
        (rf"{AFTER_STATE}[:(]{{0,2}}([0-9]{{5}}(?:[- ][0-9]{{4}}(?![0-9-]))?)(?![0-9A-Za-z])(?![-.,][0-9])", 0.5),
        (
            r"(?<![A-Za-z])(?i:zip(?:[-_]?code)?|postcode)[:(]{1,2}([0-9]{5}(?:-[0-9]{4})?)(?![0-9A-Za-z])(?!-[0-9])",
            0.5,
        ),
    )
