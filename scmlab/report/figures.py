"""All figures of a record by name; each takes the record and returns a Figure."""

from scmlab.report.figure_controls import controls
from scmlab.report.figure_loss import loss_gap
from scmlab.report.figure_recovery import recovery
from scmlab.report.figure_scatter import code_against_latent

__all__ = ["FIGURES", "code_against_latent", "controls", "loss_gap", "recovery"]

FIGURES = {
    "recovery": recovery,
    "controls": controls,
    "loss_gap": loss_gap,
    "code_against_latent": code_against_latent,
}
