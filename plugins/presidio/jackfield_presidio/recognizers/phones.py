"""Phone numbers: by their written shape, and those that a numbering plan knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jackfield_presidio.recognizers.finder import Finder, Found

__all__ = ["COMMON_REGIONS", "load_plans", "phone"]

COMMON_REGIONS = ("US", "GB", "DE", "FR", "IT", "NL", "AU", "IN", "JP")
"""Regions whose numbers are known in the form that is dialled at home."""

_WITHOUT_TRUNK = frozenset({"CO", "CZ", "DK", "ES", "MX", "NO", "PL", "PT"})
"""Regions in which nothing is dialled before a number: such a number is told from others only by its groups."""

_EXTENSION = r"(?:[ ,]{0,2}(?:ext|x|extension)[.:]? ?[0-9]{1,6}(?![0-9]))?"
_EDGE = r"(?<![0-9])(?<![0-9]-)"
_LEFT = rf"{_EDGE}(?<![0-9][./])"
_RIGHT = r"(?![0-9])(?![-./][0-9])"
_SHAPES = tuple(
    re.compile(shape + _EXTENSION)
    for shape in (
        rf"{_EDGE}(?:\+?1[-. ]{{0,2}})?\([0-9]{{3}}\)[ -]{{0,2}}[0-9]{{3}}[-. ][0-9]{{4}}(?![0-9])(?!-[0-9])",
        rf"{_EDGE}(?:\+?1[-. ]{{1,2}})?[0-9]{{3}}-[0-9]{{3}}-[0-9]{{4}}(?![0-9])(?!-[0-9])",
        r"(?<![0-9+])\+[0-9]{8,15}(?![0-9])(?!\.[0-9])",
    )
)
_INTERNATIONAL = re.compile(
    r"(?<![0-9+])(?:\(\+[1-9][0-9]{0,2}\)|\+[1-9])(?:[ .()/\-]{0,3}[0-9]){5,14}(?![0-9])" + _EXTENSION
)
_AMERICAN = re.compile(
    rf"(?<![A-Za-z0-9_+]){_LEFT}(?:\+?1[-. /]{{0,2}})?(?:\([2-9][0-9]{{2}}\)|[2-9][0-9]{{2}})[-. /]{{0,3}}"
    rf"[2-9][0-9]{{2}}[-. ]{{0,3}}[0-9]{{4}}{_RIGHT}(?![A-Za-z_]){_EXTENSION}"
)
_TRUNK = re.compile(
    rf"(?<![A-Za-z0-9_+]){_LEFT}\(?0(?:[ .()/\-]{{0,3}}[0-9]){{7,13}}(?![0-9])(?![A-Za-z_])(?![-./][0-9])"
)
_INDIAN = re.compile(rf"(?<![A-Za-z0-9_+]){_LEFT}[6-9][0-9]{{4}}[ -][0-9]{{5}}(?![0-9])(?![A-Za-z_])(?![-./][0-9])")
_PLAIN = re.compile(
    rf"(?<![A-Za-z0-9_+]){_LEFT}[1-9][0-9]{{1,4}}(?:[ .-][0-9]{{2,5}}){{1,4}}(?![0-9])(?![A-Za-z_])(?![-./][0-9])"
)
_IDD = re.compile(rf"(?<![A-Za-z0-9_+]){_LEFT}00[1-9](?:[ .()/\-]{{0,3}}[0-9]){{7,14}}(?![0-9A-Za-z_])")
_LAST_GROUP = re.compile(r"[ .()/\-]+[0-9]+\Z")
_DATE = re.compile(r"(?:0?[1-9]|[12][0-9]|3[01])[./ -](?:0?[1-9]|1[0-2])[./ -](?:19|20)[0-9]{2}.*", re.DOTALL)


def phone(regions: Iterable[str]) -> Finder:
    """Return the finder of phone numbers.

    Args:
        regions: ISO codes of the regions whose numbers are known in their national form.
    """
    plans = [(region, _plan(region)) for region in dict.fromkeys((*COMMON_REGIONS, *regions))]
    by_region = dict(plans)
    with_trunk = [plan for region, plan in plans if region not in _WITHOUT_TRUNK | {"US"}]
    without = [plan for region, plan in plans if region in _WITHOUT_TRUNK]

    def find(text: str) -> Found:
        for shape in _SHAPES:
            for match in shape.finditer(text):
                yield match.start(), match.end(), 0.7
        yield from _from_abroad(text)
        yield from _american(text, by_region["US"])
        yield from _national(text, _TRUNK, with_trunk)
        yield from _national(text, _INDIAN, [by_region["IN"]])
        if without:
            yield from _national(text, _PLAIN, without)

    return find


def load_plans() -> None:
    """Read all numbering plans: otherwise each is read with the first number that begins with its code."""
    from phonenumbers import PhoneMetadata

    PhoneMetadata.load_all()


def _from_abroad(text: str) -> Found:
    """Find numbers with a country's code, after a plus or after 00."""
    for match in _INTERNATIONAL.finditer(text):
        if 8 <= len(_digits(_without_extension(match[0]))) <= 15:
            yield match.start(), match.start() + _international(match[0]), 0.7
    for match in _IDD.finditer(text):
        if _is_possible("+" + _digits(match[0])[2:]):
            yield match.start(), match.end(), 0.6


def _american(text: str, plan: re.Pattern[str]) -> Found:
    for match in _AMERICAN.finditer(text):
        if plan.fullmatch(_digits(_without_extension(match[0])).removeprefix("1")):
            yield match.start(), match.end(), 0.6


def _national(text: str, candidates: re.Pattern[str], plans: list[re.Pattern[str]]) -> Found:
    """Find the longest valid number at each candidate: words that follow may be other numbers."""
    for match in candidates.finditer(text):
        number = match[0]
        while len(digits := _digits(number)) > 7:
            national = digits.removeprefix("0") if candidates is _TRUNK else digits
            if not _DATE.match(number) and any(plan.fullmatch(national) or plan.fullmatch(digits) for plan in plans):
                yield match.start(), match.start() + len(number), 0.5
                break
            number, cut = _LAST_GROUP.subn("", number)
            if not cut:
                break


def _without_extension(number: str) -> str:
    return re.split("[ex]", number)[0]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _international(number: str) -> int:
    """Return how much of a number with a plus is the number: groups that make it invalid are others', if it has any."""
    rest = number
    while len(_digits(rest)) > 7:
        if _is_possible(rest):
            return len(rest)
        rest, cut = _LAST_GROUP.subn("", rest)
        if not cut:
            break
    return len(number)


def _is_possible(number: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _plan(region: str) -> re.Pattern[str]:
    """Return the pattern of a region's numbers without the trunk prefix, from the numbering plans of phonenumbers."""
    from phonenumbers import PhoneMetadata

    known = PhoneMetadata.metadata_for_region(region)
    if known is None:
        raise LookupError(f"phonenumbers knows no region {region}")
    kinds = (known.fixed_line, known.mobile, known.toll_free, known.premium_rate, known.shared_cost, known.voip)
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    return re.compile("|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns)))
