"""Lists of HTTP statuses."""

from __future__ import annotations

import pytest

from jackfield.resilience.statuses import parse_statuses


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("429", {429}),
        ("429,500-502", {429, 500, 501, 502}),
        (" 429 , 500 - 501 ", {429, 500, 501}),
        ("100-599", set(range(100, 600))),
        ("500-500,500", {500}),
    ],
)
def test_a_list_has_statuses_and_ranges(text: str, statuses: set[int]) -> None:
    """Both ends of a range count."""
    assert parse_statuses(text) == statuses


@pytest.mark.parametrize("text", ["4xx", "429;500", "600", "99", "500-400", "429,", "-500", "500-", "0429", "٤٢٩"])
def test_anything_else_names_the_part_that_is_wrong(text: str) -> None:
    """What is no status from 100 to 599 is an error."""
    with pytest.raises(ValueError, match=r"status|100 to 599"):
        parse_statuses(text)
