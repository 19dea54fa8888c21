"""Durations as Go writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.durations import format_go, parse_go, parse_metadata, parse_resiliency


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("250ms", 0.25),
        ("-1m", -60.0),
        ("+2s", 2.0),
        ("3us", 3e-6),
        ("3µs", 3e-6),
        ("86400s", 86400.0),
    ],
)
def test_gos_durations_are_read(text: str, seconds: float) -> None:
    """What time.ParseDuration reads is read alike."""
    assert seconds == pytest.approx(parse_go(text))


@pytest.mark.parametrize(
    "text", ["", "10", "1d", "m", "1h 30m", "s1", ".s", "1..5s", "1e3s", "١s", "--1s", "9" * 30 + "h", "1" * 100_000]
)
def test_anything_else_is_an_error_that_shows_the_form(text: str) -> None:
    """A bad duration is refused with an example, however long it is."""
    with pytest.raises(ValueError, match="duration"):
        parse_go(text)


@pytest.mark.parametrize(("text", "seconds"), [("", 0.0), ("90", 90.0), (" 5m ", 300.0), ("-3", -3.0)])
def test_a_bare_integer_in_metadata_is_seconds(text: str, seconds: float) -> None:
    """Dapr's metadata takes bare integers as seconds, and nothing as zero."""
    assert seconds == parse_metadata(text)


@pytest.mark.parametrize(("text", "seconds"), [("250", 0.25), (" 5s ", 5.0), ("0", 0.0), ("1m30s", 90.0), ("-0", 0.0)])
def test_a_bare_integer_in_a_resiliency_manifest_is_milliseconds(text: str, seconds: float) -> None:
    """Dapr's Resiliency takes bare integers as milliseconds."""
    assert seconds == parse_resiliency(text)


@pytest.mark.parametrize("text", ["", "-5", "-5s", "5 s", "1.5"])
def test_what_is_no_duration_of_a_resiliency_manifest(text: str) -> None:
    """No policy waits for less than nothing."""
    with pytest.raises(ValueError, match="duration"):
        parse_resiliency(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (86400, "24h0m0s"), (1.5, "1.5s"), (0.25, "250ms"), (90, "1m30s"), (-2, "-2s"), (3e-6, "3µs")],
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str) -> None:
    """The text is what time.Duration's String gives."""
    assert text == format_go(seconds)


@given(st.integers(0, 9 * 10**12))
def test_what_is_written_can_be_read(milliseconds: int) -> None:
    """Writing and reading a duration loses nothing down to the millisecond."""
    assert milliseconds / 1000 == pytest.approx(parse_go(format_go(milliseconds / 1000)), abs=1e-3)
