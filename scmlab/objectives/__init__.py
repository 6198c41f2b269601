"""What encoders are trained to minimise, and the floors of these losses."""

from scmlab.objectives.alignment import alignment, alignment_entropy, entropy
from scmlab.objectives.infonce import infonce, infonce_within
from scmlab.objectives.limits import discrete_floor, uniform_sphere_limit
from scmlab.objectives.pairwise import pairwise_logsumexp
from scmlab.objectives.spec import Objective, floor, loss

__all__ = [
    "Objective",
    "alignment",
    "alignment_entropy",
    "discrete_floor",
    "entropy",
    "floor",
    "infonce",
    "infonce_within",
    "loss",
    "pairwise_logsumexp",
    "uniform_sphere_limit",
]
