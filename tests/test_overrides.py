"""Generation settings from three places, and what a manifest lets a request override."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield.errors import InvalidParameters, MalformedRequest
from jackfield.http.alpha2 import decode_alpha2
from jackfield.http.strict_json import parse
from jackfield.messages import ConversationRequest, GenerationSettings, Record
from jackfield.overrides import OverridePolicy

INPUTS = [{"messages": [{"ofUser": {"content": [{"text": "hello"}]}}]}]
DEFAULT = OverridePolicy.from_manifest(None)
GENERATION = frozenset(GenerationSettings.__struct_fields__)

VALUES: dict[str, tuple[Any, str, Any]] = {
    # setting: as JSON, as metadata's text, as read
    "temperature": (0.5, "0.5", 0.5),
    "max_tokens": (100, "100", 100),
    "top_p": (1, "1", 1.0),
    "top_k": (40, "40", 40),
    "stop": (["a", "b"], '["a", "b"]', ("a", "b")),
    "seed": (-7, "-7", -7),
    "presence_penalty": (-2, "-2", -2.0),
    "frequency_penalty": (1.5, "1.5", 1.5),
    "n": (2, "2", 2),
}


def decode(policy: OverridePolicy = DEFAULT, record: Record | None = None, **members: Any) -> ConversationRequest:
    """Decode an alpha2 request that has these members beside its input."""
    body = json.dumps({"inputs": INPUTS, **members}).encode()
    return decode_alpha2(parse(body), component="llm", policy=policy, record=record or Record())


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_is_read_from_each_place(name: str) -> None:
    """Every generation setting reaches the request from the top level, from parameters and from metadata."""
    assert VALUES.keys() == GENERATION
    plain, text, expected = VALUES[name]
    first, *rest = name.split("_")
    for spelling in (name, first + "".join(word.title() for word in rest)):
        for members in ({spelling: plain}, {"parameters": {spelling: plain}}, {"metadata": {spelling: text}}):
            request = decode(**members)
            assert getattr(request.settings, name) == expected
            assert request.metadata == {}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (7, 7),
        ("7", 7),
        ({"@type": "type.googleapis.com/google.protobuf.Int64Value", "value": "7"}, 7),
        ({"@type": "type.googleapis.com/google.protobuf.Int32Value", "value": 7}, 7),
        ({"@type": "type.googleapis.com/google.protobuf.DoubleValue", "value": 7.0}, 7),
        ({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "7"}, 7),
        ({"@type": "google.protobuf.Value", "value": 7}, 7),
        (None, None),
    ],
)
def test_parameters_are_plain_json_or_protobuf_any(sent: object, expected: int | None) -> None:
    """Clients that follow protobuf wrap their values; both forms mean the same."""
    assert decode(parameters={"max_tokens": sent}).settings.max_tokens == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, 1),
        ({"metadata": {"max_tokens": "2"}}, 2),
        ({"metadata": {"max_tokens": "2"}, "parameters": {"maxTokens": 3}}, 3),
        ({"metadata": {"max_tokens": "2"}, "parameters": {"maxTokens": 3}, "maxTokens": "4"}, 4),
        ({"metadata": {"max_tokens": "2"}, "parameters": {"maxTokens": 3}, "maxTokens": None}, 3),
        ({"parameters": None, "metadata": {"max_tokens": None}}, 1),
    ],
)
def test_the_nearest_place_wins(members: dict[str, Any], expected: int) -> None:
    """Top level over parameters over metadata over the manifest; null is no value."""
    defaults = GenerationSettings(max_tokens=1, temperature=0.7)
    request = decode(OverridePolicy.from_manifest(None, defaults), **members)
    assert request.settings == GenerationSettings(max_tokens=expected, temperature=0.7)


def test_unset_and_zero_temperature_differ() -> None:
    """An unset temperature stays unset, and an explicit 0 is 0."""
    assert decode().settings.temperature is None
    assert decode(temperature=0).settings.temperature == 0.0


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("END", ("END",)),
        ("[END]", ("[END]",)),
        ('["broken', ('["broken',)),
        ("[1]", ("[1]",)),
        (r'["\ud800"]', (r'["\ud800"]',)),
        ('["a","b"]', ("a", "b")),
        ("[]", ()),
    ],
)
def test_stop_texts_in_metadata_are_one_text_or_a_json_array(sent: str, expected: tuple[str, ...]) -> None:
    """Only a JSON array of strings is taken apart; any other text is itself the stop text."""
    assert decode(metadata={"stop": sent}).settings.stop == expected


@pytest.mark.parametrize("place", ["", "parameters", "metadata"])
@pytest.mark.parametrize("name", ["model", "key", "endpoint"])
def test_what_is_not_allowed_has_no_effect_and_is_named(place: str, name: str) -> None:
    """By default no request chooses model, key or endpoint; the names are recorded and go no further."""
    record = Record()
    members: dict[str, Any] = {name.title(): "other", "max_tokens": "5"}
    request = decode(DEFAULT, record, **({place: members} if place else members))
    assert record.ignored == (name,)
    assert (request.model, request.metadata, request.settings.max_tokens) == (None, {}, 5)


def test_ignored_names_are_sorted_and_unique() -> None:
    """A name that comes from several places is recorded once."""
    record = Record()
    decode(DEFAULT, record, model="a", parameters={"model": "b", "endpoint": "c"}, metadata={"apiKey": "d"})
    assert record.ignored == ("endpoint", "key", "model")


def test_what_is_allowed_leaves_nothing_ignored() -> None:
    """A request whose overrides all apply records none."""
    record = Record()
    decode(DEFAULT, record, temperature=1, metadata={"tenant": "a"})
    assert record.ignored == ()


def test_the_value_of_a_forbidden_setting_is_not_looked_at() -> None:
    """A setting without effect can't be wrong."""
    policy = OverridePolicy(frozenset())
    record = Record()
    assert decode(policy, record, maxTokens={}, parameters={"n": "many"}).settings == GenerationSettings()
    assert record.ignored == ("max_tokens", "n")


