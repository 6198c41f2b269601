"""Figures of `intervention` with a panel per edit: accuracy, how far it moves the codes, who does not see it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scmlab.report.intervention_names import LAWS, LISTS, edit_name, edits, hidden
from scmlab.report.intervention_panels import FAINT, SEED_SIZE, Mark, common_end, dots, panels_of, share_axis, x_title
from scmlab.report.marks import handle
from scmlab.report.record import Record, check_record
from scmlab.report.style import BLACK, BLUE, GREY, VERMILLION, nothing, styled


@styled()
def accuracy(record: Record) -> Figure:
    """One panel per edit: accuracy in distribution and under do() of each training, joined by a bar."""
    marks = (
        Mark("accuracy", "in_distribution", 0.0, BLUE, "o"),
        Mark("accuracy", "do", 0.0, VERMILLION, "D"),
    )
    figure, panels = _per_edit(record, marks, joined=True)
    for axes in panels:
        share_axis(axes)
        axes.axvline(0.5, color=GREY, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
        axes.set_xticks([0, 0.5, 1], ["0", "chance", "1"])
    x_title(panels, "accuracy")
    _legend(figure, marks, ("accuracy in distribution", "accuracy under do()"))
    return figure


@styled()
def moves(record: Record) -> Figure:
    """One panel per edit: how far it moves the codes of captions and images."""
    marks = [
        Mark(f"{side}_moves", law, rise, colour, marker)
        for side, rise, colour, marker in (("text", -0.17, BLUE, "s"), ("image", 0.17, VERMILLION, "o"))
        for law in LAWS
    ]
    figure, panels = _per_edit(record, marks)
    common_end(panels, 1.0)
    for axes in panels:
        axes.axvline(1, color=FAINT, linewidth=0.8, zorder=0)
    x_title(panels, "move (1: distance of two scenes)")
    _legend(figure, marks, [f"{mark.key.split('_')[0]}, {LAWS[mark.law]}" for mark in marks])
    return figure


@styled()
def blindness(record: Record) -> Figure:
    """One panel per edit: shares of edits under do() that neither side sees, or one does not see."""
    marks = (
        Mark("blind_both", "do", -0.2, BLACK, "s"),
        Mark("blind_text", "do", 0.0, BLUE, "^"),
        Mark("blind_image", "do", 0.2, VERMILLION, "v"),
    )
    figure, panels = _per_edit(record, marks)
    for axes in panels:
        share_axis(axes)
    x_title(panels, "share of edits")
    _legend(figure, marks, ("unseen by both sides", "unseen by the text side only", "unseen by the image side only"))
    return figure


def _per_edit(record: Record, marks: Sequence[Mark], *, joined: bool = False) -> tuple[Figure, list[Axes]]:
    check_record(record, LISTS)
    if not (shown := edits(record)):
        return nothing("No edits in this record."), []
    figure, panels = panels_of(record, len(shown), 0.3 if joined else 0.38)
    for axes, edit in zip(panels, shown, strict=True):
        where = dict(zip(("operator", "category"), edit, strict=True))
        dots(axes, record, "rows", "by_seed", where, marks, joined=joined)
        axes.set_title(edit_name(*edit) + (" *" if hidden(record, edit) else ""), fontweight="bold")
    return figure, panels


def _legend(figure: Figure, marks: Sequence[Mark], labels: Sequence[str]) -> None:
    if not figure.axes:
        return
    handles = [
        handle(label, colour=mark.colour, marker=mark.marker, filled=mark.filled)
        for mark, label in zip(marks, labels, strict=True)
    ]
    handles.append(handle("single seeds", colour=GREY, marker="o", size=SEED_SIZE))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
