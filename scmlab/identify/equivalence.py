""" "Is zero" as a statistical statement: shown below a margin, over several entries at once."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Equivalence:
    """Per entry, in the shape of the estimates: tests of "at least the margin", and bounds that hold together."""

    p: Float[Tensor, "*entries"]  # one-sided, in [0, 1]
    adjusted: Float[Tensor, "*entries"]  # Holm's, at least p
    upper: Float[Tensor, "*entries"]  # all hold together with probability at least 1 - level; inf if nothing is known
    below: Bool[Tensor, "*entries"]  # adjusted <= level: shown to be below the margin
    margin: float
    level: float

    @property
    def held(self) -> bool:
        """Whether every entry is shown to be below the margin."""
        return bool(self.below.all())


def equivalence(
    estimates: Float[Tensor, "*entries"], ses: Float[Tensor, "*entries"], margin: float, level: float = 0.05
) -> Equivalence:
    """Test H0: value >= margin in every entry (blocks x seeds), one-sided, with Holm's correction over all entries.

    p = Phi((estimate - margin) / se): normal approximation, sound for a mean or a ratio of means over many samples; se
    is taken as known. With p_(1) <= ... <= p_(m), adjusted_(i) = max_{j <= i} min(1, (m - j + 1) p_(j)): the
    probability of calling any entry small that is not is at most `level`, however the entries depend on one another.
    The upper bounds are Bonferroni's, estimate + Phi^-1(1 - level / m) se: one below the margin implies `below`, not
    conversely. se = 0 is certainty: p is 0 or 1, upper the estimate. A nan estimate or se has p = 1 and upper inf: it
    is never below, yet counts in m.

    Source: Holm (1979). Raises ValueError for no entries, shapes that differ, a negative se, a margin that is not
    positive or a level outside (0, 1).
    """
    if estimates.shape != ses.shape or estimates.numel() == 0:
        raise ValueError(
            f"`ses` must have the estimates' shape, not empty; got {tuple(ses.shape)} for {tuple(estimates.shape)}."
        )
    if (ses < 0).any():
        raise ValueError(f"`ses` must be non-negative; got {ses.min().item()}.")
    if not 0.0 < margin < math.inf:
        raise ValueError(f"`margin` must be positive; got {margin}.")
    if not 0.0 < level < 1.0:
        raise ValueError(f"`level` must be in (0, 1); got {level}.")
    value, se = estimates.double(), ses.double()
    unknown = value.isnan() | se.isnan()
    certain = torch.where(value < margin, 0.0, 1.0).double()
    p = torch.special.ndtr((value - margin) / torch.where(se == 0, 1.0, se))
    p = torch.where(se == 0, certain, p).masked_fill(unknown, 1.0)
    quantile = torch.special.ndtri(value.new_tensor(1.0 - level / value.numel()))
    upper = (value + quantile * se).masked_fill(unknown, math.inf)
    adjusted = _holm(p.flatten()).view_as(p)
    return Equivalence(p, adjusted, upper, adjusted <= level, margin, level)


def _holm(p: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    ordered, order = p.sort()
    remaining = torch.arange(len(p), 0, -1, device=p.device)
    stepped = (ordered * remaining).clamp(max=1.0).cummax(0).values
    return torch.empty_like(p).scatter_(0, order, stepped)
