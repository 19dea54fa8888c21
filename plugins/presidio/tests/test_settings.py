"""What a manifest may say, what is said back when it is wrong, and what each setting does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from pydantic import ValidationError

from jackfield import Build
from jackfield_presidio import PresidioScrubber, PresidioSettings

Make: TypeAlias = Callable[..., PresidioScrubber]
ScrubWith: TypeAlias = Callable[..., str]

KEY = "a-key-of-many-characters"
TEXT = "jane@example.com, 415-555-2671, 4111 1111 1111 1111"


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        ({"entities": ["EMAIL"]}, "entities", "'EMAIL' in entities is not known; did you mean EMAIL_ADDRESS?"),
        ({"entities": ["IP_ADDRESS"]}, "entities", "did you mean IP?"),
        ({"entities": "email_adress"}, "entities", "did you mean EMAIL_ADDRESS?"),
        ({"entities": ["PERSON"]}, "entities", "set ner to true"),
        ({"entities": ["COLOUR"]}, "entities", "known are API_KEY, BITCOIN_ADDRESS"),
        ({"threshold": 1.5}, "threshold", "less than or equal to 1"),
        ({"languages": ["xx"]}, "languages", "'xx' in languages is not known; known are cs, da, de"),
        ({"languages": []}, "languages", "at least one language"),
        ({"patterns": [{"name": "badge", "regex": "x"}]}, "patterns.0.name", "should match pattern"),
        ({"patterns": [{"name": "A", "regex": "("}]}, "patterns.0.regex", "it is no regular expression: missing )"),
        ({"patterns": [{"name": "A", "regex": "a*"}]}, "patterns.0.regex", "it matches the empty text"),
        ({"patterns": [{"name": "A", "regex": "a", "timeLimit": "1h"}]}, "patterns.0.timeLimit", "less than or equal"),
        ({"patterns": [{"name": "A", "regexp": "a"}]}, "patterns.0.regex", "Field required"),
        (
            {"operators": {"EMAIL": {"type": "mask"}}},
            "",
            "'EMAIL' in operators is not known; did you mean EMAIL_ADDRESS?",
        ),
        ({"operators": {"IP": {"type": "redact"}}}, "operators.IP.type", "'replace', 'mask' or 'hash'"),
        ({"operators": {"IP": {"type": "hash"}}}, "", "the operator hash of IP needs hashKey, a secret of at least 16"),
        ({"nerModel": "../x"}, "nerModel", "should match pattern"),
        ({"entity": []}, "entity", "Extra inputs are not permitted"),
    ],
)
def test_mistakes(settings: dict[str, Any], place: str, message: str) -> None:
    """A mistake is reported at its field, with what to write instead."""
    with pytest.raises(ValidationError) as caught:
        PresidioSettings.model_validate(settings)
    error = caught.value.errors()[0]
    assert ".".join(map(str, error["loc"])) == place
    assert message in error["msg"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "<EMAIL_ADDRESS>, <PHONE_NUMBER>, <CREDIT_CARD>"),
        ({"entities": ["EMAIL_ADDRESS"]}, "<EMAIL_ADDRESS>, 415-555-2671, 4111 1111 1111 1111"),
        ({"entities": "PHONE_NUMBER, CREDIT_CARD"}, "jane@example.com, <PHONE_NUMBER>, <CREDIT_CARD>"),
        ({"entities": []}, TEXT),
        ({"threshold": 0.85}, "<EMAIL_ADDRESS>, 415-555-2671, 4111 1111 1111 1111"),
        ({"allow": ["jane@example.com"]}, "jane@example.com, <PHONE_NUMBER>, <CREDIT_CARD>"),
        ({"allow": ["JANE@example.com", "example.com"]}, "<EMAIL_ADDRESS>, <PHONE_NUMBER>, <CREDIT_CARD>"),
        ({"operators": {"EMAIL_ADDRESS": {"text": "[mail]"}}}, "[mail], <PHONE_NUMBER>, <CREDIT_CARD>"),
        ({"operators": {"EMAIL_ADDRESS": {"text": ""}}}, ", <PHONE_NUMBER>, <CREDIT_CARD>"),
        (
            {"operators": {"CREDIT_CARD": {"type": "mask", "keepLast": 4}}},
            "<EMAIL_ADDRESS>, <PHONE_NUMBER>, ***************1111",
        ),
        (
            {"operators": {"PHONE_NUMBER": {"type": "mask", "character": "#", "keepLast": 16}}},
            "<EMAIL_ADDRESS>, ######5-2671, <CREDIT_CARD>",
        ),
        (
            {"patterns": [{"name": "SCHEME", "regex": "[a-z]+@"}]},
            "<EMAIL_ADDRESS>, <PHONE_NUMBER>, <CREDIT_CARD>",
        ),
        (
            {"patterns": [{"name": "ALL", "regex": r"\d.*"}], "entities": ["EMAIL_ADDRESS"]},
            "<EMAIL_ADDRESS>, <ALL>",
        ),
        ({"patterns": [{"name": "A", "regex": "jane", "score": 0.2}], "entities": []}, TEXT),
        (
            {
                "patterns": [{"name": "A", "regex": "jane"}, {"name": "A", "regex": "com"}],
                "entities": [],
                "operators": {"A": {"type": "mask"}},
            },
            TEXT.replace("jane", "****").replace("com", "***"),
        ),
    ],
)
def test_settings(settings: dict[str, Any], expected: str, scrub_with: ScrubWith) -> None:
    """Each setting changes what is found, or what stands in its place, as it says."""
    assert scrub_with(TEXT, **settings) == expected


def test_languages(scrub_with: ScrubWith) -> None:
    """A language adds the national phone numbers of its regions."""
    text = "ring 912 345 678 tomorrow"
    assert scrub_with(text) == text
    assert scrub_with(text, languages="es") == "ring <PHONE_NUMBER> tomorrow"


def test_hash(scrub_with: ScrubWith) -> None:
    """The same text has the same hash, another key gives another, and nothing of the text is in it."""
    settings = {"operators": {"EMAIL_ADDRESS": {"type": "hash", "length": 12}}, "hashKey": KEY}
    first, again, other = scrub_with("a@b.co a@b.co c@d.de", **settings).split()
    assert first == again != other
    assert first.startswith("<EMAIL_ADDRESS:")
    assert len(first) == len("<EMAIL_ADDRESS:>") + 12
    assert scrub_with("a@b.co", **{**settings, "hashKey": KEY + "2"}) != first


def test_operators_in_a_stream(make: Make) -> None:
    """A stream replaces as the whole does."""
    scrubber = make(operators={"CREDIT_CARD": {"type": "mask", "keepLast": 4}, "EMAIL_ADDRESS": {"text": ""}})
    stream = scrubber.stream()
    assert stream is not None
    written = [stream.feed(char)[0] for char in TEXT]
    assert "".join([*written, stream.end()[0]]) == ", <PHONE_NUMBER>, ***************1111"


@pytest.mark.timeout(20)
def test_a_pattern_without_end(make: Make) -> None:
    """A pattern that takes too long stops the scrub and says which one it was, not what the text is."""
    scrubber = make(patterns=[{"name": "SLOW", "regex": r"(x+x+)+y|(a|aa)+$", "timeLimit": "0.2s"}])
    with pytest.raises(
        TimeoutError, match=r"the pattern SLOW took longer than 0\.2 s; make its regex simpler"
    ) as caught:
        scrubber.find("x" * 40 + "y"[:0] + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
    assert "xx" not in str(caught.value)


def test_what_needs_the_whole(make: Make) -> None:
    """With patterns of the operator's own there is no stream, and nothing runs on the event loop."""
    scrubber = make(patterns=[{"name": "A", "regex": "a"}])
    assert (scrubber.stream(), scrubber.inline_limit) == (None, 0)
    assert make().inline_limit == 16384


DIGESTS: list[dict[str, Any]] = [
    {},
    {"entities": ["IP"]},
    {"threshold": 0.5},
    {"languages": ["de"]},
    {"allow": ["x"]},
    {"patterns": [{"name": "A", "regex": "a"}]},
    {"operators": {"IP": {"type": "mask"}}},
    {"hashKey": KEY},
    {"hashKey": KEY + "2"},
    {"ner": True},
]


def test_digest() -> None:
    """Scrubbers share a digest when their settings are the same, the key of the hashes included, and only then."""

    def digest(settings: dict[str, Any]) -> str:
        decoded = PresidioSettings.model_validate(settings)
        return PresidioScrubber(Build(name="x", type_name="scrubber.presidio", settings=decoded)).digest

    digests = [digest(settings) for settings in DIGESTS]
    assert len(set(digests)) == len(DIGESTS)
    assert digests == [digest(settings) for settings in DIGESTS]
    assert not any(KEY in one for one in digests)
