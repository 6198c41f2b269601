"""Panels of the figures of `intervention`: a line per training under the name of its shortcut, marks for numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scmlab.report.intervention_names import arms, method_name, of_arm
from scmlab.report.record import Entry, Record, entries, number, select
from scmlab.report.style import blank

FAINT = "#b5b5b5"
COLUMNS = (4, 3)  # panels side by side: what leaves the fewest places empty
SEED_SIZE = 3.5
SEED_RISE = 0.13  # of the points of single seeds below their mean


@dataclass(frozen=True)
class Mark:
    """A number of a law, and how it is drawn: at `rise` below the line of its training."""

    key: str
    law: str
    rise: float
    colour: str
    marker: str

    @property
    def filled(self) -> bool:
        """Numbers under do() are."""
        return self.law == "do"


def panels_of(record: Record, count: int, line: float) -> tuple[Figure, list[Axes]]:
    """`count` panels with one line of `line` inches per training, under the names of their shortcuts."""
    places = _places(record)
    columns = min(COLUMNS, key=lambda columns: -count % columns)
    rows = math.ceil(count / columns)
    figure = blank(0.7 + rows * (0.75 + line * (len(places) + 0.5)))
    grid = figure.subplots(rows, min(count, columns), squeeze=False, sharey=True)
    for axes in grid.flat:
        ticks = range(len(places))
        names = [method_name(arm[1]) if isinstance(arm, tuple) else arm for arm in places]
        axes.set_yticks(ticks, names)
        axes.set_ylim(len(places) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        for place, arm in enumerate(places):
            if isinstance(arm, str):
                axes.axhline(place + 0.35, color="#d5d5d5", linewidth=0.8, zorder=0)
    for axes in grid[:, 0]:
        for label, arm in zip(axes.get_yticklabels(), places, strict=True):
            label.set_fontweight("bold" if isinstance(arm, str) else "normal")
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    return figure, list(grid.flat[:count])


def _places(record: Record) -> list[str | tuple[str, str | None]]:
    """The lines of a panel: each shortcut's name, then its trainings."""
    return [
        line
        for setting, controls in arms(record).items()
        for line in (setting, *((setting, control) for control in controls))
    ]


def dots(
    axes: Axes, record: Record, means: str, singles: str, where: dict, marks: Sequence[Mark], *, joined: bool = False
) -> None:
    """Each training's numbers as large marks, its seeds as small ones beneath; joined: with a bar between the means."""
    for place, arm in enumerate(_places(record)):
        if isinstance(arm, str):
            continue
        found = [_one(record, means, arm, mark, where) for mark in marks]
        if joined and not any(map(math.isnan, found)):
            axes.plot(found, [place] * len(found), color=FAINT, linewidth=3, solid_capstyle="round", zorder=2)
        for mark, mean in zip(marks, found, strict=True):
            of = select(entries(record, singles), **of_arm(arm, law=mark.law), **where)
            seeds = [number(entry, mark.key) for entry in of]
            face = mark.colour if mark.filled else "white"
            look = {"color": mark.colour, "linestyle": "none", "clip_on": False}
            if len(seeds) > 1:
                rise = place + mark.rise + SEED_RISE
                small = {"markersize": SEED_SIZE, "markeredgewidth": 0.8, "markerfacecolor": face}
                axes.plot(seeds, [rise] * len(seeds), marker="o", alpha=0.8, zorder=4, **small, **look)
            axes.plot(mean, place + mark.rise, marker=mark.marker, markersize=6, markerfacecolor=face, zorder=3, **look)


def _one(record: Record, means: str, arm: tuple[str, str | None], mark: Mark, where: dict) -> float:
    row: Entry = next(iter(select(entries(record, means), **of_arm(arm, law=mark.law), **where)), {})
    return number(row, mark.key)


def share_axis(axes: Axes) -> None:
    axes.set_xlim(-0.03, 1.03)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def x_title(panels: Sequence[Axes], text: str) -> None:
    """Below the lowest panel of each column, since all axes are alike."""
    for axes in panels[-panels[0].get_subplotspec().get_gridspec().ncols :] if panels else ():
        axes.set_xlabel(text)


def common_end(panels: Sequence[Axes], least: float) -> None:
    """All axes from 0 to the largest number on any, or to `least`."""
    marks = [line for axes in panels for line in axes.lines if line.get_linestyle() == "None"]
    values = [float(x) for line in marks for x in line.get_xdata()]
    end = 1.08 * max([least, *(value for value in values if math.isfinite(value))])
    for axes in panels:
        axes.set_xlim(-0.03 * end, end)
