"""What stands before a chain of words and gives it a meaning."""

from __future__ import annotations

import re

from jackfield_presidio.folding import AFTER_ISBN, AFTER_STATE

__all__ = ["CONTEXT", "link_end", "mark"]

CONTEXT = 256
"""Characters before a chain that are looked at."""

STATES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|"
    "Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|"
    "Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|"
    "Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|"
    "West Virginia|Wisconsin|Wyoming|District of Columbia|Puerto Rico|Guam"
)
ABBREVIATIONS = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|"
    "PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR|VI|GU|AS|MP"
)
_SMALL = "|".join(
    sorted({a.lower() for a in ABBREVIATIONS.split("|")} - {"as", "hi", "id", "in", "me", "or", "ok", "oh"})
)

_ZIP = re.compile(
    rf"(?:(?<![A-Za-z])(?:(?:{ABBREVIATIONS})|D\.C\.|N\.Y\.|(?i:{STATES}))"
    rf"|, ?(?:{_SMALL})"
    r"|(?<![A-Za-z])(?i:zip(?:[ _-]?code)?|postal[ _-]?code|postcode)(?: is)?[^A-Za-z0-9\n]{0,5}"
    r")[^A-Za-z0-9]{0,3}\Z"
)
_STREET = re.compile(
    r"(?<![A-Za-z0-9])[0-9]{1,5}[A-Za-z]? (?:[\w.'-]{1,20} ){1,4}?"
    r"(?i:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|highway|hwy|parkway|pkwy|drive|dr|court|ct|place|pl|"
    r"square|sq|circle|cir|trail|trl|way|terrace|park)\.?(?: [NSEW][EW]?)?"
    r"(?:,? (?i:apt|suite|ste|unit|#)\.? ?[\w-]{1,6})?"
    r"[,\n]?(?: ?[A-Z][\w.'-]{0,20}){0,3},?[ \n]{1,2}\Z"
)
_ISBN = re.compile(
    r"(?<![A-Za-z])(?i:isbn)(?:[-_ ]?\(?1[03]\)?)?(?: (?i:is|number|no|code|nr))*[^A-Za-z0-9]{0,5}\Z",
)
_LINK = re.compile(r"(?i:https?)://[^\s?#<>\"'`|]*\Z")
_LINK_END = re.compile(r"[\s?#<>\"'`|]|\Z")
_ZIP_CODE = re.compile(r"[:(]{0,2}[0-9]{5}(?![0-9])")
_LONGEST_ISBN = 40
_LONGEST_STATE = 40
_LONGEST_STREET = 120


def mark(before: str, chain: str) -> str:
    """Return the mark of what stands before a chain: a state or an address, the word ISBN, or nothing.

    Args:
        before: up to ``CONTEXT`` characters before the chain, folded.
        chain: the chain.
    """
    if _ZIP_CODE.match(chain):
        if _ZIP.search(before, max(0, len(before) - _LONGEST_STATE)):
            return AFTER_STATE
        if before[-1:] in {" ", "\n"} and _STREET.search(before, max(0, len(before) - _LONGEST_STREET)):
            return AFTER_STATE
    if chain.lstrip(":(")[:1].isdigit() and _ISBN.search(before, max(0, len(before) - _LONGEST_ISBN)):
        return AFTER_ISBN
    return ""


def link_end(before: str, chain: str) -> int:
    """Return how much of a chain belongs to the path of an http link that begins before it."""
    if "://" not in before or not _LINK.search(before):
        return 0
    match = _LINK_END.search(chain)
    return match.start() if match else len(chain)
