"""Figures of `iterated`: each takes the record and returns a Figure, computing nothing."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scmlab.report.intervention_names import LAWS
from scmlab.report.iterated_names import ENCODERS, FAMILIES, LISTS, values
from scmlab.report.marks import handle
from scmlab.report.record import Record, check_record, entries, number, select
from scmlab.report.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    blank,
    log_ticks,
    nothing,
    styled,
)

LOOKS = {"trained": (BLUE, "o"), "pseudo_optimal": (GREEN, "s"), "blind": (BLACK, "x")}
PREDICTED, BOUND = (0, (5, 2)), (0, (1.2, 1.5))
MARKERS = ("o", "s", "D", "^")


@styled()
def choice(record: Record) -> Figure:
    """One row of panels per shortcut and law, one column per family: the choice of each encoder over t."""
    check_record(record, LISTS)
    if not entries(record, "rows"):
        return nothing("No choices in this record.")
    lines = [(setting, law) for setting in values(record, "setting") for law in values(record, "law")]
    figure, grid = _grid(record, len(lines))
    for panels, (setting, law) in zip(grid, lines, strict=True):
        for axes, family in zip(panels, values(record, "family"), strict=True):
            where = {"setting": setting, "law": law, "family": family}
            for key, dash in (("predicted", PREDICTED), ("hidden", BOUND)):
                rows = select(entries(record, "rows"), encoder="trained", **where)
                axes.plot(
                    [row["t"] for row in rows], [number(row, key) for row in rows], color=GREY, linestyle=dash, zorder=1
                )
            for encoder in values(record, "encoder"):
                _line(axes, record, "choice", where | {"encoder": encoder}, *LOOKS.get(encoder, (GREY, "D")))
        panels[0].set_ylabel(f"{setting}\n{LAWS.get(law, law)}", fontweight="bold")
    handles = [
        *(handle(ENCODERS.get(n, n), colour=LOOKS[n][0], marker=LOOKS[n][1]) for n in LOOKS),
        Line2D([], [], color=GREY, linestyle=PREDICTED, label="prediction, blind to all"),
        Line2D([], [], color=GREY, linestyle=BOUND, label="bound, blind to hidden edits"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


@styled()
def pairwise(record: Record) -> Figure:
    """One row of panels per shortcut, one column per family: trained and blind encoders against one negative."""
    check_record(record, LISTS)
    if not entries(record, "rows"):
        return nothing("No choices in this record.")
    settings = values(record, "setting")
    figure, grid = _grid(record, len(settings))
    for panels, setting in zip(grid, settings, strict=True):
        for axes, family in zip(panels, values(record, "family"), strict=True):
            axes.axhline(0.5, color=GREY, linewidth=1, linestyle=PREDICTED, zorder=1)
            for law, filled in (("in_distribution", False), ("do", True)):
                for encoder in values(record, "encoder"):
                    where = {"setting": setting, "law": law, "family": family, "encoder": encoder}
                    _line(axes, record, "pairwise", where, *LOOKS.get(encoder, (GREY, "D")), filled=filled)
        panels[0].set_ylabel(setting, fontweight="bold")
    handles = [
        *(handle(ENCODERS.get(n, n), colour=LOOKS[n][0], marker=LOOKS[n][1]) for n in LOOKS),
        handle("in distribution", colour=GREY, marker="o", filled=False),
        handle("under do()", colour=GREY, marker="o"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


@styled()
def orbits(record: Record) -> Figure:
    """Numbers of negatives and of captions reached over t, a line per family; of the first shortcut, under do()."""
    check_record(record, LISTS)
    rows = select(entries(record, "rows"), encoder="trained", law="do")
    rows = [row for row in rows if row["setting"] == rows[0]["setting"] and row["t"] > 0]
    if not rows:
        return nothing("No numbers of captions in this record.")
    figure = blank(3.8)
    axes = figure.subplots()
    for place, family in enumerate(dict.fromkeys(row["family"] for row in rows)):
        of = select(rows, family=family)
        look = {"color": COLOURS[place % len(COLOURS)], "linewidth": 1.6}
        steps = [row["t"] for row in of]
        axes.plot(
            steps,
            [number(row, "orbit") or math.nan for row in of],
            marker=MARKERS[place % len(MARKERS)],
            label=FAMILIES.get(family, family),
            **look,
        )
        axes.plot(steps, [number(row, "reached") or math.nan for row in of], linestyle=PREDICTED, **look)
    axes.set(yscale="log", xlabel="edits, at most", ylabel="captions (mean over scenes)")
    axes.set_xticks(sorted({row["t"] for row in rows}))
    log_ticks(axes.yaxis, *axes.get_ylim())
    axes.grid(axis="y")
    handles = [*axes.get_legend_handles_labels()[0]]
    handles += [
        Line2D([], [], color=GREY, label="negatives"),
        Line2D([], [], color=GREY, linestyle=PREDICTED, label="reached"),
    ]
    axes.legend(handles=handles, bbox_to_anchor=(1.01, 1.0), loc="upper left", borderaxespad=0)
    return figure


def _grid(record: Record, rows: int) -> tuple[Figure, list[list[Axes]]]:
    families = values(record, "family")
    figure = blank(0.9 + 1.85 * rows)
    grid = figure.subplots(rows, len(families), squeeze=False, sharex=True, sharey=True)
    for axes in grid.flat:
        axes.set_ylim(-0.05, 1.05)
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_xticks(values(record, "t"))
        axes.grid(axis="y")
    for axes, family in zip(grid[0], families, strict=True):
        axes.set_title(FAMILIES.get(family, family), fontweight="bold")
    for axes in grid[-1]:
        axes.set_xlabel("edits, at most")
    return figure, grid.tolist()


def _line(axes: Axes, record: Record, key: str, where: dict, colour: str, marker: str, *, filled: bool = True) -> None:
    """The means over t as a line with marks, single seeds as points where there are several."""
    rows = select(entries(record, "rows"), **where)
    face = colour if filled else "white"
    axes.plot(
        [row["t"] for row in rows],
        [number(row, key) for row in rows],
        color=colour,
        marker=marker,
        markersize=6,
        markerfacecolor=face,
        linestyle="none" if where["encoder"] == "blind" else "solid",  # its line is the prediction's
        linewidth=1.2,
        clip_on=False,
        zorder=3,
    )
    seeds = select(entries(record, "by_seed"), **where)
    if len(seeds) > len(rows):
        places = [seed["t"] + 0.12 for seed in seeds]
        shown = [number(seed, key) for seed in seeds]
        axes.plot(places, shown, linestyle="none", marker=".", markersize=4, color=colour, alpha=0.7, zorder=4)


FIGURES = {"choice": choice, "pairwise": pairwise, "orbits": orbits}
