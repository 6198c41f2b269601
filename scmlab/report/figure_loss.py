"""How the loss came down to its floor."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scmlab.report.names import group_name
from scmlab.report.record import Entry, Record, check_record, entries, groups, select
from scmlab.report.style import COLOURS, DASHES, blank, log_ticks, nothing, styled, wrapped


@styled()
def loss_gap(record: Record) -> Figure:
    """Gap of the loss to its floor over the steps, log scale, one line per seed; controls in a panel of their own.

    Gaps at or below zero have no place on a log scale and are left out.
    """
    check_record(record)
    histories = entries(record, "histories")
    found = groups(histories)
    parts = {
        "without a control": [group for group in found if group[1] is None],
        "under a control": [group for group in found if group[1] is not None],
    }
    parts = {title: part for title, part in parts.items() if part}
    if not parts:
        return nothing("No training histories in this record.")
    figure = blank(0.3 + 3.0 * len(parts))
    panels = figure.subplots(len(parts), 1, squeeze=False)[:, 0]
    for axes, (title, part) in zip(panels, parts.items(), strict=True):
        _panel(axes, histories, part)
        axes.set_title(title, fontweight="bold")
        axes.set_ylabel(f"gap to the floor\n{_loss_names(record, part)}")
    panels[-1].set_xlabel("training step")
    return figure


def _panel(axes: Axes, histories: list[Entry], part: list[tuple[str, str | None]]) -> None:
    axes.set_yscale("log", nonpositive="mask")
    handles = []
    for place, (setting, control) in enumerate(part):
        look = {
            "color": COLOURS[place % len(COLOURS)],
            "linestyle": DASHES[place // len(COLOURS) % len(DASHES)],
        }
        empty = True
        for history in select(histories, setting=setting, control=control):
            gaps = [gap if gap is not None and gap > 0 else float("nan") for gap in history["gap"]]
            empty = empty and all(gap != gap for gap in gaps)
            axes.plot(history["step"], gaps, linewidth=1, alpha=0.8, **look)
        name = group_name(setting, control) + (" (no gap above zero)" if empty else "")
        handles.append(Line2D([], [], linewidth=2, label=wrapped(name, 26), **look))
    log_ticks(axes.yaxis, *axes.get_ylim())
    axes.grid(axis="y")
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0, labelspacing=0.7)


def _loss_names(record: Record, part: list[tuple[str, str | None]]) -> str:
    used = [run for run in entries(record, "training") if (run["setting"], run["control"]) in part]
    return " / ".join(dict.fromkeys(str(run["loss_name"]) for run in used if run.get("loss_name"))) or "(loss units)"
