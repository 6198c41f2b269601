"""Figures of `intervention` about the codes: attribution shares, modality gap and wording."""

from matplotlib.figure import Figure

from scmlab.report.attribution_looks import LOOKS
from scmlab.report.attribution_names import CLASSES
from scmlab.report.attribution_names import METHODS as ATTRIBUTIONS
from scmlab.report.intervention_names import LAWS, LISTS
from scmlab.report.intervention_panels import Mark, common_end, dots, panels_of, share_axis, x_title
from scmlab.report.marks import handle
from scmlab.report.record import Record, check_record, entries
from scmlab.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, nothing, styled


@styled()
def shares(record: Record) -> Figure:
    """One panel per attribution method: the share of each word class."""
    check_record(record, LISTS)
    if not (rows := entries(record, "codes")):
        return nothing("No attribution in this record.")
    known = [name for name in ATTRIBUTIONS if any(f"{name}_{kind}" in row for row in rows for kind in CLASSES)]
    if not known:
        return nothing("No attribution in this record.")
    figure, panels = panels_of(record, len(known), 0.42)
    for axes, name in zip(panels, known, strict=True):
        marks = [
            Mark(f"{name}_{kind}", law, rise, *LOOKS[kind])
            for law, rise in zip(LAWS, (-0.17, 0.17), strict=True)
            for kind in CLASSES
        ]
        dots(axes, record, "codes", "codes_by_seed", {}, marks)
        share_axis(axes)
        axes.set_title(ATTRIBUTIONS[name], fontweight="bold")
    x_title(panels, "share of attribution")
    handles = [handle(CLASSES[kind], colour=colour, marker=marker) for kind, (colour, marker) in LOOKS.items()]
    handles += [
        handle("in distribution (upper)", colour=GREY, marker="o", filled=False),
        handle("under do() (lower)", colour=GREY, marker="o"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    return figure


@styled()
def codes(record: Record) -> Figure:
    """Length, spread and share of variance of the modality gap, and the share of wording."""
    check_record(record, LISTS)
    if not entries(record, "codes"):
        return nothing("No modality gap in this record.")
    titles = {"gap": "gap: length", "gap_spread": "gap: spread", "gap_along": "gap: along", "prompt_share": "wording"}
    units = ("distance of mean codes", "multiple of the length", "share of the variance", "share of the variance")
    looks = ((BLUE, "o"), (GREEN, "s"), (PURPLE, "D"), (ORANGE, "^"))
    figure, panels = panels_of(record, len(titles), 0.36)
    for axes, (key, title), unit, look in zip(panels, titles.items(), units, looks, strict=True):
        marks = [Mark(key, law, rise, *look) for law, rise in zip(LAWS, (-0.14, 0.14), strict=True)]
        dots(axes, record, "codes", "codes_by_seed", {}, marks)
        common_end([axes], 0.1)
        axes.set_title(title, fontweight="bold")
        axes.set_xlabel(unit)
    handles = [
        handle("in distribution (upper)", colour=GREY, marker="o", filled=False),
        handle("under do() (lower)", colour=GREY, marker="o"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
