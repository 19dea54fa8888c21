"""Addresses of crypto wallets, known by their check sums or their exact form."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from jackfield_presidio.recognizers.finder import Finder, by_shape

__all__ = ["bitcoin", "ethereum", "other_wallet"]

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_CLASS = "[1-9A-HJ-NP-Za-km-z]"
_LEFT, _RIGHT = "(?<![A-Za-z0-9])", "(?![A-Za-z0-9])"


def _has_check_sum(text: str, alphabet: str = _ALPHABET) -> bool:
    """Compute Base58Check: the last four of 25 bytes are the hash of the rest."""
    number = 0
    for char in text:
        number = number * 58 + alphabet.index(char)
    if number.bit_length() > 200:
        return False
    data = number.to_bytes(25, "big")
    return sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def bitcoin(is_valid: Callable[[str], bool]) -> Finder:
    """Return the finder of Bitcoin addresses.

    Args:
        is_valid: Presidio's check of an address.
    """

    def check(text: str) -> bool:
        return is_valid(text.lower() if re.match("bc1|BC1", text) else text)

    return by_shape(
        (rf"{_LEFT}[13]{_CLASS}{{25,34}}{_RIGHT}", 1.0, check),
        (rf"{_LEFT}(?:bc1[02-9ac-hj-np-z]{{25,87}}|BC1[02-9AC-HJ-NP-Z]{{25,87}}){_RIGHT}", 1.0, check),
    )


def ethereum() -> Finder:
    """Return the finder of Ethereum addresses: 0x and forty hexadecimal digits."""
    return by_shape((rf"{_LEFT}0[xX][0-9A-Fa-f]{{40}}{_RIGHT}", 0.9))


def other_wallet() -> Finder:
    """Return the finder of addresses of Litecoin, Dogecoin, Tron, Ripple, Cardano and Monero."""
    return by_shape(
        (rf"{_LEFT}[LM]{_CLASS}{{26,33}}{_RIGHT}", 1.0, _has_check_sum),
        (rf"{_LEFT}[DT]{_CLASS}{{33}}{_RIGHT}", 1.0, _has_check_sum),
        (rf"{_LEFT}r{_CLASS}{{24,34}}{_RIGHT}", 1.0, lambda text: _has_check_sum(text, _RIPPLE)),
        (rf"{_LEFT}(?:ltc1|addr1)[02-9ac-hj-np-z]{{38,100}}{_RIGHT}", 0.8),
        (rf"{_LEFT}[48][0-9AB]{_CLASS}{{93}}{_RIGHT}", 0.8),
    )
