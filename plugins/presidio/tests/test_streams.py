"""A text that comes in pieces is scrubbed as the whole is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield_presidio import PresidioScrubber

Scrub: TypeAlias = Callable[[str], str]

HELD = 256
ENTITIES = (
    "jane.doe@example.com", "+1 (415) 555-2671", "415-555-2671", "020 7946 0958", "192.168.17.1", "2001:db8::1",
    "fe80::1%eth0", "488-23-3729", "4111 1111 1111 1111", "4111111111111111", "GB29 NWBK 6016 1331 9268 19",
    "00:1A:2B:3C:4D:5E", "123 North Main Street Apt 4", "P.O. Box 123", "Springfield, IL 62701",
    "ISBN 0306406152", "978-3-16-148410-0", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "sk-proj-A1b2C3d4E5f6G7h8I9j0K1l2", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqb2UifQ",
    "0x52908400098527886E0F7030069857D2E4169EE7", "https://aavaz.ai/emp/488-23-3729?x=488-23-3729",
    "sk-" + "a1_" * 200, "eyJ" + "a1" * 150 + "." + "b2" * 150 + "..c",
    "a" * 200 + "@" + "b" * 60 + ".example.com", "123e4567-e89b-12d3-a456-426614174000",
)  # fmt: skip
SEPARATORS = (
    " ", "  ", "\n", ", ", "/", ".", "..", "-", "@", "::", "(", ")", "\\", "\\n", "\\u003c", '\\"', "\\\\", '"',
    "#", " #", "_", "的", "é", "ё", "‑", "\u00a0", "😀", "\ud800", "%40", "+", "x", "ext", "P", "PO", "Post",
    "CA ", "ISBN ", "zip: ", "https://", "0", "12", "DE", "...", "\x00", "\u0301", "12 Oak ", "a1b2",
)  # fmt: skip
parts = st.one_of(
    st.sampled_from(ENTITIES),
    st.builds(lambda text, a, b: text[a : a + b], st.sampled_from(ENTITIES), st.integers(0, 30), st.integers(1, 60)),
    st.sampled_from(SEPARATORS),
    st.builds(lambda text, times: text * times, st.sampled_from(SEPARATORS), st.integers(1, 130)),
    st.text(max_size=30),
    st.text(alphabet="0123456789-. ()+", max_size=300),
    st.text(alphabet="abcdef0123456789:%-_@. ", max_size=300),
    st.just("The quick brown fox jumps over the lazy dog and in 2025 it used port 8080. "),
)
texts = st.lists(parts, max_size=14).map("".join)
quick = settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def streamed(scrubber: PresidioScrubber, pieces: list[str]) -> str:
    """Scrub pieces as a stream, and check what is held back on the way."""
    stream = scrubber.stream()
    assert stream is not None
    written: list[str] = []
    taken = settled = 0
    for piece in pieces:
        text, spans = stream.feed(piece)
        written.append(text)
        taken += len(piece)
        settled += len(text) + sum(span.end - span.start - len(span.label) for span in spans)
        assert taken - settled <= HELD
    return "".join([*written, stream.end()[0]])


def cut(text: str, sizes: list[int]) -> list[str]:
    """Cut a text into pieces of the sizes given, over and over."""
    pieces, place, number = [], 0, 0
    while place < len(text):
        size = sizes[number % len(sizes)]
        pieces.append(text[place : place + size])
        place, number = place + size, number + 1
    return pieces


@quick
@given(text=texts, sizes=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_every_split_gives_the_same(scrubber: PresidioScrubber, text: str, sizes: list[int]) -> None:
    """For any text and any way of cutting it, the stream gives what the whole gives, and holds at most 256."""
    assert streamed(scrubber, cut(text, sizes)) == streamed(scrubber, [text]) == _whole(scrubber, text)


@quick
@given(text=texts)
def test_single_characters_give_the_same(scrubber: PresidioScrubber, text: str) -> None:
    """A stream of single characters gives what the whole gives."""
    assert streamed(scrubber, list(text)) == _whole(scrubber, text)


@quick
@given(text=texts, place=st.integers(0, 2000))
def test_two_pieces_give_the_same(scrubber: PresidioScrubber, text: str, place: int) -> None:
    """A text cut in two anywhere gives what the whole gives."""
    assert streamed(scrubber, [text[:place], text[place:]]) == _whole(scrubber, text)


def _whole(scrubber: PresidioScrubber, text: str) -> str:
    written: list[str] = []
    place = 0
    for span in scrubber.find(text):
        written += (text[place : span.start], span.label)
        place = span.end
    return "".join([*written, text[place:]])


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_place_to_cut(entity: str, scrubber: PresidioScrubber) -> None:
    """Each entity may be cut at each of its characters."""
    text = f"so: {entity}, and {entity}\nthen"
    for place in range(len(text)):
        assert streamed(scrubber, [text[:place], text[place:]]) == _whole(scrubber, text)


PROSE = (
    "Caching keeps answers that were given before, so that the same question costs nothing; the store is bounded. "
    "Наша команда пишет тесты каждый день. Les élèves étudient le français à l'école (vraiment). std::vector<int> "
    "grows — file_name.py and foo.bar() stay; in the end it is me or you. Who knows?\n\nNobody's reply!"
)


def test_one_word_is_held_where_nothing_is_open(scrubber: PresidioScrubber) -> None:
    """In prose no more is held back than the word that is being written."""
    stream = scrubber.stream()
    assert stream is not None
    written = ""
    for place, char in enumerate(PROSE):
        written += stream.feed(char)[0]
        held = PROSE[len(written) : place + 1]
        assert PROSE.startswith(written)
        assert len(held.split()) <= 1
        assert not held.endswith((" ", "\n"))
    assert written + stream.end()[0] == PROSE


@pytest.mark.parametrize(("text", "label"), [("sk-" + "a1B2" * 9999, "<API_KEY>"), ("eyJ" + "a1B2" * 9999, "<JWT>")])
def test_a_token_is_not_held(text: str, label: str, scrubber: PresidioScrubber) -> None:
    """A token of any length is one label, which is out long before the token ends; what follows it is written."""
    stream = scrubber.stream()
    assert stream is not None
    written = [stream.feed(f"x {text[:300]}")[0]]
    assert "".join(written) == f"x {label}"
    written += [stream.feed(piece)[0] for piece in cut(text[300:], [77])]
    written += [stream.feed(". So")[0], stream.end()[0]]
    assert "".join(written) == f"x {label}. So"
    [span] = scrubber.find(f"x {text}. So")
    assert (span.start, span.end) == (2, 2 + len(text))


def test_spans_of_a_stream(scrubber: PresidioScrubber) -> None:
    """The spans of a stream are those of the whole, with places in the whole text."""
    text = "mail a@b.co or call 415-555-2671 now"
    stream = scrubber.stream()
    assert stream is not None
    spans = [span for piece in cut(text, [5]) for span in stream.feed(piece)[1]]
    assert [*spans, *stream.end()[1]] == list(scrubber.find(text))
