"""Payment cards and bank accounts."""

from __future__ import annotations

import re

from jackfield_presidio.recognizers.finder import Finder, Found

__all__ = ["card", "iban"]

_GROUPS = re.compile(
    r"(?<![0-9])(?<![0-9]-)(?<![0-9]\.)[0-9]{4}(?:[ .-]{1,3}[0-9]{4}){3,}(?![0-9])(?:[ -][0-9]{3}(?![0-9-]))?"
)
_OTHER_GROUPS = re.compile(
    r"(?<![0-9])(?<![0-9]-)(?:3[47][0-9]{2}[ -][0-9]{6}[ -][0-9]{5}|3[0689][0-9]{2}[ -][0-9]{6}[ -][0-9]{4})(?![0-9])"
)
_BARE = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9][.,-])[0-9]{12,19}(?![0-9A-Za-z_])(?![.,-][0-9])")
_BARE_AFTER_LETTERS = re.compile(r"(?<=[G-Zg-z])[0-9]{13,19}(?![0-9A-Za-z_])")
_YEAR = re.compile("(?:19|20)[0-9]{2}")
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),
    (51, 55, frozenset({16})),
    (2221, 2720, frozenset({16})),
    (34, 34, frozenset({15})),
    (37, 37, frozenset({15})),
    (6011, 6011, frozenset(range(16, 20))),
    (644, 659, frozenset(range(16, 20))),
    (622126, 622925, frozenset(range(16, 20))),
    (62, 62, frozenset(range(16, 20))),
    (81, 81, frozenset(range(16, 20))),
    (3528, 3589, frozenset(range(16, 20))),
    (300, 305, frozenset(range(14, 20))),
    (36, 36, frozenset(range(14, 20))),
    (38, 39, frozenset(range(14, 20))),
    (5018, 5018, frozenset(range(12, 20))),
    (5020, 5020, frozenset(range(12, 20))),
    (5038, 5038, frozenset(range(12, 20))),
    (5893, 5893, frozenset(range(12, 20))),
    (6304, 6304, frozenset(range(12, 20))),
    (6759, 6763, frozenset(range(12, 20))),
    (2200, 2204, frozenset(range(16, 20))),
)


def _luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_issued(digits: str) -> bool:
    return any(low <= int(digits[: len(str(low))]) <= high and len(digits) in sizes for low, high, sizes in _ISSUERS)


def card() -> Finder:
    """Return the finder of payment cards: four groups of four by shape, other forms by issuer and check digit."""
    return _card


def _card(text: str) -> Found:
    for match in _GROUPS.finditer(text):
        start, end = _without_years(match[0])
        if end:
            yield match.start() + start, match.start() + end, 0.8
    for match in _OTHER_GROUPS.finditer(text):
        if _luhn(re.sub("[ -]", "", match[0])):
            yield match.start(), match.end(), 1.0
    for pattern in (_BARE, _BARE_AFTER_LETTERS):
        for match in pattern.finditer(text):
            if _is_issued(match[0]) and _luhn(match[0]):
                yield match.start(), match.end(), 1.0


def _without_years(chain: str) -> tuple[int, int]:
    """Return where the groups of a card begin and end: years may stand beside it, and four years are no card."""
    groups = list(re.finditer("[0-9]+", chain))
    while len(groups) > 4 and _YEAR.fullmatch(groups[0][0]):
        del groups[0]
    while len(groups) > 4 and _YEAR.fullmatch(groups[-1][0]):
        del groups[-1]
    if all(_YEAR.fullmatch(group[0]) for group in groups):
        return 0, 0
    return groups[0].start(), groups[-1].end()


_IBAN = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=IBAN)|(?<=iban))"
    r"(?=([A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){8,34}|[a-z]{2}[0-9]{2}[a-z0-9]{11,30}))"
)
_SIZES = {
    size: frozenset(countries.split())
    for size, countries in {
        15: "NO",
        16: "BE BI",
        18: "DK FI FO GL NL SD",
        19: "MK SI FK",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL OM SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
}


def iban() -> Finder:
    """Return the finder of bank accounts: of the country's length (SWIFT's registry), with right check digits."""
    return _iban


def _iban(text: str) -> Found:
    for match in _IBAN.finditer(text):
        written = match[1]
        country = written[:2].upper()
        for size, countries in _SIZES.items():
            end = _end_of(written, size) if country in countries else 0
            after = text[match.start() + end : match.start() + end + 1]
            if end and not (after.isascii() and after.isalnum()) and _is_checked(written[:end]):
                yield match.start(), match.start() + end, 1.0


def _end_of(text: str, size: int) -> int:
    """Return where the first ``size`` letters and digits end, 0 if there are fewer."""
    places = [place for place, char in enumerate(text) if char not in " -"]
    return places[size - 1] + 1 if len(places) >= size else 0


def _is_checked(text: str) -> bool:
    """Compute ISO 13616's check: the number that the letters and digits write, modulo 97."""
    plain = re.sub("[ -]", "", text)
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1
