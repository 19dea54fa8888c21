"""Alpha1: by its reference document, and as daprd has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.errors import InvalidParameters, MalformedRequest, MissingInputs
from jackfield.events import Choice, Result, Usage
from jackfield.http.alpha1 import DecodedAlpha1, decode_alpha1, encode_alpha1
from jackfield.http.strict_json import parse
from jackfield.messages import GenerationSettings, Message, ReasoningPart, Record, TextPart, ToolCall
from jackfield.overrides import OverridePolicy

POLICY = OverridePolicy.from_manifest(None)
HELLO = [{"content": "hello"}]
BOTH_MODES = pytest.mark.parametrize("documented", [True, False], ids=["documented", "daprd"])


def decode(members: Any, *, documented: bool = True) -> DecodedAlpha1:
    """Decode a request for the component llm."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    return decode_alpha1(parse(body), component="llm", policy=POLICY, documented=documented, record=Record())


def refusal(kind: type[Exception], members: Any, *, documented: bool = True) -> str:
    """Return the message with which a request is refused."""
    with pytest.raises(kind) as caught:
        decode(members, documented=documented)
    return str(getattr(caught.value, "detail", ""))


EXAMPLE = """{
  "inputs": [{"content": "What is Dapr?", "role": "user", "scrubPII": "%s"}],
  "cacheTTL": "10m",
  "scrubPII": "%s",
  "temperature": 0.5
}"""


