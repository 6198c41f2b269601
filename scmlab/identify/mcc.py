"""Mean correlation coefficient: do single code coordinates match single latents, up to order, sign and scale?"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int, Num
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata
from torch import Tensor

Correlation = Literal["pearson", "spearman"]


@dataclass(frozen=True, eq=False)
class Match:
    """Which code coordinate stands for which latent, and how well.

    `permutation[j]` is the code coordinate of latent j (-1: none left), `sign[j]` the sign of their correlation (0:
    none); both are chosen on the first half. `correlation[j]`, on the second, is positive if the sign held there too.
    """

    mean: float
    permutation: Int[Tensor, " d"]
    sign: Float[Tensor, " d"]
    correlation: Float[Tensor, " d"]


@torch.no_grad()
def mcc(latents: Num[Tensor, "n d"], code: Num[Tensor, "n k"], *, correlation: Correlation = "pearson") -> Match:
    """The one-to-one assignment of code coordinates to latents with the largest sum of |correlation|, and its mean.

    MCC = mean_j sign_j corr(latent_j, code_{permutation_j}), at most 1, assigned on the first half of the samples and
    correlated on the second: in-sample the best assignment is positive for noise, held-out it is 0 on average. A latent
    for which no coordinate is left counts 0, and so does a constant. "pearson" is invariant to affine maps of each
    coordinate, "spearman" (ranks, ties averaged) to monotone ones.

    Source: Hyvarinen & Morioka (2016); the assignment is the Hungarian algorithm's. Departure: held out.
    Raises ValueError for lengths that differ, fewer than four samples, or an unknown correlation.
    """
    if len(latents) != len(code) or len(code) < 4:
        raise ValueError(f"`code` must have the latents' length, at least 4; got {len(code)} for {len(latents)}.")
    if not (torch.isfinite(latents).all() and torch.isfinite(code).all()):
        raise ValueError("`latents` and `code` must be finite; got nan or inf.")
    half, d = len(code) // 2, latents.shape[1]
    first, second = (_correlations(latents[s], code[s], correlation) for s in (slice(half), slice(half, None)))
    rows, columns = linear_sum_assignment(first.abs().cpu().numpy(), maximize=True)
    rows, columns = (torch.as_tensor(i, device=code.device) for i in (rows, columns))
    permutation = torch.full((d,), -1, device=code.device)
    sign, held_out = first.new_zeros(2, d)
    permutation[rows] = columns
    sign[rows] = first[rows, columns].sign()
    held_out[rows] = sign[rows] * second[rows, columns]
    return Match(held_out.mean().item(), permutation, sign, held_out)


def aligned(code: Num[Tensor, "n k"], match: Match) -> Float[Tensor, "n d"]:
    """The code in the latents' order and with their signs: column j stands for latent j; 0 where none does."""
    return code.double()[:, match.permutation.clamp(min=0)] * match.sign


def _correlations(x: Tensor, y: Tensor, kind: Correlation) -> Float[Tensor, "d k"]:
    if kind not in ("pearson", "spearman"):
        raise ValueError(f"`correlation` must be 'pearson' or 'spearman'; got '{kind}'.")
    x, y = x.double(), y.double()
    if kind == "spearman":
        x, y = (torch.from_numpy(rankdata(v.cpu().numpy(), axis=0)).to(v.device) for v in (x, y))
    return _directions(x).T @ _directions(y)


def _directions(x: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Columns centred and of length 1; a constant column is 0."""
    x = x - x[0]  # makes a constant column exactly 0, whatever rounding does to the mean
    x = x - x.mean(0)
    return x / torch.where(x.abs().amax(0) == 0, 1.0, torch.linalg.vector_norm(x, dim=0))