@pytest.mark.parametrize(
    "members",
    [
        {"model": "x"},
        {"parameters": {"Model": "x"}},
        {"metadata": {"model": "x"}},
    ],
)
def test_an_allowed_model_reaches_the_request(members: dict[str, Any]) -> None:
    """Where the manifest lists model, a request names it in any place."""
    assert decode(OverridePolicy.from_manifest(["Model"]), **members).model == "x"


def test_an_empty_model_is_the_component_s_own() -> None:
    """Clients that always send the field send it empty."""
    assert decode(OverridePolicy.from_manifest(["model"]), model="").model is None


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"temperature": 1}, "temperature"),
        ({"parameters": {"topP": 0.5}}, "top_p"),
        ({"metadata": {"api_key": "s3cret"}}, "key"),
        ({"endpoint": "http://elsewhere"}, "endpoint"),
    ],
)
def test_an_explicit_policy_refuses_what_it_does_not_allow(members: dict[str, Any], name: str) -> None:
    """Where the manifest sets requestOverrides itself, other overrides are an error that names them and no value."""
    record = Record()
    policy = OverridePolicy.from_manifest(["max_tokens"])
    with pytest.raises(InvalidParameters) as caught:
        decode(policy, record, **members)
    assert caught.value.detail == f"{name}: not among the requestOverrides of the component's manifest"
    assert record.ignored == ()
    assert decode(policy, maxTokens=5).settings.max_tokens == 5