@pytest.mark.parametrize(("word", "wish"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_the_reference_document_s_example_is_read(word: str, wish: bool) -> None:
    """The example, whose flags are strings in any case, is a request in order."""
    request = decode((EXAMPLE % (word, word)).encode()).request
    assert request.component == "llm"
    assert request.messages == (Message(role="user", parts=(TextPart("What is Dapr?"),), scrub=wish),)
    assert (request.cache_ttl, request.scrub_reply) == (600.0, wish)
    assert request.settings == GenerationSettings(temperature=0.5)
    assert request.answer_each_input


@BOTH_MODES
def test_every_field_is_read(documented: bool) -> None:
    """A request with all fields arrives whole; the name in the body and unknown fields are left out."""
    decoded = decode(
        {
            "name": "other",
            "contextID": "c-1",
            "inputs": [
                {"content": "", "role": "system", "unknown": {}},
                {"content": "two", "role": None, "scrubPII": True},
            ],
            "parameters": {"max_tokens": {"@type": "type.googleapis.com/google.protobuf.Int64Value", "value": "5"}},
            "metadata": {"tenant": "a", "seed": "3"},
            "scrubPII": False,
            "temperature": "0.25",
            "cacheTTL": "0s",
            "unknown": [1],
        },
        documented=documented,
    )
    request = decoded.request
    assert (request.component, request.context_id, request.cache_ttl) == ("llm", "c-1", 0.0)
    assert request.messages == (
        Message(role="system", parts=(TextPart(""),), input=0),
        Message(role="user", parts=(TextPart("two"),), input=1, scrub=True),
    )
    assert request.settings == GenerationSettings(temperature=0.25, max_tokens=5, seed=3)
    assert request.metadata == {"tenant": "a"}
    assert not request.scrub_reply
    assert request.answer_each_input is documented
    assert decoded.parameters == {
        "max_tokens": {"@type": "type.googleapis.com/google.protobuf.Int64Value", "value": "5"}
    }


@BOTH_MODES
@pytest.mark.parametrize(
    ("sent", "role", "text"),
    [
        (None, "user", "hi"),
        ("", "user", "hi"),
        ("user", "user", "hi"),
        ("human", "user", "hi"),
        ("Generic", "user", "hi"),
        ("SYSTEM", "system", "hi"),
        ("developer", "developer", "hi"),
        ("assistant", "assistant", "hi"),
        ("AI", "assistant", "hi"),
        ("tool", "user", "Tool result: hi"),
        ("Function", "user", "Tool result: hi"),
    ],
)
def test_roles_are_read_in_any_case(sent: str | None, role: str, text: str, documented: bool) -> None:
    """Every role of the contract has its place; results of tools are marked user text, as they answer no known call."""
    (message,) = decode({"inputs": [{"content": "hi", "role": sent}]}, documented=documented).request.messages
    assert (message.role, message.text) == (role, text)


def test_an_unknown_role_is_refused_or_a_user() -> None:
    """By the document an unknown role is an error that lists the known ones; daprd takes it for a user's."""
    members = {"inputs": [*HELLO, {"content": "hi", "role": "r" * 100}]}
    detail = refusal(InvalidParameters, members)
    assert detail.startswith("inputs[1].role: '" + "r" * 40 + "' is no role; use one of ai, assistant, developer,")
    assert all(role in detail for role in ("function", "generic", "human", "system", "tool", "user"))
    assert decode(members, documented=False).request.messages[1].role == "user"


@BOTH_MODES
@pytest.mark.parametrize("spelling", ["scrubPII", "scrubPii", "scrub_pii", "ScrubPII", "SCRUB_PII"])
def test_every_spelling_of_the_scrub_flag_counts(spelling: str, documented: bool) -> None:
    """No spelling of the flag is overlooked, in the request or in an input."""
    request = decode({"inputs": [{"content": "x", spelling: True}], spelling: True}, documented=documented).request
    assert request.scrub_reply
    assert request.messages[0].scrub


@BOTH_MODES
@pytest.mark.parametrize(
    "members",
    [
        {"inputs": HELLO, "scrubPII": True, "scrub_pii": False},
        {"inputs": [{"content": "x", "scrubPii": True, "scrubPII": False}]},
        b'{"inputs":[{"content":"x","scrubPII":true,"scrubPII":false}]}',
        b'{"inputs":[{"content":"x"}],"scrubPII":true,"scrubPII":false}',
    ],
)
def test_a_scrub_flag_given_twice_is_refused(members: Any, documented: bool) -> None:
    """Of two flags none is picked: the request is malformed."""
    assert "twice" in (detail := refusal(MalformedRequest, members, documented=documented)) or "two" in detail


def test_booleans_as_words_are_the_document_s_own() -> None:
    """As daprd has it only literal booleans count; by the document other words are refused, not taken for false."""
    members = {"inputs": HELLO, "scrubPII": "true"}
    assert refusal(MalformedRequest, members, documented=False) == "scrubPII: expected a boolean, got a string"
    members = {"inputs": [{"content": "x", "scrubPII": "yes"}]}
    cause = "inputs[0].scrubPII: expected true or false, got a string that is neither"
    assert refusal(InvalidParameters, members) == cause


@BOTH_MODES
@pytest.mark.parametrize("spelling", ["cacheTTL", "cacheTtl", "cache_ttl"])
@pytest.mark.parametrize(
    ("sent", "seconds"), [("10m", 600.0), ("1h30m", 5400.0), ("0s", 0.0), ("1.5s", 1.5), (None, None)]
)
def test_cache_ttl_is_a_go_duration(spelling: str, sent: str | None, seconds: float | None, documented: bool) -> None:
    """The time to live is read in seconds under each of its spellings; absent and null leave it open."""
    assert decode({"inputs": HELLO, spelling: sent}, documented=documented).request.cache_ttl == seconds


@BOTH_MODES
@pytest.mark.parametrize(
    ("sent", "kind", "cause"),
    [
        ("600", InvalidParameters, "cacheTTL: not a duration; write a number with a unit, such as 10m"),
        ("", InvalidParameters, "cacheTTL: not a duration"),
        ("ten minutes", InvalidParameters, "cacheTTL: not a duration"),
        ("-5m", InvalidParameters, "cacheTTL: a duration can't be negative; write 0s to switch the cache off"),
        (600, MalformedRequest, "cacheTTL: expected a duration as a string, such as 10m, got a number"),
        (-1, MalformedRequest, "cacheTTL: expected a duration as a string"),
        (True, MalformedRequest, "cacheTTL: expected a duration as a string"),
    ],
)
def test_a_bad_cache_ttl_is_refused(sent: object, kind: type[Exception], cause: str, documented: bool) -> None:
    """Bare numbers, negatives and other texts are errors that show the form."""
    detail = refusal(kind, {"inputs": HELLO, "cacheTTL": sent}, documented=documented)
    assert detail.startswith(cause)
    assert "ten minutes" not in detail


@BOTH_MODES
def test_metadata_takes_every_scalar_and_every_key(documented: bool) -> None:
    """Scalars become text as JSON writes them, nulls are left out, and no key has a meaning that breaks decoding."""
    metadata = {
        "message": "m",
        "tools": 5,
        "Inputs": 0.5,
        "content": True,
        "role": False,
        "none": None,
        "": "empty",
        "big": 10**30,
        "Temperature": 1,
    }
    request = decode({"inputs": HELLO, "metadata": metadata}, documented=documented).request
    assert request.metadata == {
        "message": "m",
        "tools": "5",
        "Inputs": "0.5",
        "content": "true",
        "role": "false",
        "": "empty",
        "big": str(10**30),
    }
    assert request.settings.temperature == 1.0


@BOTH_MODES
@pytest.mark.parametrize("body", [b"", b"{}", b'{"inputs":[]}', b'{"inputs":null}', b'{"Inputs":[{"content":"x"}]}'])
def test_no_inputs_is_missing_inputs(body: bytes, documented: bool) -> None:
    """An empty body, and inputs that are absent, null or empty, have their own error."""
    with pytest.raises(MissingInputs):
        decode(body, documented=documented)


@BOTH_MODES
@pytest.mark.parametrize("members", [{"inputs": [{}]}, {"inputs": [*HELLO, {"content": None, "role": "user"}]}])
def test_content_is_required(members: Any, documented: bool) -> None:
    """An input without content is an invalid parameter; empty content is one in order."""
    at = len(members["inputs"]) - 1
    cause = f"inputs[{at}].content: missing; it is required and may be empty"
    assert refusal(InvalidParameters, members, documented=documented) == cause


@BOTH_MODES
@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ([], "the body: expected an object, got an array"),
        (None, "the body: expected an object, got null"),
        ("x", "the body: expected an object, got a string"),
        ({"inputs": {}}, "inputs: expected an array, got an object"),
        ({"inputs": "hi"}, "inputs: expected an array, got a string"),
        ({"inputs": [None]}, "inputs[0]: expected an object, got null"),
        ({"inputs": ["hi"]}, "inputs[0]: expected an object, got a string"),
        ({"inputs": [{"content": 5}]}, "inputs[0].content: expected a string, got a number"),
        ({"inputs": [{"content": ["x"]}]}, "inputs[0].content: expected a string, got an array"),
        ({"inputs": [*HELLO, {"content": "x", "role": 1}]}, "inputs[1].role: expected a string, got a number"),
        ({"inputs": [{"content": "x", "scrubPII": 1}]}, "inputs[0].scrubPII: expected a boolean, got a number"),
        ({"inputs": HELLO, "scrubPII": []}, "scrubPII: expected a boolean, got an array"),
        ({"inputs": HELLO, "contextID": 5}, "contextID: expected a string, got a number"),
        ({"inputs": HELLO, "parameters": []}, "parameters: expected an object, got an array"),
        ({"inputs": HELLO, "metadata": "x"}, "metadata: expected an object, got a string"),
        (
            {"inputs": HELLO, "metadata": {"a": {}}},
            "metadata.a: expected a string, a number or a boolean, got an object",
        ),
        ({"inputs": HELLO, "temperature": "hot"}, "temperature: expected a number, got a string that is none"),
    ],
)
def test_a_wrong_json_type_is_malformed(members: Any, cause: str, documented: bool) -> None:
    """Each field that has another JSON type is told by path and types."""
    assert refusal(MalformedRequest, members, documented=documented) == cause


