"""Figures of `benchmark`: scores beside what blind scorers get, and differences of models."""

import math
from collections.abc import Mapping, Sequence, Sized

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scmlab.report.benchmark_figure_cases import attribution, cases
from scmlab.report.benchmark_lines import (
    Line,
    benchmark_of,
    labels,
    lines,
    number_name,
    number_names,
    seeds_of,
    title,
    with_seeds,
)
from scmlab.report.benchmark_names import LISTS, SIMILARITY
from scmlab.report.marks import handle
from scmlab.report.record import Entry, Record, check_record, entries, number
from scmlab.report.style import BLACK, COLOURS, GREY, blank, nothing, styled, wrapped

MOST = 25  # numbers of a benchmark in a panel
ALL = 120  # lines in a figure: of many benchmarks each has fewer
LEAST = 6
BEST, OTHERS = "#8c8c8c", "#b0b0b0"
LINE, STEP = 0.13, 0.15  # inches of a number, and more for each model


@styled()
def scores(record: Record) -> Figure:
    """A panel per benchmark, a line per number: models, blind baselines, chance, published."""
    check_record(record, LISTS)
    found = lines(record)
    if not found:
        return nothing("No scores in this record.")
    names = labels(record)
    shown = {setting: of[: _most(found)] for setting, of in found.items()}
    figure, panels = _panels({setting: [line.name for line in of] for setting, of in shown.items()}, max(len(names), 1))
    single = _by_number(entries(record, "by_seed"))
    for (setting, of), axes in zip(shown.items(), panels, strict=True):
        for place, line in enumerate(of):
            _beside(axes, line, place)
            for rise, name in zip(_rises(len(names)), names, strict=True):
                row = line.models.get(name, {})
                of_row = single.get((setting, row.get("aggregate"), row.get("number"), name), [])
                seeds = [number(one, "value") for one in of_row]
                _mark(axes, row, "value", place + rise, _colour(names, name), seeds if len(seeds) > 1 else [])
        _percent(axes, benchmark_of(record, setting).get("rule") == "similarity")
        _title(axes, title(record, setting), len(of), len(found[setting]))
        _bold(axes, [line.headline for line in of])
    _legend(figure, record, shown)
    return figure


