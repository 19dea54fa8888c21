"""Sizes as Kubernetes writes them."""

from __future__ import annotations

import pytest

from jackfield import quantities


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4194304", 4194304),
        (" 4Mi ", 4 << 20),
        ("512Ki", 512 << 10),
        ("1.5Gi", 3 << 29),
        ("1k", 1000),
        ("2M", 2_000_000),
        ("1G", 10**9),
        ("1T", 10**12),
        ("1Pi", 1 << 50),
        ("7E", 7 * 10**18),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1500m", 2),
        ("0.1", 1),
        (".5k", 500),
    ],
)
def test_a_quantity_is_read_as_kubernetes_reads_it(text: str, size: int) -> None:
    """Decimal and binary units, exponents and fractions give whole bytes, rounded up."""
    assert quantities.parse(text) == size


@pytest.mark.parametrize(
    "text", ["", "1MB", "1K", "Mi", "1 Mi", "1mi", "1ee3", "1e3k", "٣", "nan", "9" * 200, "9" * 2_000_000]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """A text that Kubernetes would not take is an error that shows one it would."""
    with pytest.raises(ValueError, match="is not a size; write bytes, or a number with a unit such as 512Ki"):
        quantities.parse(text)


@pytest.mark.parametrize(("text", "cause"), [("-1", "negative"), ("8Ei", "too large"), ("1e99", "too large")])
def test_a_size_that_can_not_be_is_refused(text: str, cause: str) -> None:
    """A size is neither negative nor beyond 63 bits."""
    with pytest.raises(ValueError, match=f"is {cause}; write a size such as 64Mi"):
        quantities.parse(text)
