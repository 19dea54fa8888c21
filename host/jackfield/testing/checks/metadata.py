"""Checks of how a manifest's ``spec.metadata`` is read, and of what is said when it is wrong."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from jackfield.catalog.builder import StartFailed
from jackfield.errors import ManifestError, Problem
from jackfield.manifests.names import SettingsField, fields_of
from jackfield.policies import PolicySettings
from jackfield.settings import DaprSettings
from jackfield.testing.building import item_line
from jackfield.testing.checking import ABSENT, check
from jackfield.testing.checks.base import Checks

__all__ = ["MetadataChecks"]


class MetadataChecks(Checks):
    """A manifest that is right works without a word, and one that is wrong says where and why."""

    required: ClassVar[tuple[str, ...]] = ("key",)
    """Items without which the component can't be built, as far as ``metadata`` has them."""

    @check("a manifest that is right is built without a word", upstream=False)
    async def test_manifest_is_built(self) -> None:
        """The metadata of the class's own manifest raise no warning."""
        async with self.opened() as opened:
            assert [str(problem) for problem in opened.problems] == []

    @check("a typo is told with the nearest name", upstream=False)
    async def test_typo(self) -> None:
        """An item that nobody knows is a warning, or an error for settings of our own, that names what was meant."""
        settings = self.kind.settings
        fields = [*fields_of(settings), *fields_of(PolicySettings)]
        meant = next((field.name for field in fields if field.name == "model"), fields[0].name)
        typo = meant[:-1] + meant[-1] * 2
        if issubclass(settings, DaprSettings):
            item: dict[str, Any] = {typo: "x"}
            async with self.opened(**item) as opened:
                assert opened.problems, f"the item {typo} goes unnoticed"
                problem = opened.problems[0]
            assert problem.severity == "warning"
        else:
            problem = await self._refused(typo, "x")
        assert problem.field == f"spec.metadata.{typo}"
        assert meant in problem.fix, problem.fix

    @check("a value that can't be read is told with its line", upstream=False)
    async def test_bad_value(self) -> None:
        """The error names the item and its line, and says what is wrong."""
        fields = [*fields_of(self.kind.settings), *fields_of(PolicySettings)]
        wrong = next(field for field in fields if _is_strict(field))
        problem = await self._refused(wrong.name, "not such a value")
        assert problem.field == f"spec.metadata.{wrong.name}"
        line = item_line([*self.items(""), wrong.name], wrong.name)
        assert problem.line in {line, line + 1}, "neither the line of the item nor that of its value"
        assert problem.cause

    @check("a missing item is told with the fix", upstream=False)
    @pytest.mark.parametrize("how", ["missing", "empty"])
    async def test_missing(self, how: str) -> None:
        """Without what it needs the component is not built, and the error names the item and what to do."""
        names = [name for name in self.required if name in self.metadata]
        if not names:
            pytest.skip(f"{ABSENT}it needs no item")
        for name in names:
            empty: dict[str, Any] = {} if how == "missing" else {name: ""}
            with pytest.raises((ManifestError, StartFailed)) as caught:
                async with self.opened(without=(name,), **empty):
                    pass
            error = caught.value
            problems: list[Problem] = getattr(error, "problems", None) or [getattr(error, "problem")]  # noqa: B009
            told = " ".join(str(problem) for problem in problems)
            assert name in told, told
            assert {problem.component for problem in problems} == {"llm"}

    async def _refused(self, name: str, value: str) -> Problem:
        item: dict[str, Any] = {name: value}
        with pytest.raises(ManifestError) as caught:
            async with self.opened(**item):
                pass
        (problem,) = [problem for problem in caught.value.problems if problem.severity == "error"]
        return problem


def _is_strict(field: SettingsField) -> bool:
    return not (field.takes_text or field.is_bool or field.takes_structure)