def _most(found: Mapping[str, Sized]) -> int:
    return max(LEAST, min(MOST, ALL // len(found)))


def _panels(shown: Mapping[str, Sequence[str]], models: int) -> tuple[Figure, list[Axes]]:
    """Panels below each other, each as high as its numbers are many."""
    height = LINE + STEP * models
    heights = [0.85 + height * len(names) for names in shown.values()]
    figure = blank(0.8 + sum(heights))
    grid = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)
    for axes, names in zip(grid.flat, shown.values(), strict=True):
        axes.set_yticks(range(len(names)), [wrapped(name, 34) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        for place in range(1, len(names)):
            axes.axhline(place - 0.5, color="#efefef", linewidth=0.8, zorder=0)
    return figure, list(grid.flat)


def _rises(count: int) -> list[float]:
    """Where in its line each model's mark stands, the first one highest."""
    step = STEP / (LINE + STEP * count)
    return [step * (place - (count - 1) / 2) for place in range(count)]


def _beside(axes: Axes, line: Line, place: int) -> None:
    """Blind baselines, chance and the published number, behind the models."""
    best = line.best
    for row in line.blind:
        if row is not best:
            _tick(axes, number(row, "value"), place, color=OTHERS, linewidth=1.4)
    _tick(axes, line.chance, place, color=BLACK, linewidth=1.4, linestyle=(0, (1, 1.3)))
    look = {"linestyle": "none", "clip_on": False}
    axes.plot(number(best, "value"), place, marker="s", markersize=8, color=BEST, zorder=2, **look)
    axes.plot(line.published, place, marker="D", markersize=8, markerfacecolor="none", color=BLACK, zorder=2.5, **look)


def _tick(axes: Axes, x: float, place: int, **look: object) -> None:
    axes.plot([x, x], [place - 0.32, place + 0.32], solid_capstyle="butt", zorder=1, **look)


def _mark(axes: Axes, row: Entry, key: str, y: float, colour: str, seeds: Sequence[float] = ()) -> None:
    """The number with its interval, and single seeds as points."""
    value, low, high = (number(row, name) for name in (key, "low", "high"))
    axes.plot([low, high], [y, y], color=colour, linewidth=1.6, zorder=3)
    axes.plot(value, y, marker="o", markersize=5, color=colour, linestyle="none", clip_on=False, zorder=4)
    axes.plot(seeds, [y] * len(seeds), marker=".", markersize=4, color=colour, alpha=0.5, linestyle="none", zorder=3)


def _percent(axes: Axes, similarity: bool) -> None:
    """0 to 100; from below 0 where something is, as correlations may be."""
    values = [float(x) for line in axes.lines for x in line.get_xdata(orig=True)]
    least = min((value for value in values if math.isfinite(value)), default=0.0)
    axes.set_xlim(-1 if least >= 0 else 1.05 * least - 1, 101)
    axes.set_xlabel(SIMILARITY if similarity else "percent")


def _title(axes: Axes, name: str, shown: int, of: int) -> None:
    axes.set_title(f"{name}: {shown} of {of} numbers" if shown < of else name, fontweight="bold")


def _bold(axes: Axes, headline: Sequence[bool]) -> None:
    if not all(headline):
        for label, bold in zip(axes.get_yticklabels(), headline, strict=True):
            label.set_fontweight("bold" if bold else "normal")


def _colour(names: Sequence[str], name: str) -> str:
    return COLOURS[names.index(name) % len(COLOURS)] if name in names else BLACK


def _legend(figure: Figure, record: Record, shown: Mapping[str, Sequence[Line]]) -> None:
    """Of what is drawn, all and nothing else."""
    of = [line for numbers in shown.values() for line in numbers]
    names = labels(record)
    handles = [handle(with_seeds(record, name), colour=_colour(names, name), marker="o", size=5.0) for name in names]
    if any(seeds_of(record, name) > 1 for name in names):
        handles.append(handle("single seeds", colour=GREY, marker=".", size=4.0))
    if any(line.best for line in of):
        handles.append(handle("best blind baseline", colour=BEST, marker="s"))
    if any(len(line.blind) > 1 for line in of):
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="|",
                markersize=9,
                markeredgewidth=1.4,
                color=OTHERS,
                label="other blind baselines",
            )
        )
    if not all(math.isnan(line.chance) for line in of):
        handles.append(Line2D([], [], color=BLACK, linewidth=1.4, linestyle=(0, (1, 1.3)), label="chance"))
    if not all(math.isnan(line.published) for line in of):
        handles.append(handle("published CLIP ViT-B/32", colour=BLACK, marker="D", filled=False))
    figure.legend(handles=handles, loc="outside upper left", ncols=4)


def _by_number(of: Sequence[Entry]) -> dict[tuple, list[Entry]]:
    found: dict[tuple, list[Entry]] = {}
    for entry in of:
        if entry["control"] is None:
            key = (entry["setting"], entry.get("aggregate"), entry["number"], entry["model"])
            found.setdefault(key, []).append(entry)
    return found


@styled()
def differences(record: Record) -> Figure:
    """A panel per benchmark, a line per number: each model minus the first, with its interval."""
    check_record(record, LISTS)
    of = entries(record, "differences")
    if not of:
        return nothing("One model: no differences in this record.")
    names, known, found = labels(record), number_names(record), {}
    for entry in sorted(of, key=lambda entry: not entry.get("headline")):
        if (name := number_name(entry, known)) is not None:
            found.setdefault(entry["setting"], {}).setdefault(name, []).append(entry)
    found = {setting: found[setting] for setting in dict.fromkeys(entry["setting"] for entry in of)}
    shown = {setting: list(numbers)[: _most(found)] for setting, numbers in found.items()}
    files = list(dict.fromkeys((entry["model"], entry.get("seed")) for entry in of))
    figure, panels = _panels(shown, len(files))
    for (setting, numbers), axes in zip(shown.items(), panels, strict=True):
        for place, name in enumerate(numbers):
            for entry in found[setting][name]:
                rise = _rises(len(files))[files.index((entry["model"], entry.get("seed")))]
                _mark(axes, entry, "difference", place + rise, _colour(names, entry["model"]))
        axes.axvline(0, color=BLACK, linewidth=1, zorder=1)
        similarity = benchmark_of(record, setting).get("rule") == "similarity"
        axes.set_xlabel(f"difference in {SIMILARITY}" if similarity else "difference in percentage points")
        _title(axes, title(record, setting), len(numbers), len(found[setting]))
        _bold(axes, [any(entry.get("headline") for entry in found[setting][name]) for name in numbers])
    pairs = dict.fromkeys((entry["model"], entry["against"]) for entry in of)
    handles = [
        handle(f"{name} − {against}", colour=_colour(names, name), marker="o", size=5.0) for name, against in pairs
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
    return figure


FIGURES = {"scores": scores, "differences": differences, "cases": cases, "attribution": attribution}