@pytest.mark.parametrize(
    ("name", "bad", "cause"),
    [
        ("max_tokens", "abc", "expected a whole number, got a string that is none"),
        ("max_tokens", "", "expected a whole number, got a string that is none"),
        ("max_tokens", "0", "must be at least 1"),
        ("max_tokens", "-5", "must be at least 1"),
        ("max_tokens", "1.5", "expected a whole number"),
        ("max_tokens", "1" * 5000, "expected a whole number"),
        ("temperature", "NaN", "must be a finite number, at least 0"),
        ("temperature", "Infinity", "must be a finite number, at least 0"),
        ("temperature", "-0.1", "must be a finite number, at least 0"),
        ("temperature", "warm", "expected a number"),
        ("top_p", "7", "must be a finite number, between 0 and 1"),
        ("top_p", "NaN", "must be a finite number, between 0 and 1"),
        ("top_k", "0", "must be at least 1"),
        ("presence_penalty", "2.1", "must be a finite number, between -2 and 2"),
        ("frequency_penalty", "-3", "must be a finite number, between -2 and 2"),
        ("seed", "x", "expected a whole number"),
        ("n", "0", "must be at least 1"),
        ("stop", "", "a stop text can't be empty"),
        ("stop", '["a",""]', "a stop text can't be empty"),
    ],
)
@pytest.mark.parametrize("place", ["parameters", "metadata"])
def test_a_bad_value_is_named_with_its_place(place: str, name: str, bad: str, cause: str) -> None:
    """A bad value of an allowed setting is an invalid parameter; the text says where and why, not what."""
    members: dict[str, Any] = {place: {name: bad}}
    with pytest.raises(InvalidParameters) as caught:
        decode(**members)
    assert caught.value.detail.startswith(f"{place}.{name}: {cause}")
    assert "abc" not in caught.value.detail


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"parameters": {"max_tokens": True}}, "parameters.max_tokens: expected a whole number, got a boolean"),
        ({"parameters": {"stop": [1]}}, "parameters.stop: expected a string or an array of strings, got an array"),
        ({"parameters": {"stop": {}}}, "parameters.stop: expected a string or an array of strings, got an object"),
        ({"temperature": "NaN"}, "temperature: must be a finite number, at least 0"),
        ({"temperature": -1}, "temperature: must be a finite number, at least 0"),
        ({"topP": 7}, "topP: must be a finite number, between 0 and 1"),
        ({"maxTokens": "0"}, "maxTokens: must be at least 1"),
        (
            {"parameters": {"max_tokens": 5, "maxTokens": 6}},
            "parameters.maxTokens: max_tokens is given twice in parameters, with different values",
        ),
        (
            {"metadata": {"max_tokens": "5", "max_completion_tokens": "6"}},
            "metadata.max_completion_tokens: max_tokens is given twice in metadata, with different values",
        ),
    ],
)
def test_values_out_of_range_are_invalid_parameters(members: dict[str, Any], detail: str) -> None:
    """What can be read but not used is told with path and range."""
    with pytest.raises(InvalidParameters) as caught:
        decode(**members)
    assert caught.value.detail == detail


def test_one_value_under_two_names_is_no_conflict() -> None:
    """Clients that send max_tokens and max_completion_tokens alike are understood."""
    assert decode(parameters={"max_tokens": 5, "max_completion_tokens": "5"}).settings.max_tokens == 5


@pytest.mark.parametrize(
    ("members", "detail"),
    [
        ({"temperature": {}}, "temperature: expected a number, got an object"),
        ({"temperature": True}, "temperature: expected a number, got a boolean"),
        ({"temperature": "warm"}, "temperature: expected a number, got a string that is none"),
        ({"maxTokens": 1.5}, "maxTokens: expected a whole number, got a number"),
        ({"max_tokens": []}, "max_tokens: expected a whole number, got an array"),
        ({"stop": 5}, "stop: expected a string or an array of strings, got a number"),
        ({"maxTokens": 5, "max_tokens": 5}, "maxTokens and max_tokens are the same field; send one"),
        ({"topP": None, "top_p": 1}, "topP and top_p are the same field; send one"),
    ],
)
def test_a_top_level_field_of_the_wrong_type_is_malformed(members: dict[str, Any], detail: str) -> None:
    """At the top level settings are fields of the wire: their types and their spellings are checked as such."""
    with pytest.raises(MalformedRequest) as caught:
        decode(**members)
    assert caught.value.detail == detail
