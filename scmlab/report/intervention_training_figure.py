"""Figure of `intervention`: the loss over the steps."""

import math

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scmlab.report.intervention_names import LISTS, METHODS, method_name
from scmlab.report.record import Record, check_record, entries, select
from scmlab.report.style import BLACK, COLOURS, DASHES, blank, log_ticks, nothing, styled

HUES = tuple(colour for colour in COLOURS if colour != BLACK)
ORDER = ("paired", *(name for name in METHODS if name not in ("plain", "paired")))  # of hues


@styled()
def training(record: Record) -> Figure:
    """One panel per shortcut: the contrastive loss over the steps, a line per seed."""
    check_record(record, LISTS)
    histories = entries(record, "histories")
    if not histories:
        return nothing("No training histories in this record.")
    settings = list(dict.fromkeys(history["setting"] for history in histories))
    columns = min(len(settings), 2)
    figure = blank(1.0 + 2.9 * math.ceil(len(settings) / columns))
    grid = figure.subplots(math.ceil(len(settings) / columns), columns, squeeze=False, sharex=True, sharey=True)
    for axes, setting in zip(grid.flat, settings, strict=False):
        for history in select(histories, setting=setting):
            losses = [loss if loss is not None and loss > 0 else math.nan for loss in history["curve"]]
            axes.plot(history["step"], losses, **_look(history["control"]))
        axes.set_title(setting, fontweight="bold")
        axes.set(yscale="log", xlabel="training step")
        axes.grid(axis="y")
    for axes in list(grid.flat)[len(settings) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylabel("contrastive loss (nats)")
    log_ticks(grid[0, 0].yaxis, *grid[0, 0].get_ylim())
    present = list(dict.fromkeys(history["control"] for history in histories))
    lines = [Line2D([], [], label=method_name(name), **_look(name)) for name in present]
    figure.legend(handles=lines, loc="outside lower center", ncols=3)
    return figure


def _look(control: str | None) -> dict:
    """How a training is drawn, the same in every record; plain is dashed over those that it may coincide with."""
    if control is None:
        return {"color": BLACK, "linestyle": (0, (3, 2.5)), "linewidth": 1.5, "zorder": 4}
    place = ORDER.index(control) if control in ORDER else 0
    dash = DASHES[place // len(HUES) % len(DASHES)]
    return {"color": HUES[place % len(HUES)], "linestyle": dash, "linewidth": 1.5, "alpha": 0.85}
