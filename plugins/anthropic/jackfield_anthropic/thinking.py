"""How much a model should think, and how the API is told so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from jackfield_anthropic.dialect import Dialect
from jackfield_anthropic.wire import ThinkingConfig

__all__ = ["EFFORTS", "LEAST_BUDGET", "Effort", "Thinking", "thinking_config"]

Effort: TypeAlias = Literal["low", "medium", "high", "xhigh", "max"]

EFFORTS: Final[tuple[Effort, ...]] = ("low", "medium", "high", "xhigh", "max")
LEAST_BUDGET: Final = 1024
"""The smallest budget that the API takes, in tokens."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """What a manifest says of thinking.

    Attributes:
        mode: empty for the model's own default.
        effort: how hard an adaptive model thinks; None for its own default.
        budget: tokens, for mode ``budget`` alone.
    """

    mode: Literal["", "off", "adaptive", "budget"] = ""
    effort: Effort | None = None
    budget: int = 0

    @classmethod
    def parse(cls, text: str) -> Thinking:
        """Read ``off``, ``adaptive``, an effort such as ``low``, or a budget in tokens.

        Raises:
            ValueError: it is none of these.
        """
        word = text.strip().lower()
        if word in {"", "off", "adaptive"}:
            return cls(cast("Literal['', 'off', 'adaptive']", word))
        if word in EFFORTS:
            return cls("adaptive", effort=word)
        if word.isascii() and word.isdecimal() and len(word) < 8 and int(word) >= LEAST_BUDGET:
            return cls("budget", budget=int(word))
        raise ValueError(
            f"thinking must be off, adaptive, one of {', '.join(EFFORTS)}, or a budget of at least {LEAST_BUDGET}"
            f" tokens, not {text[:40]!r}"
        )


def thinking_config(thinking: Thinking, dialect: Dialect, model: str) -> ThinkingConfig | None:
    """Write what a manifest says for one model; None to send nothing.

    Raises:
        ValueError: the model can't think like that; the text names what it can.
    """
    if thinking.mode == "budget":
        if dialect.budgets:
            return ThinkingConfig("enabled", budget_tokens=thinking.budget, display="summarized")
        raise ValueError(
            f"{model} takes no budget for thinking; set thinking to adaptive or to one of {', '.join(EFFORTS)}"
        )
    if thinking.mode == "adaptive":
        if dialect.adapts:
            return ThinkingConfig("adaptive", display="summarized")
        raise ValueError(
            f"{model} can't decide by itself how much to think; set thinking to off or to a budget in tokens"
        )
    if thinking.mode == "off":
        if dialect.off is None:
            raise ValueError(f"{model} always thinks; set thinking to low, or take it out of the manifest")
        return ThinkingConfig(dialect.off) if dialect.off else None
    return None
