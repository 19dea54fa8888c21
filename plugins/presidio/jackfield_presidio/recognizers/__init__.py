"""What is found by default: for each entity the function that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jackfield_presidio.recognizers import mail, money, network, numbers, phones, places, secrets, wallets
from jackfield_presidio.recognizers.finder import Finder

__all__ = ["default_finders"]


def default_finders(regions: Iterable[str], is_bitcoin: Callable[[str], bool]) -> dict[str, Finder]:
    """Return the finders by entity.

    Args:
        regions: ISO codes of regions whose phone numbers are known beside the common ones.
        is_bitcoin: Presidio's check of a Bitcoin address.
    """
    return {
        "API_KEY": secrets.api_key(),
        "JWT": secrets.jwt(),
        "EMAIL_ADDRESS": mail.mail(),
        "IBAN": money.iban(),
        "CREDIT_CARD": money.card(),
        "US_SSN": numbers.ssn(),
        "ISBN": numbers.isbn(),
        "PHONE_NUMBER": phones.phone(regions),
        "IP": network.ip(),
        "MAC_ADDRESS": network.mac(),
        "BITCOIN_ADDRESS": wallets.bitcoin(is_bitcoin),
        "ETHEREUM_ADDRESS": wallets.ethereum(),
        "CRYPTO_WALLET": wallets.other_wallet(),
        "STREET_ADDRESS": places.street(),
        "PO_BOX": places.po_box(),
        "ZIP_CODE": places.zip_code(),
    }
