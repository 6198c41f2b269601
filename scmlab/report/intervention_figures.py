"""Figures of `intervention`: each takes the record and returns a Figure, computing nothing."""

from scmlab.report.intervention_code_figures import codes, shares
from scmlab.report.intervention_edit_figures import accuracy, blindness, moves
from scmlab.report.intervention_training_figure import training

FIGURES = {
    "accuracy": accuracy,
    "training": training,
    "moves": moves,
    "blindness": blindness,
    "shares": shares,
    "codes": codes,
}
