"""Figures of `benchmark` by case and by class of words."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scmlab.report.attribution_looks import LOOKS as CLASS_LOOKS
from scmlab.report.attribution_names import CLASSES, METHODS
from scmlab.report.benchmark_cases import by_case
from scmlab.report.benchmark_lines import labels, title, with_seed
from scmlab.report.benchmark_names import LISTS, SOURCES
from scmlab.report.marks import handle
from scmlab.report.overlap_names import case
from scmlab.report.record import Entry, Record, check_record, entries, number, select
from scmlab.report.style import BLACK, COLOURS, GREY, blank, nothing, styled, wrapped

LINE, STEP = 0.14, 0.13  # inches of a case, and more for each mark
EVEN = "equal scores"


@styled()
def cases(record: Record) -> Figure:
    """A panel per benchmark, a line per case: accuracy of the benchmark's items and of Algorithm 1's."""
    check_record(record, LISTS)
    of = select(entries(record, "case_accuracy"), where="all")
    if not of:
        return nothing("No accuracy per case in this record.")
    names = labels(record)
    places = [(name, source) for name in names for source in SOURCES]
    shown = {setting: by_case(select(of, setting=setting)) for setting in dict.fromkeys(e["setting"] for e in of)}
    heights = [0.85 + (LINE + STEP * len(places)) * len(found) for found in shown.values()]
    figure = blank(0.8 + sum(heights))
    panels = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights).flat
    step = STEP / (LINE + STEP * len(places))
    for (setting, found), axes in zip(shown.items(), panels, strict=True):
        for place, (_, _, group) in enumerate(found):
            for entry in group:
                rise = places.index((entry["model"], entry["source"])) - (len(places) - 1) / 2
                colour = COLOURS[names.index(entry["model"]) % len(COLOURS)]
                _accuracy(axes, entry, place + step * rise, colour)
            axes.annotate(_counted(group), (101.5, place), va="center", fontsize=8.5, color=GREY, annotation_clip=False)
        axes.axvline(50, color=BLACK, linewidth=1, linestyle=(0, (1, 2)), zorder=1)
        axes.set_yticks(range(len(found)), [case(*one) for _, one, _ in found])
        axes.set(ylim=(len(found) - 0.5, -0.5), xlim=(-1, 101), xlabel="percent right")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        for place in range(1, len(found)):
            axes.axhline(place - 0.5, color="#efefef", linewidth=0.8, zorder=0)
        axes.set_title(title(record, setting), fontweight="bold")
    marks = [
        handle(name, colour=COLOURS[place % len(COLOURS)], marker="o", size=5.5) for place, name in enumerate(names)
    ]
    marks += [
        handle(words, colour=GREY, marker="o", filled=source == "benchmark", size=5.5)
        for source, words in SOURCES.items()
        if select(of, source=source)
    ]
    figure.legend(handles=marks, loc="outside upper left", ncols=4)
    return figure


def _accuracy(axes: Axes, entry: Entry, y: float, colour: str) -> None:
    value, error = number(entry, "accuracy"), number(entry, "se")
    face = colour if entry["source"] == "benchmark" else "white"
    if not math.isnan(error):
        ends = [max(value - 2 * error, 0), min(value + 2 * error, 100)]
        axes.plot(ends, [y, y], color=colour, linewidth=1.3, zorder=2)
    axes.plot(
        value,
        y,
        marker="o",
        markersize=5.5,
        color=colour,
        markerfacecolor=face,
        linestyle="none",
        clip_on=False,
        zorder=3,
    )


def _counted(group: Sequence[Entry]) -> str:
    """'1,234 / 56': items of the benchmark, of Algorithm 1."""
    counts = [next((entry.get("scored") for entry in group if entry["source"] == source), None) for source in SOURCES]
    return " / ".join("–" if count is None else f"{count:,}" for count in counts)


@styled()
def attribution(record: Record) -> Figure:
    """Stacked bars: a line of panels per benchmark, a panel per method, a bar per model."""
    check_record(record, LISTS)
    of = entries(record, "attribution")
    if not of:
        return nothing("No attribution in this record.")
    settings, methods = (list(dict.fromkeys(entry[key] for entry in of)) for key in ("setting", "method"))
    files = list(dict.fromkeys(with_seed(record, entry) for entry in of))
    names = [*files, *([EVEN] if any("uniform" in entry for entry in of) else [])]
    height = 0.85 + 0.32 * len(names)
    figure = blank(0.8 + height * len(settings))
    grid = figure.subplots(len(settings), len(methods), squeeze=False, sharey=True)
    for row, setting in zip(grid, settings, strict=True):
        for axes, method in zip(row, methods, strict=True):
            found = select(of, setting=setting, method=method)
            for line, name in enumerate(files):
                _stack(axes, line, [entry for entry in found if with_seed(record, entry) == name], "share")
            for line in range(len(files), len(names)):
                _stack(axes, line, found, "uniform")
            name = title(record, setting) if method == methods[0] else ""
            axes.set_title(f"{name}\nby {METHODS.get(method, method)}", fontweight="bold")
            axes.set_yticks(range(len(names)), [wrapped(name, 24) for name in names])
            axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5))
            axes.set_xticks([0, 0.5, 1], ["0", "50", "100"])
            axes.tick_params(axis="y", length=0)
    marks = [Patch(color=CLASS_LOOKS[kind][0], label=words) for kind, words in CLASSES.items()]
    figure.legend(
        handles=marks, loc="outside upper left", ncols=4, title="share of a caption's attribution (%)", alignment="left"
    )
    return figure


def _stack(axes: Axes, line: int, of: Sequence[Entry], key: str) -> None:
    left = 0.0
    for kind in CLASSES:
        share = number(next(iter(select(of, word_class=kind)), {}), key)
        width = 0.0 if math.isnan(share) else share
        axes.barh(line, width, left=left, height=0.74, color=CLASS_LOOKS[kind][0], edgecolor="white", linewidth=0.5)
        if width > 0.12:
            axes.text(left + width / 2, line, f"{100 * width:.0f}", ha="center", va="center", color="white", size=8.5)
        left += width
