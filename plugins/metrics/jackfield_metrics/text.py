"""Prometheus' text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf, isinf

from jackfield_metrics.families import FAMILIES, Family
from jackfield_metrics.ledger import Series

__all__ = ["CONTENT_TYPE", "exposition", "merge"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def merge(workers: Iterable[tuple[bool, Mapping[Series, list[float]]]]) -> dict[Series, list[float]]:
    """Make one answer of several workers' numbers.

    Args:
        workers: each with whether it lives: what an ended one has counted counts, how things stood with it does not.
    """
    merged: dict[Series, list[float]] = {}
    for lives, numbers in workers:
        for series, own in numbers.items():
            family = FAMILIES[series[0]]
            if family.kind == "gauge" and not lives:
                continue
            before = merged.get(series)
            if before is None:
                merged[series] = own
            elif family.least:
                merged[series] = [min(before[0], own[0])]
            else:
                merged[series] = [one + other for one, other in zip(before, own, strict=True)]
    return merged


def exposition(numbers: Mapping[Series, list[float]], common: Mapping[str, str]) -> bytes:
    """Write the numbers.

    Args:
        numbers: by series.
        common: the values of the labels that all series of a host share.
    """
    by_family: dict[str, list[tuple[tuple[str, ...], list[float]]]] = {}
    for (name, labels), own in sorted(numbers.items()):
        if FAMILIES[name].kind != "gauge" or own[0]:
            by_family.setdefault(name, []).append((labels, own))
    lines: list[str] = []
    for family in FAMILIES.values():
        found = by_family.get(family.name)
        if found:
            lines += [f"# HELP {family.name} {family.text}", f"# TYPE {family.name} {family.kind}"]
            for labels, own in found:
                lines += _lines(family, _labels(family, labels, common), own)
    return ("\n".join(lines) + "\n").encode()


def _labels(family: Family, values: tuple[str, ...], common: Mapping[str, str]) -> str:
    names = (*family.common, *family.labels)
    shown = (*(common.get(name, "") for name in family.common), *values)
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, shown, strict=True))


def _lines(family: Family, labels: str, own: list[float]) -> list[str]:
    name, braced = family.name, f"{{{labels}}}" if labels else ""
    if family.kind != "histogram":
        return [f"{name}{braced} {_number(own[0])}"]
    lines, count = [], 0.0
    separator = "," if labels else ""
    for bound, number in zip((*family.buckets, inf), own[:-1], strict=True):
        count += number
        lines.append(f'{name}_bucket{{{labels}{separator}le="{_number(bound)}"}} {_number(count)}')
    return [*lines, f"{name}_sum{braced} {_number(own[-1])}", f"{name}_count{braced} {_number(count)}"]


def _number(value: float) -> str:
    if isinf(value):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
