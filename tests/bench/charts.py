"""The charts beside the figures: CPU per request as bars, and what grows with what as curves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

__all__ = ["bars", "curves"]

# Of the palette of Okabe and Ito, which people with any colour vision tell apart.
_OURS, _BARE, _OTHERS = "#0072B2", "#7F7F7F", "#E69F00"
_INK = "#222222"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.edgecolor": _INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
}


def bars(cpu: Mapping[str, float], path: Path) -> None:
    """Draw the CPU of one request, in microseconds, of each gateway.

    Args:
        cpu: by the gateway's name; ours begin with ``jackfield``, what is no gateway with ``bare`` or ``no``.
        path: where the PNG goes.
    """
    ordered = sorted(cpu.items(), key=lambda item: item[1], reverse=True)
    names, values = [name for name, _ in ordered], [value for _, value in ordered]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8, 0.36 * len(names) + 1.3), layout="constrained")
        axes = figure.subplots()
        drawn = axes.barh(names, values, color=[_colour(name) for name in names], height=0.68)
        axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in values], padding=4, color=_INK)
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 2, max(values) * 2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("CPU per request in microseconds (logarithmic; less is better)")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.8)
        axes.set_axisbelow(True)
        figure.savefig(path)


def _colour(name: str) -> str:
    if name.startswith("jackfield"):
        return _OURS
    return _BARE if name.startswith(("bare", "no ")) else _OTHERS


def curves(found: Mapping[str, Mapping[int, tuple[float, float]]], path: Path) -> None:
    """Draw the CPU of one request and the memory against what grows.

    Args:
        found: by what grows: how much of it there is, and for that the CPU in microseconds and the memory in MiB.
        path: where the PNG goes.
    """
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 5.2), layout="constrained")
        rows = figure.subplots(2, len(found), sharey="row", squeeze=False)
        for column, (name, points) in enumerate(found.items()):
            for row, unit in enumerate(("CPU per request, us", "memory, MiB")):
                axes = rows[row][column]
                _curve(axes, list(points), [values[row] for values in points.values()])
                if column == 0:
                    axes.set_ylabel(unit)
            rows[0][column].set_yscale("log")
            rows[1][column].set_ylim(bottom=0)
            rows[1][column].set_xlabel(name)
        for axes in rows[0]:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        figure.savefig(path)


def _curve(axes: Axes, sizes: list[int], values: list[float]) -> None:
    """Draw one curve over evenly spaced sizes, each point with its value."""
    places = list(range(len(sizes)))
    axes.plot(places, values, color=_OURS, marker="o", linewidth=2)
    for place, value in zip(places, values, strict=True):
        axes.annotate(f"{value:,.0f}", (place, value), textcoords="offset points", xytext=(0, 7), ha="center")
    axes.set_xticks(places, [f"{size:,}" for size in sizes])
    axes.set_xlim(-0.4, len(sizes) - 0.6)
    axes.margins(y=0.25)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
