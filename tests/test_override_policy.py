"""The names of overrides, and the policy that a manifest makes of them."""

from __future__ import annotations

import pytest

from jackfield.messages import GenerationSettings
from jackfield.overrides import OverridePolicy, override_name

SPELLINGS = {
    "temperature": ["temperature", "Temperature", "TEMPERATURE"],
    "max_tokens": [
        "max_tokens",
        "maxTokens",
        "MaxTokens",
        "max-tokens",
        "max_completion_tokens",
        "maxCompletionTokens",
        "max_output_tokens",
    ],
    "top_p": ["top_p", "topP", "TopP"],
    "top_k": ["top_k", "topK"],
    "stop": ["stop", "stop_sequences", "stopSequences", "Stop"],
    "seed": ["seed", "Seed"],
    "presence_penalty": ["presence_penalty", "presencePenalty"],
    "frequency_penalty": ["frequency_penalty", "frequencyPenalty"],
    "n": ["n", "N"],
    "model": ["model", "Model"],
    "key": ["key", "Key", "api_key", "apiKey", "API-KEY"],
    "endpoint": ["endpoint", "Endpoint", "end_point"],
}


@pytest.mark.parametrize(
    ("name", "spelling"), [(name, spelling) for name, spellings in SPELLINGS.items() for spelling in spellings]
)
def test_a_setting_is_known_in_every_spelling(name: str, spelling: str) -> None:
    """Case, underscores and hyphens make no difference to what a key names."""
    assert override_name(spelling) == name


@pytest.mark.parametrize("key", ["", "tenant", "message", "tools", "models", "maxtoken", "stop_it", "keys"])
def test_other_keys_are_no_settings(key: str) -> None:
    """Only whole names count, so metadata of other meaning is passed on."""
    assert override_name(key) is None


def test_the_default_policy_allows_all_but_model() -> None:
    """Without requestOverrides every generation setting may be overridden, and nothing else."""
    assert OverridePolicy.from_manifest(None) == OverridePolicy(
        frozenset(GenerationSettings.__struct_fields__), explicit=False, defaults=GenerationSettings()
    )


def test_a_manifest_names_settings_in_any_spelling() -> None:
    """The names of requestOverrides are as free as a request's."""
    policy = OverridePolicy.from_manifest(["maxTokens", "top_p", "Model"])
    assert policy.allowed == {"max_tokens", "top_p", "model"}
    assert policy.explicit
    assert OverridePolicy.from_manifest([]) == OverridePolicy(frozenset(), explicit=True)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("key", "'key' can't be allowed"),
        ("apiKey", "'apiKey' can't be allowed"),
        ("EndPoint", "'EndPoint' can't be allowed"),
        ("max_token", "'max_token' is no setting of a request; known are frequency_penalty, max_tokens"),
        ("", "'' is no setting"),
    ],
)
def test_a_manifest_cannot_allow_everything(name: str, cause: str) -> None:
    """A name that is unknown, or that must never be overridden, is an error that names it."""
    with pytest.raises(ValueError, match=r"can't be allowed|is no setting") as caught:
        OverridePolicy.from_manifest(["seed", name])
    assert str(caught.value).startswith(cause)