def test_the_kinds_of_error_have_an_order() -> None:
    """What can't be read comes before what is missing, and that before what can't be used."""
    bad_input: dict[str, Any] = {"inputs": [{"role": "nobody"}], "cacheTTL": "soon"}
    assert refusal(MalformedRequest, {**bad_input, "metadata": 5})
    with pytest.raises(MissingInputs):
        decode({"cacheTTL": "soon"})
    assert refusal(InvalidParameters, bad_input) == "inputs[0].content: missing; it is required and may be empty"


@pytest.mark.parametrize(
    ("documented", "parameters", "expected"),
    [
        (True, {}, {"outputs": [{"result": "", "parameters": {}}, {"result": "b", "parameters": {}}]}),
        (
            True,
            {"k": {"deep": [1]}},
            {"outputs": [{"result": r, "parameters": {"k": {"deep": [1]}}} for r in ("", "b")]},
        ),
        (False, {}, {"outputs": [{}, {"result": "b"}]}),
        (False, {"k": 1}, {"outputs": [{"parameters": {"k": 1}}, {"result": "b", "parameters": {"k": 1}}]}),
    ],
)
def test_a_reply_has_one_output_per_choice(documented: bool, parameters: dict[str, Any], expected: object) -> None:
    """Each choice is an output that repeats the parameters; only daprd's form leaves defaults out."""
    calls = (ToolCall("1", "f", "{}"),)
    result = Result(
        choices=(Choice(tool_calls=calls, finish_reason="tool_calls"), Choice((ReasoningPart("hm"), TextPart("b")))),
        model="m",
        usage=Usage(1, 2, 3),
    )
    request = decode({"inputs": HELLO}).request
    assert json.loads(encode_alpha1(request, result, documented=documented, parameters=parameters)) == expected


@pytest.mark.parametrize(("documented", "empty"), [(True, {"outputs": []}), (False, {})])
def test_a_reply_repeats_only_a_context_that_was_given(documented: bool, empty: dict[str, Any]) -> None:
    """The context's name is repeated if it isn't empty; a reply without choices shows the form's own emptiness."""
    for context in ("", "c-1"):
        request = decode({"inputs": HELLO, "contextID": context}).request
        reply = json.loads(encode_alpha1(request, Result(choices=()), documented=documented, parameters={}))
        assert reply == ({"contextID": context, **empty} if context else empty)
