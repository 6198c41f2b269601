"""Figures of `attribution`: distributions, shares, words of captions, heat maps of images."""

import base64
import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Patch

from scmlab.report.attribution_looks import LOOKS as CLASS_LOOKS
from scmlab.report.attribution_names import CLASSES, LISTS, METHODS, SETTINGS
from scmlab.report.marks import handle
from scmlab.report.record import Entry, Record, check_record, entries, number, select
from scmlab.report.style import BLACK, BLUE, GREY, blank, nothing, styled, wrapped

_COLOURS = {kind: colour for kind, (colour, _) in CLASS_LOOKS.items()}
LINE = 0.3  # inches below the last example, for its caption
_LOOKS = {"start": (BLACK, "o"), "plain": (GREY, "s"), "cae": (BLUE, "D")}


def _methods(record: Record) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in entries(record, "rows")))


def _models(record: Record) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in entries(record, "rows")))


@styled()
def distribution(record: Record) -> Figure:
    """Quantiles and mean of the word scores: a panel per method, a group per word class."""
    check_record(record, LISTS)
    if not (methods := _methods(record)):
        return nothing("No attributions in this record.")
    figure = blank(1.0 + 2.9 * -(-len(methods) // 2))
    panels = figure.subplots(-(-len(methods) // 2), 2, squeeze=False).flat
    for axes, method in zip(panels, methods, strict=False):
        shown = [model for model in ("start", "plain", f"cae_{method}") if model in _models(record)]
        for place, kind in enumerate(CLASSES):
            for shift, model in enumerate(shown):
                for row in select(entries(record, "rows"), model=model, method=method, word_class=kind):
                    _quantiles(axes, row, place + 0.24 * (shift - (len(shown) - 1) / 2), model)
        axes.set_title(f"by {METHODS.get(method, method)}", fontweight="bold")
        axes.set_xticks(range(len(CLASSES)), list(CLASSES.values()))
        axes.set_ylabel("score of a word")
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
        axes.grid(axis="y")
        axes.tick_params(axis="x", length=0)
    for axes in list(panels)[len(methods) :]:
        axes.set_axis_off()
    names = {"start": "before", "plain": "plain fine-tuning (control)", "cae": "loss on the panel's method"}
    marks = [handle(names[key], colour=colour, marker=marker) for key, (colour, marker) in _LOOKS.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=3)
    return figure


def _quantiles(axes: Axes, row: Entry, x: float, model: str) -> None:
    colour, marker = _LOOKS.get(model, _LOOKS["cae"])
    low, first, middle, third, high = (number(row, f"q{q}") for q in ("05", "25", "50", "75", "95"))
    axes.plot([x, x], [low, high], color=colour, linewidth=1)
    axes.plot([x, x], [first, third], color=colour, linewidth=5, solid_capstyle="butt", alpha=0.45)
    axes.plot([x - 0.09, x + 0.09], [middle, middle], color=colour, linewidth=1.5)
    axes.plot(x, number(row, "mean"), marker=marker, color=colour, markersize=5.5, linestyle="none", zorder=3)


@styled()
def shares(record: Record) -> Figure:
    """Stacked bars: a panel per method, a line per model."""
    check_record(record, LISTS)
    methods, models = _methods(record), _models(record)
    if not methods:
        return nothing("No attributions in this record.")
    figure = blank(1.3 + 0.36 * len(models) * -(-len(methods) // 2) + 0.6)
    panels = list(figure.subplots(-(-len(methods) // 2), 2, squeeze=False, sharey=True).flat)
    for axes, method in zip(panels, methods, strict=False):
        for line, model in enumerate(models):
            left = 0.0
            for kind in CLASSES:
                row = next(iter(select(entries(record, "rows"), model=model, method=method, word_class=kind)), {})
                width = 0.0 if np.isnan(share := number(row, "share")) else share
                axes.barh(line, width, left=left, height=0.74, color=_COLOURS[kind], edgecolor="white", linewidth=0.5)
                if width > 0.08:
                    ink = "black" if kind == "other" else "white"
                    axes.text(
                        left + width / 2, line, f"{100 * width:.0f}", ha="center", va="center", color=ink, size=8.5
                    )
                left += width
        axes.set_title(f"by {METHODS.get(method, method)}", fontweight="bold")
        axes.set_yticks(range(len(models)), [SETTINGS.get(model, model) for model in models])
        axes.set(xlim=(0, 1), ylim=(len(models) - 0.5, -0.5))
        axes.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
        axes.tick_params(axis="y", length=0)
    for axes in panels[len(methods) :]:
        axes.set_axis_off()
    marks = [Patch(color=_COLOURS[kind], label=name) for kind, name in CLASSES.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=4, title="share of a caption's attribution")
    return figure


@styled()
def words(record: Record) -> Figure:
    """Bars over the words of example captions: a line of panels per caption, a panel per method."""
    check_record(record, LISTS)
    before = select(entries(record, "examples"), model="start")
    if not before:
        return nothing("No examples in this record.")
    methods = [method for method in _methods(record) if method in before[0]["scores"]]
    figure = blank(1.0 + sum(0.6 + 0.21 * len(example["words"]) for example in before))
    ratios = [0.6 + 0.21 * len(example["words"]) for example in before]
    grid = figure.subplots(len(before), len(methods), squeeze=False, height_ratios=ratios, sharey="row", sharex="col")
    for row, example in enumerate(before):
        lines = range(len(example["words"]))
        for column, method in enumerate(methods):
            axes = grid[row][column]
            after = [
                e
                for e in select(entries(record, "examples"), model=f"cae_{method}")
                if e["caption"] == example["caption"]
            ]
            for tuned in after[:1]:
                colours = [_COLOURS[kind] for kind in example["classes"]]
                axes.barh(lines, tuned["scores"][method], height=0.7, color=colours)
            axes.barh(lines, example["scores"][method], height=0.7, fill=False, edgecolor=BLACK, linewidth=1)
            axes.axvline(0, color=GREY, linewidth=0.8)
            axes.set_yticks(lines, example["words"])
            axes.set_ylim(len(example["words"]) - 0.4, -0.6)
            axes.tick_params(axis="y", length=0)
            axes.locator_params(axis="x", nbins=4)
            axes.grid(axis="x")
            if row == 0:
                axes.set_title(f"by {METHODS.get(method, method)}", fontweight="bold")
    marks = [Patch(color=_COLOURS[kind], label=name) for kind, name in CLASSES.items()]
    marks.append(Patch(fill=False, edgecolor=BLACK, label="before (outline)"))
    marks.append(Patch(color=GREY, label="after (filled)"))
    figure.legend(
        handles=marks, loc="outside lower center", ncols=6, title="score of a word, in the unit of the method"
    )
    return figure


@styled()
def heat_maps(record: Record) -> Figure:
    """Images with the heat maps of every model beside them, a line per example."""
    check_record(record, LISTS)
    before, images = select(entries(record, "examples"), model="start"), record.get("pictures") or ()
    if not before or not images:
        return nothing("No examples in this record.")
    models = _models(record)
    height = 0.5 + 1.72 * len(before) + LINE
    figure = blank(height)
    grid = figure.subplots(len(before), 1 + len(models), squeeze=False)
    for row, (example, data) in enumerate(zip(before, images, strict=False)):
        image = imread(io.BytesIO(base64.b64decode(data)), format="png")[..., :3]
        maps = {
            model: np.array(found[0]["heat"])
            for model in models
            if (
                found := [
                    e for e in select(entries(record, "examples"), model=model) if e["caption"] == example["caption"]
                ]
            )
        }
        top = max((float(heat.max()) for heat in maps.values()), default=0.0) or 1.0
        for column, axes in enumerate(grid[row]):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if column == 0:
                axes.imshow(image, interpolation="nearest")
            elif models[column - 1] in maps:
                _overlay(axes, image, maps[models[column - 1]] / top)
            if row == 0:
                axes.set_title("image" if column == 0 else wrapped(SETTINGS.get(models[column - 1], ""), 12), size=9.5)
        grid[row][0].annotate(
            _quoted(example["caption"]), (0, 0), xycoords="axes fraction", xytext=(0, -4), textcoords="offset points",
            va="top", size=9.5, annotation_clip=False,
        ).set_in_layout(False)  # fmt: skip
    figure.get_layout_engine().set(h_pad=0.14, rect=(0, LINE / height, 1, 1 - LINE / height))  # the last caption's line
    return figure


def _quoted(caption: str) -> str:
    """The caption as far as the figure is wide."""
    return f"“{caption}”" if len(caption) < 130 else f"“{caption[:128]} …”"


def _overlay(axes: Axes, image: np.ndarray, heat: np.ndarray) -> None:
    """The image in grey under the map: as bright as it was where heat is 1, a quarter where it is 0."""
    height, width = image.shape[:2]
    grey = image.mean(-1)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=(0, width, height, 0))
    axes.imshow(heat, cmap="magma", vmin=0, vmax=1, alpha=0.72, interpolation="nearest", extent=(0, width, height, 0))
