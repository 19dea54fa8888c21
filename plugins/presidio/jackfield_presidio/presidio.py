"""The boundary to Presidio: the only module that imports it, so it is imported when a scrubber starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, LocalRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NoOpNlpEngine
from presidio_analyzer.predefined_recognizers import CryptoRecognizer

from jackfield_presidio.spans import Finding

if TYPE_CHECKING:
    from jackfield_presidio.recognizers.finder import Finder

__all__ = ["Analyzer", "is_bitcoin"]

_LANGUAGE = "en"
"""The recognisers know no language; Presidio wants one."""


class _Recognizer(LocalRecognizer):
    """A recogniser of Presidio that finds one entity with a plain function."""

    def __init__(self, entity: str, finder: Finder) -> None:
        super().__init__(supported_entities=[entity], supported_language=_LANGUAGE, name=f"Jackfield {entity}")
        self._entity = entity
        self._finder = finder

    def load(self) -> None:
        """Do nothing: the finder is ready."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """Return what the finder finds."""
        del entities, nlp_artifacts
        return [RecognizerResult(self._entity, start, end, score) for start, end, score in self._finder(text)]


class _NoContext(ContextAwareEnhancer):
    """Leaves scores alone. Presidio's own copies every result, and without a language model it knows no words."""

    def __init__(self) -> None:
        super().__init__(0, 0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Return the results as they are."""
        del text, nlp_artifacts, recognizers, context
        return raw_results


class Analyzer:
    """An engine of Presidio with recognisers of ours; may be used by several threads at once."""

    def __init__(self, finders: Mapping[str, Iterable[Finder]], threshold: float) -> None:
        nlp = NoOpNlpEngine(models=[{"lang_code": _LANGUAGE, "model_name": "none"}])
        recognizers = [_Recognizer(entity, finder) for entity, several in finders.items() for finder in several]
        self._threshold = threshold
        self._engine = (
            AnalyzerEngine(
                registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[_LANGUAGE]),
                nlp_engine=nlp,
                supported_languages=[_LANGUAGE],
                context_aware_enhancer=_NoContext(),
            )
            if recognizers
            else None
        )
        self._artifacts = nlp.process_text("", _LANGUAGE) if self._engine else None

    def analyze(self, text: str) -> list[Finding]:
        """Return what is found in a text, in any order."""
        if self._engine is None:
            return []
        results = self._engine.analyze(text, _LANGUAGE, score_threshold=self._threshold, nlp_artifacts=self._artifacts)
        return [Finding(result.start, result.end, result.entity_type, result.score) for result in results]


class _Bitcoin(CryptoRecognizer):
    """Presidio's checks of Base58Check, Bech32 and Bech32m."""


def is_bitcoin(text: str) -> bool:
    """Say whether Presidio takes a text for a Bitcoin address."""
    return bool(_Bitcoin().validate_result(text))
