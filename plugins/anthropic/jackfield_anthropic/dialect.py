"""What one model understands of the Messages API."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

__all__ = ["COMPATIBLE", "FOUNDRY", "Dialect", "claude_dialect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a request must be written for one model.

    Attributes:
        thinks: whether it thinks when it is told nothing; None if that isn't known.
        adapts: whether it can decide by itself how much to think.
        budgets: whether thinking may be given a budget in tokens.
        off: what switches thinking off: empty if nothing has to be said, None if nothing can.
        forces_tools: whether it can be told that it must call a tool.
        samples: whether temperature, top_p and top_k are more than an error.
        samples_both: whether temperature and top_p may stand together.
        formats: whether the reply's schema can be told; the others answer by calling a tool.
    """

    thinks: bool | None = False
    adapts: bool = False
    budgets: bool = False
    off: Literal["", "disabled", "between_tools"] | None = ""
    forces_tools: bool = True
    samples: bool = False
    samples_both: bool = False
    formats: bool = True


COMPATIBLE: Final = Dialect(
    thinks=None, adapts=True, budgets=True, off="disabled", samples=True, samples_both=True, formats=False
)
"""A model of another maker behind a compatible server: it is sent what is asked, and knows forced tools only."""

FOUNDRY: Final = replace(COMPATIBLE, thinks=True, formats=True)
"""A deployment on Foundry whose name doesn't tell its model; all Claude models there know schemas, and most think."""

_EARLY = Dialect(budgets=True, samples=True, samples_both=True, formats=False)
_BUDGET = Dialect(budgets=True, samples=True)
_BOTH = Dialect(adapts=True, budgets=True, samples=True)
_ASKED = Dialect(adapts=True)
_WILLING = Dialect(thinks=True, adapts=True, off="disabled")
_ALWAYS = Dialect(thinks=True, adapts=True, off=None)
_FREE = replace(_ALWAYS, forces_tools=False)

_ROWS: Final[tuple[tuple[str, tuple[int, int], Dialect], ...]] = (
    ("fable", (5, 1), _FREE),
    ("fable", (0, 0), _ALWAYS),
    ("mythos", (5, 1), _FREE),
    ("mythos", (0, 0), _ALWAYS),
    ("opus", (5, 5), _FREE),
    ("opus", (5, 0), _WILLING),
    ("opus", (4, 7), _ASKED),
    ("opus", (4, 6), _BOTH),
    ("opus", (4, 1), _BUDGET),
    ("opus", (0, 0), _EARLY),
    ("sonnet", (5, 5), replace(_FREE, off="between_tools")),
    ("sonnet", (5, 0), _WILLING),
    ("sonnet", (4, 6), _BOTH),
    ("sonnet", (4, 5), _BUDGET),
    ("sonnet", (0, 0), _EARLY),
    ("haiku", (5, 5), _WILLING),
    ("haiku", (4, 5), _BUDGET),
    ("haiku", (0, 0), _EARLY),
)
"""Each family's models from a version on; later versions than the newest known are taken to be like it."""

_NAME = re.compile(r"claude-(?P<family>fable|mythos|opus|sonnet|haiku)-(?P<major>\d{1,2})(-(?P<minor>\d{1,2}))?(?!\d)")
_OLD_NAME = re.compile(r"claude-(\d|instant)")


def claude_dialect(model: str, *, foundry: bool = False) -> Dialect:
    """Return what a model understands; its name may stand within that of a deployment.

    The rules come from Anthropic's pages "Troubleshooting thinking" (which kinds of thinking a model takes), "Thinking"
    (sampling, forced tools) and "Structured outputs", read on 2026-11-23: sampling is an error from Claude 4.7 on,
    temperature and top_p together one from 4.1 on, and Opus 5.5, Sonnet 5.5, Fable 5.1 and Mythos 5.1 refuse to be
    forced to call a tool.

    Args:
        model: the model's name, or a deployment's.
        foundry: whether the model is served by Foundry.
    """
    name = model.lower()
    match = _NAME.search(name)
    if match is None:
        return _EARLY if _OLD_NAME.search(name) else FOUNDRY if foundry else COMPATIBLE
    version = (int(match["major"]), int(match["minor"] or 0))
    return next(dialect for family, since, dialect in _ROWS if family == match["family"] and version >= since)
