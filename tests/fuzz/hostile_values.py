"""The small languages that are read everywhere: each text is a value, or is refused with the one error that is due."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st
from nasty import TEXTS, edited, json_values, texts
from searching import Growth, Property

from jackfield import ConversationRequest, Message, TextPart, ToolCall, durations, quantities
from jackfield.builtin.cache.directives import read_directives
from jackfield.builtin.cache.stored import key_of
from jackfield.errors import MalformedRequest
from jackfield.headers import Headers
from jackfield.http.strict_json import parse, parse_precisely
from jackfield.messages import GenerationSettings, Record
from jackfield.opaque import carried_id, split_id
from jackfield.overrides import OverridePolicy, read_overrides
from jackfield.resilience.trip import Counts, InvalidTrip, TripFailed, compile_trip

__all__ = ["target"]

DURATIONS = (b"10m", b"1h30m", b"500ms", b"-1.5s", b"86400s", b"0", b"1us", b"2562047h47m16.854775807s", b".5s", b"15")
SIZES = (b"64Mi", b"1.5G", b"10e6", b"4194304", b"512Ki", b"1k", b"100m", b"1E", b"9e18", b"-1", b".5Gi")
SIGNS: tuple[bytes, ...] = (
    b"h",
    b"m",
    b"s",
    b"ns",
    "\u00b5s".encode(),
    b".",
    b"+",
    b"-",
    b"e",
    b"E99",
    b"Ki",
    b"i",
    b" ",
    b"9" * 200,
)
SIGNS += ("\u0663".encode(), b"_", b"0x", b"\n", b"1e", b"inf", b"nan")
TRIPS = (b"consecutiveFailures > 5", b"requests >= 10 && totalFailures * 2 > requests", b"totalFailures / requests > 1")
CEL: tuple[bytes, ...] = (
    b"(",
    b")",
    b"!",
    b"&&",
    b"||",
    b"?",
    b":",
    b"/0",
    b"%0",
    b"*9223372036854775807",
    b"-",
    b'"a"',
    b"[1]",
)
CEL += (
    b"size('x')",
    b".matches('(a+)+$')",
    b"[1,2].all(x, x > 0)",
    b"request",
    b"{}",
    b"duration('1s')",
    b"\x00",
    b"\n",
    b"(" * 300,
)
BODIES = (
    b'{"a": [1, 2.5, -0.1e3, true, null, "x\\u00e9\\n"], "b": {"c": {}}}',
    b"[]",
    b'"text"',
    b"",
    b'{"a": 1, "a": 2}',
)
JSON: tuple[bytes, ...] = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b"\\u0022",
    b"\\ud83d",
    b"\\udE00",
    b"NaN",
    b"1e999",
    b"-Infinity",
)
JSON += (
    b"\xff",
    b"\xef\xbb\xbf",
    b"[" * 300,
    b"9" * 5000,
    b"0.",
    b"tru",
    b'"a":1,',
    b"\x00",
    b"\t",
    b"/**/",
    b"1.0e-400",
    b"\xed\xa0\x80",
)
SETTINGS = (*GenerationSettings.__struct_fields__, "model", "key", "maxTokens", "MAX_TOKENS", "max_completion_tokens")


def reading(read: Callable[[str], float], *, least: float = -math.inf) -> Callable[[bytes], str]:
    """Check a reader of numbers: a finite one, or a ``ValueError`` with a text."""

    def check(data: bytes) -> str:
        text = data.decode(errors="replace")
        try:
            value = read(text)
        except ValueError as error:
            return "refused" if str(error).strip() and len(str(error)) < 300 else "refused without a reason"
        assert math.isfinite(value), value
        assert value >= least
        return "read"

    return check


def written_again(seconds: float) -> str:
    """A duration that is written as Go writes it is read as the same."""
    text = durations.format_go(seconds)
    assert math.isclose(durations.parse_go(text), seconds, rel_tol=1e-6, abs_tol=1e-9), text
    return text[-2:]


def json_read(body: bytes) -> str:
    """Both readers say the same, and what they take can be written again."""
    answers: list[Any] = []
    for read in (parse, parse_precisely):
        try:
            answers.append(read(body) if body else {})
        except MalformedRequest as error:
            answers.append(MalformedRequest if str(error) else "no reason")
    quick, precise = answers
    assert "no reason" not in answers
    if quick is MalformedRequest and precise is not MalformedRequest:
        return "too deep"
    assert json.dumps(quick, sort_keys=True) == json.dumps(precise, sort_keys=True) if quick is not precise else True
    return "refused" if quick is MalformedRequest else "read"


def tripped(data: bytes) -> str:
    """A condition is compiled and has an answer for any counts, or is refused with cause and fix."""
    try:
        trip = compile_trip(data.decode(errors="replace"))
    except InvalidTrip as error:
        return "refused" if error.cause and error.fix else "refused without a reason"
    for counts in (Counts(), Counts(10, 5, 5, 0, 5), Counts(2**62, 2**62, 2**62, 2**62, 2**62)):
        try:
            trip.holds(counts)
        except TripFailed:
            return "no answer for some counts"
    return "compiled"


def overridden(example: tuple[dict[str, Any], dict[str, Any], dict[str, str]]) -> str:
    """Settings from all places are merged, or refused; a doubt has a text."""
    doubts: list[str] = []
    try:
        found = read_overrides(*example, policy=OverridePolicy.from_manifest(None), record=Record(), doubts=doubts)
    except MalformedRequest as error:
        return "refused" if str(error) else "refused without a reason"
    assert all(doubts)
    for name, value in zip(found.settings.__struct_fields__, _values(found.settings), strict=True):
        assert not isinstance(value, float) or math.isfinite(value), name
    return "doubted" if doubts else "read"


def _values(settings: GenerationSettings) -> list[Any]:
    return [getattr(settings, name) for name in settings.__struct_fields__]


def cached(example: tuple[list[str], dict[str, str], str]) -> str:
    """The key of a request is the same for an equal one, another for another one; a header asks for what it asks."""
    said, metadata, header = example

    def request(more: str = "") -> ConversationRequest:
        messages = tuple(Message(role="user", parts=(TextPart(text + more),)) for text in said)
        headers = Headers([(b"cache-control", header.encode("latin-1", "replace"))])
        return ConversationRequest(component="c", messages=messages, metadata=dict(metadata), headers=headers)

    key = key_of(request(), "digest", "")
    assert key == key_of(request(), "digest", "")
    assert not said or key != key_of(request("x"), "digest", "")
    wanted = read_directives(request(), 60)
    return wanted if isinstance(wanted, str) else "refresh" if wanted.refresh else "cached"


def carried(example: tuple[str, str]) -> str:
    """What an id carries comes back apart from it, unless the id has the mark itself."""
    own, opaque = example
    call = ToolCall(own, "f", "{}", opaque)
    if "~opaque~" in own or (opaque and (own + "~opaque~").index("~opaque~") != len(own)):
        return "marked"
    assert split_id(carried_id(call)) == (own, opaque)
    return "carried" if opaque else "plain"


GROWING: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    "digits of a size": (lambda n: b"9" * n, reading(quantities.parse)),
    "digits of a duration": (lambda n: b"9" * n + b"s", reading(durations.parse_go)),
    "terms of a duration": (lambda n: b"1s" * n, reading(durations.parse_go)),
    "JSON: brackets": (lambda n: b"[" * n, json_read),
    "JSON: an array": (lambda n: b"[" + b"1," * n + b"1]", json_read),
    "JSON: digits": (lambda n: b"1" * n, json_read),
    "JSON: fractions": (lambda n: b"0." + b"1" * n, json_read),
    "JSON: equal keys": (lambda n: b"{" + b'"a":1,' * n + b'"a":1}', json_read),
    "JSON: keys": (lambda n: b"{" + b",".join(b'"k%d":1' % k for k in range(n)) + b"}", json_read),
    "JSON: escapes": (lambda n: b'"' + b"\\u0022" * n + b'"', json_read),
    "JSON: surrogates": (lambda n: b'"' + b"\\ud83d" * n + b'"', json_read),
    "JSON: backslashes": (lambda n: b'"' + b"\\" * n, json_read),
    "JSON: blanks": (lambda n: b" " * n, json_read),
    "a condition": (lambda n: b"requests > 1 || " * (n // 50) + b"true", tripped),
    "a nested condition": (lambda n: b"(" * (n // 50) + b"true" + b")" * (n // 50), tripped),
    "cache-control": (lambda n: ([], {}, "a=b, " * n), cached),
    "names of settings": (lambda n: ({f"{'max_tokens' * 3}{k}": 1 for k in range(n // 10)}, {}, {}), overridden),
    "a name of a setting": (lambda n: ({"max_" * n: 1}, {}, {}), overridden),
}


@contextmanager
def target() -> Iterator[list[Property | Growth]]:
    """Give the properties of all small readers."""
    anything = texts(60).map(lambda text: text.encode(errors="replace")) | st.sampled_from(
        [text.encode(errors="replace") for text in TEXTS]
    )
    times, sizes = edited(DURATIONS, SIGNS) | anything, edited(SIZES, SIGNS) | anything
    names = st.sampled_from(SETTINGS) | texts(10)
    places = st.tuples(
        st.dictionaries(names, json_values(), max_size=3),
        st.dictionaries(names, json_values(), max_size=3),
        st.dictionaries(names, texts(), max_size=3),
    )
    control = st.lists(st.sampled_from(["no-store", "no-cache", "max-age=0", "=", ",", " ", "NO-STORE"])).map(", ".join)
    bodies = edited(BODIES, JSON) | st.lists(st.sampled_from(JSON), max_size=20).map(b"".join)
    seconds = st.floats(-9e9, 9e9).filter(lambda value: value == 0 or abs(value) >= 1e-9)
    yield [
        Property("durations of requests", times, reading(durations.parse_proto)),
        Property("durations of metadata", times, reading(durations.parse_metadata)),
        Property("durations of Resiliency", times, reading(durations.parse_resiliency, least=0)),
        Property("durations, written and read", seconds, written_again),
        Property("sizes", sizes, reading(quantities.parse, least=0)),
        Property("JSON by both readers", bodies | st.binary(max_size=60), json_read),
        Property("settings of requests", places, overridden),
        Property("conditions of breakers", edited(TRIPS, CEL) | anything, tripped),
        Property(
            "cache keys and cache-control",
            st.tuples(
                st.lists(texts(), max_size=3), st.dictionaries(texts(9), texts(9), max_size=3), control | texts()
            ),
            cached,
        ),
        Property("ids that carry data", st.tuples(texts(), texts()), carried),
        *(Growth(f"growing: {name}", make, work, 50_000) for name, (make, work) in GROWING.items()),
    ]
