"""The charts beside the figures: CPU per request as bars, and what grows with what as curves."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log10
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

__all__ = ["bars", "curves"]

# Of the palette of Okabe and Ito, which people with any colour vision tell apart.
_BLUE, _GREY, _ORANGE = "#0072B2", "#7F7F7F", "#E69F00"
_KINDS = {"Jackfield": _BLUE, "other gateways": _ORANGE, "for comparison": _GREY}
_INK, _FAINT = "#222222", "#DDDDDD"
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
        cpu: by the gateway's name; ours begin with ``jackfield``, what is no gateway with ``bare`` or ``upstream``.
        path: where the PNG goes.
    """
    ordered = sorted(cpu.items(), key=lambda item: item[1], reverse=True)
    names, values = [name for name, _ in ordered], [value for _, value in ordered]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8, 0.36 * len(names) + 1.4), layout="constrained")
        axes = figure.subplots()
        drawn = axes.barh(names, values, color=[_KINDS[_kind(name)] for name in names], height=0.68)
        axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in values], padding=4, color=_INK)
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 2, max(values) * 2.5)
        axes.xaxis.set_major_formatter(FuncFormatter(_grouped))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("CPU per request in microseconds, on a logarithmic scale (less is better)")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=_FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        # The longest bars are at the bottom, so the legend has room at the top.
        axes.legend([Patch(color=colour) for colour in _KINDS.values()], list(_KINDS), loc="upper right", frameon=False)
        figure.savefig(path)


def _kind(name: str) -> str:
    if name.startswith("jackfield"):
        return "Jackfield"
    return "for comparison" if name.startswith(("bare", "upstream")) else "other gateways"


def curves(panels: Mapping[str, Mapping[str, Mapping[int, tuple[float, float]]]], path: Path) -> None:
    """Draw the CPU of one request and the memory against what grows.

    Args:
        panels: by what grows: one curve or two by their names. A curve has, by how much of it there is, the CPU in
            microseconds and the memory in MiB.
        path: where the PNG goes.
    """
    found = [value for curves in panels.values() for points in curves.values() for value in points.values()]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 5.4), layout="constrained")
        above, below = figure.subplots(2, len(panels), sharey="row", squeeze=False)
        for (name, found_curves), top, bottom in zip(panels.items(), above, below, strict=True):
            for row, axes in enumerate((top, bottom)):
                for place, (label, points) in enumerate(found_curves.items()):
                    _curve(axes, label, {size: values[row] for size, values in points.items()}, first=place == 0)
                axes.grid(axis="y", color=_FAINT, linewidth=0.8)
            bottom.set_xlabel(name)
            if len(found_curves) > 1:
                top.legend(loc="upper left", frameon=False)
        above[0].set_yscale("log")
        above[0].set_ylim(
            10 ** floor(log10(min(cpu for cpu, _ in found))), 10 ** ceil(log10(max(cpu for cpu, _ in found)))
        )
        above[0].yaxis.set_major_formatter(FuncFormatter(_grouped))
        above[0].yaxis.set_minor_formatter(NullFormatter())
        above[0].set_ylabel("CPU per request,\nmicroseconds (logarithmic)")
        below[0].set_ylim(0, max(memory for _, memory in found) * 1.25)
        below[0].set_ylabel("memory, MiB")
        figure.savefig(path)


def _curve(axes: Axes, label: str, points: Mapping[int, float], *, first: bool) -> None:
    """Draw one curve over evenly spaced sizes, each point with its value: above the first curve, below a second."""
    places = list(range(len(points)))
    style = {"color": _BLUE, "marker": "o"} if first else {"color": _ORANGE, "marker": "s", "linestyle": "--"}
    axes.plot(places, list(points.values()), label=label, linewidth=2, **style)
    for place, value in zip(places, points.values(), strict=True):
        axes.annotate(
            f"{value:,.0f}", (place, value), textcoords="offset points", xytext=(-5, 8 if first else -16), ha="center"
        )
    axes.set_xticks(places, [f"{size:,}" for size in points])
    axes.set_xlim(-0.5, len(places) - 0.5)


def _grouped(value: float, _: object) -> str:
    return f"{value:,.0f}"
