"""Marks on an axis of shares, 0 to 1: a mean with its seeds beside it, and the lines that call it kept or leaking."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from scmlab.report.names import decimal
from scmlab.report.record import Entry, Record, lines, number

_LOW, _HIGH = -0.09, 1.09  # the axis; shares outside of it are drawn at its edge, with their value


def share_axis(axes: Axes, record: Record) -> None:
    """An x axis for shares with the record's lines for a leak and for a kept z_inv, labelled above the axes."""
    axes.set_xlim(_LOW, _HIGH)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="x")
    leak, kept = lines(record)
    for value, label in ((leak, f"leak below {leak:g}"), (kept, f"kept above {kept:g}")):
        axes.axvline(value, color="#555555", linewidth=1, linestyle=(0, (4, 2)), zorder=1)
        axes.annotate(
            label,
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
            color="#555555",
        )


def share(
    axes: Axes, y: float, mean: float, seeds: Sequence[float], *, colour: str, marker: str, filled: bool = True
) -> None:
    """The mean as a large mark at height `y`, the seeds as small points beneath it; nan draws nothing."""
    face = colour if filled else "white"
    outside = "<" if mean < _LOW else ">" if mean > _HIGH else ""
    axes.plot(
        _inside(mean),
        y,
        linestyle="none",
        marker=outside or marker,
        markersize=7.5,
        markeredgewidth=1.5,
        color=colour,
        markerfacecolor=face,
        zorder=3,
    )
    if outside:
        axes.annotate(
            decimal(mean, 2),
            (_inside(mean), y),
            xytext=(9 if outside == "<" else -9, 0),
            textcoords="offset points",
            ha="left" if outside == "<" else "right",
            va="center",
            fontsize=9,
            color=colour,
        )
    heights = [y + 0.17 + 0.05 * (index % 2) for index in range(len(seeds))]
    axes.plot(
        [_inside(seed) for seed in seeds],
        heights,
        linestyle="none",
        marker=".",
        markersize=5,
        color=colour,
        alpha=0.7,
        zorder=4,
    )


def values(among: Sequence[Entry], key: str) -> list[float]:
    """The numbers under `key` that can be drawn."""
    return [value for entry in among if not math.isnan(value := number(entry, key))]


def handle(label: str, *, colour: str, marker: str, filled: bool = True, size: float = 7.5) -> Line2D:
    """A legend entry for such a mark."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=size,
        markeredgewidth=1.5,
        color=colour,
        markerfacecolor=colour if filled else "white",
        label=label,
    )


def _inside(value: float) -> float:
    return value if math.isnan(value) else min(max(value, _LOW + 0.02), _HIGH - 0.02)
