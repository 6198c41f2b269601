"""Statistics of a code alone: they show collapse, to which every R2 is blind."""

from dataclasses import dataclass

import torch
from jaxtyping import Num
from torch import Tensor


@dataclass(frozen=True)
class CodeStatistics:
    """`total_variance`, in squared units of the code, and `effective_rank`, in [1, k], or 0 for a constant code."""

    total_variance: float
    effective_rank: float


def code_statistics(code: Num[Tensor, "n k"]) -> CodeStatistics:
    """Both statistics of the code's sample covariance."""
    return CodeStatistics(total_variance(code), effective_rank(code))


@torch.no_grad()
def total_variance(code: Num[Tensor, "n k"]) -> float:
    """tr Cov(code), unbiased: the mean squared distance of two samples, halved. Rotations do not move it."""
    return _centred(code).square().sum().item() / (len(code) - 1)


@torch.no_grad()
def effective_rank(code: Num[Tensor, "n k"]) -> float:
    """exp(-sum_i p_i log p_i), p the eigenvalues of the covariance over their sum: how many directions are in use.

    k for a white code, 1 for a code on a line, 0 for a constant one; rotations and rescalings do not move it.

    Source: Roy & Vetterli (2007), who take p from singular values; here it is from their squares, the variances.
    """
    centred = _centred(code)
    largest = centred.abs().amax()
    if largest == 0:
        return 0.0
    # Scaled first, so that squares of a nearly collapsed code do not underflow.
    variances = torch.linalg.svdvals(centred / largest).square()
    return torch.special.entr(variances / variances.sum()).sum().exp().item()


def _centred(code: Tensor) -> Tensor:
    if len(code) < 2 or code.shape[1] == 0 or not torch.isfinite(code).all():
        raise ValueError(f"`code` must be finite, (n >= 2, k >= 1); got {tuple(code.shape)}.")
    code = code.double()
    # Subtracting a sample first makes a constant code exactly 0, whatever rounding does to the mean.
    code = code - code[0]
    return code - code.mean(0)
