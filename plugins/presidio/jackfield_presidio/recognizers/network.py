"""IP and MAC addresses."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

from jackfield_presidio.recognizers.finder import Finder, Found, by_shape

__all__ = ["ip", "mac"]

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_V4 = re.compile(rf"(?<![0-9])(?<![0-9]\.)(?<![vV])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9])(?!\.[0-9])")
_V6 = re.compile(r"[0-9A-Za-z:.]*:[0-9A-Za-z:.]*:[0-9A-Za-z:.]*(?:%[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*)?")
_LABEL = re.compile(r"[A-Za-z0-9]*[G-Zg-z][A-Za-z0-9]*:(?!:)")
_PAIR = "[0-9A-Fa-f]{2}"


def ip() -> Finder:
    """Return the finder of IPv4 and IPv6 addresses, the latter with their zone."""
    return _ip


def _ip(text: str) -> Found:
    for match in _V4.finditer(text):
        yield match.start(), match.end(), 0.9
    for match in _V6.finditer(text):
        word, start = match[0], match.start()
        while label := _LABEL.match(word):
            start += label.end()
            word = word[label.end() :]
        address, _, zone = word.partition("%")
        for end in range(len(address), max(0, len(address) - 3), -1):
            if end < len(address) and address[end] not in ":.":
                break
            if _is_v6(address[:end]):
                yield start, start + (len(word) if zone and end == len(address) else end), 0.9
                break


def _is_v6(text: str) -> bool:
    """Tell an address from C++ names (``a::b``), slices (``[1::2]``) and times."""
    try:
        address = IPv6Address(text)
    except (AddressValueError, ValueError):
        return False
    if address.is_loopback:
        return True
    groups = [group for group in text.split(":") if group]
    return len(groups) > 2 or (any(len(group) > 2 for group in groups) and any(c.isdigit() for c in text))


def mac() -> Finder:
    """Return the finder of MAC addresses: six pairs with colons or hyphens, or three groups with dots."""
    edge = r"(?:(?<![0-9A-Za-z:-])|(?<=[A-Za-z]{3}[:-])|(?<=[G-Zg-z])|(?<=[G-Zg-z]:))"
    return by_shape(
        (rf"{edge}{_PAIR}(?::{_PAIR}){{5}}(?![0-9A-Za-z]|:[0-9A-Fa-f])", 0.9),
        (rf"{edge}{_PAIR}(?:-{_PAIR}){{5}}(?![0-9A-Za-z]|-[0-9A-Fa-f])", 0.9),
        (
            r"(?<![0-9A-Za-z.])(?=[0-9.]*[A-Fa-f])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Za-z]|\.[0-9A-Za-z])",
            0.6,
        ),
    )
