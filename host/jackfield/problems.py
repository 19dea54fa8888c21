"""What is wrong in a manifest, in one line. ``ManifestError`` carries problems; most are never raised."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a manifest, with the place and the fix.

    Attributes:
        file: the manifest's path as the operator wrote it.
        line: the line in that file, counted from 1; 0 if no single line is to blame.
        field: the field's path, such as ``spec.metadata.key``; empty for the whole document.
        cause: what is wrong.
        fix: what to do about it; empty if the cause says it all.
        component: the component's name, where the document got far enough to have one.
        severity: ``error`` keeps the component from being built; ``warning`` and ``notice`` don't.
    """

    file: str
    line: int
    field: str
    cause: str
    fix: str = ""
    component: str = ""
    severity: str = "error"

    @property
    def place(self) -> str:
        """``file:line``, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        parts = [self.place, self.field, self.cause] if self.field else [self.place, self.cause]
        text = ": ".join(parts)
        told = f"{text}; {self.fix}" if self.fix else text
        # Names are the manifest's own, with line ends and terminal codes in them if it likes: a problem is one line.
        return told if told.isprintable() else "".join(sign if sign.isprintable() else _escaped(sign) for sign in told)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
