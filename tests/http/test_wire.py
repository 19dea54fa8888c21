"""Values on the wire."""

from __future__ import annotations

import json
import math

import pytest

from jackfield.errors import (
    ERROR_CODES,
    BodyUnreadable,
    ComponentNotFound,
    HostFault,
    InvalidParameters,
    MalformedRequest,
    MissingInputs,
    ProviderError,
    RequestError,
    Unauthorized,
)
from jackfield.http import wire


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.0), (-3, -3.0), (0.5, 0.5), ("0.5", 0.5), ("-1e3", -1000.0), ("7", 7.0), ("Infinity", math.inf)],
)
def test_doubles_come_as_numbers_and_as_text(value: object, expected: float) -> None:
    """A double is read from a number and from a number's text."""
    assert wire.number(value) == expected


def test_nan_comes_as_text() -> None:
    """The text NaN is a double, which no range accepts later."""
    assert math.isnan(wire.number("NaN"))


@pytest.mark.parametrize(
    "value",
    ["", " 1", "1 ", "+1", "1_0", "01", ".5", "5.", "0x10", "nan", "inf", "infinity", "\u0661", True, [], {}, 2**64],
)
def test_what_is_no_double_is_refused(value: object) -> None:
    """Only JSON's own number format counts, whatever Python's float would take."""
    with pytest.raises(TypeError, match="a number"):
        wire.number(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        ("5", 5),
        (5.0, 5),
        ("5.0", 5),
        ("1e3", 1000),
        (-1, -1),
        (2**63 - 1, 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_integers_come_as_numbers_and_as_text(value: object, expected: int) -> None:
    """An int64 is read from a whole number and from its text, without losing a digit."""
    assert wire.integer(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        "1.5",
        "five",
        "",
        " 5",
        "1_0",
        True,
        2**63,
        "9223372036854775808",
        1e300,
        "1e400",
        "NaN",
        "9" * 5000,
        [],
        {},
    ],
)
def test_what_is_no_int64_is_refused(value: object) -> None:
    """Fractions, words, booleans and numbers beyond 64 bits are no int64."""
    with pytest.raises(TypeError, match="a whole number"):
        wire.integer(value)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ComponentNotFound(), "ERR_CONVERSATION_NOT_FOUND", "failed finding conversation component llm"),
        (
            InvalidParameters("why"),
            "ERR_CONVERSATION_INVALID_PARMS",
            "failed conversing with component llm: invalid params: why",
        ),
        (
            MissingInputs(),
            "ERR_CONVERSATION_MISSING_INPUTS",
            "failed conversing with component llm: missing inputs in request",
        ),
        (MalformedRequest("why"), "ERR_MALFORMED_REQUEST", "failed deserializing HTTP body: why"),
        (BodyUnreadable("why"), "ERR_BODY_READ", "failed to read request body: why"),
        (Unauthorized(), "ERR_UNAUTHENTICATED", "invalid api token"),
        (HostFault("KeyError"), "ERROR", "internal error: KeyError"),
        (ProviderError("why"), "ERR_CONVERSATION_INVOKE", "failed conversing with component llm: why"),
    ],
)
def test_errors_are_written_as_dapr_writes_them(error: RequestError, code: str, message: str) -> None:
    """An error's body has code and message, and nothing else."""
    assert json.loads(wire.encode_error(error.named("llm"))) == {"errorCode": code, "message": message}


def test_every_error_code_is_in_the_table_above() -> None:
    """A new kind of request error needs a row here too."""
    assert len(ERROR_CODES) == 8


def test_half_a_surrogate_pair_from_a_provider_is_no_failure() -> None:
    """A reply that can't be written as UTF-8 is written with question marks rather than lost."""
    assert wire.encode_error(ProviderError("a\ud800b").named("llm")).endswith(b': a?b"}')
