"""Texts that make every pattern and table ready."""

from __future__ import annotations

__all__ = ["SAMPLE"]

SAMPLE = (
    "jo@example.com 192.0.2.1 2001:db8::1 00:00:5e:00:53:01 000-00-0000 4111 1111 1111 1111 0x" + "0" * 40,
    "+44 20 7946 0958, 020 7946 0958, (415) 555-2671, 1 Main Street, P.O. Box 1, ISBN 0306406152",
    "GB33BUKB20201555555555 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa sk-0000000000000000000000000",
)
