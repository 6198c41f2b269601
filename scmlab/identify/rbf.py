"""The radial kernel, and the linear systems that kernel ridge regression on it comes down to, exact or low-rank."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# Kernel values below this become 0. Even 20,000 of them in a row sum to less than the float64 rounding of the diagonal
# (1), while the denormal numbers among them slow a factorisation down by an order of magnitude.
_NEGLIGIBLE = 1e-20
# Added to the landmarks' kernel so that it can be factorised: well above rounding, far below any useful alpha.
_JITTER = 1e-10


def squared_distances(x: Float[Tensor, "n k"], y: Float[Tensor, "m k"]) -> Float[Tensor, "n m"]:
    """||x_i - y_j||^2, as |x|^2 + |y|^2 - 2xy; both are centred first, which limits the cancellation."""
    centre = y.mean(0)
    x, y = x - centre, y - centre
    lengths = x.square().sum(1)[:, None] + y.square().sum(1)
    return lengths.addmm_(x, y.T, alpha=-2.0).clamp_(min=0.0)


def rbf_kernel(distances: Float[Tensor, "n m"], gamma: float) -> Float[Tensor, "n m"]:
    """exp(-gamma d) of squared distances d, in [0, 1]; values below 1e-20 are 0."""
    return torch.nn.functional.threshold_(torch.mul(distances, -gamma).exp_(), _NEGLIGIBLE, 0.0)


@dataclass(frozen=True, eq=False)
class Ridge:
    """Ridge regression on one kernel: exact (features is None) or on Nystroem features.

    Exact: (K + alpha I) c = y. Nystroem, with m landmarks, their kernel L L' and features F = K(x, landmarks) L'^-1:
    (F'F + alpha I) w = F'y and c = L'^-1 w, which is the exact problem for the kernel F F'.
    """

    design: Float[Tensor, "n m"]  # K, or F
    factor: Float[Tensor, "m m"] | None  # None when exact, or L
    work: Float[Tensor, " size"]  # scratch, overwritten by every solve

    def held_out(
        self, fold: slice, alphas: tuple[float, ...], y: Float[Tensor, "n d"]
    ) -> Iterator[Float[Tensor, "f d"] | None]:
        """For each alpha, predictions on the fold after fitting on the rest; None where the factorisation fails."""
        kept = _without(self.design, fold)
        if self.factor is None:
            gram, rhs = _without(kept.T, fold).T, _without(y, fold)
            held = _without(self.design[fold].T, fold).T
        else:
            gram, rhs, held = kept.T @ kept, kept.T @ _without(y, fold), self.design[fold]
        for alpha in alphas:
            solution = _solve_shifted(gram, alpha, rhs, self.work)
            yield None if solution is None else held @ solution

    def coefficients(self, alpha: float, y: Float[Tensor, "n d"]) -> Float[Tensor, "m d"] | None:
        """The coefficients of K(x, centres) fitted on all points; None where the factorisation fails."""
        if self.factor is None:
            return _solve_shifted(self.design, alpha, y, self.work)
        solution = _solve_shifted(self.design.T @ self.design, alpha, self.design.T @ y, self.work)
        return None if solution is None else torch.linalg.solve_triangular(self.factor.T, solution, upper=True)


@dataclass(frozen=True, eq=False)
class RidgeFamily:
    """The regressions of all gammas on the same points: they share distances and scratch memory."""

    centres: Float[Tensor, "m k"]  # the points themselves when exact, else evenly spaced landmarks
    distances: Float[Tensor, "n m"]
    exact: bool
    work: Float[Tensor, " size"]

    def at(self, gamma: float) -> Ridge:
        kernel = rbf_kernel(self.distances, gamma)
        if self.exact:
            return Ridge(kernel, None, self.work)
        between = rbf_kernel(squared_distances(self.centres, self.centres), gamma)
        between.diagonal().add_(_JITTER)
        factor = torch.linalg.cholesky(between)
        return Ridge(torch.linalg.solve_triangular(factor.T, kernel, upper=True, left=False), factor, self.work)


def ridge_family(x: Float[Tensor, "n k"], *, exact_points: int, landmarks: int) -> RidgeFamily:
    """Exact up to `exact_points` points, else on evenly spaced landmarks (samples being i.i.d., as good as random)."""
    exact = len(x) <= exact_points
    spaced = torch.arange(min(landmarks, len(x)), device=x.device) * len(x) // min(landmarks, len(x))
    centres = x if exact else x[spaced]
    return RidgeFamily(centres, squared_distances(x, centres), exact, x.new_empty(len(centres) ** 2))


def _without(rows: Float[Tensor, "n m"], fold: slice) -> Float[Tensor, "r m"]:
    return torch.cat([rows[: fold.start], rows[fold.stop :]])


def _solve_shifted(
    gram: Float[Tensor, "p p"], alpha: float, rhs: Float[Tensor, "p d"], work: Float[Tensor, " size"]
) -> Float[Tensor, "p d"] | None:
    """(gram + alpha I)^-1 rhs by Cholesky, or None where the matrix is not numerically positive definite."""
    p = len(gram)
    # A fresh matrix per call would spend a third of the time on allocation. Its transpose is column-major, as LAPACK
    # and cuSOLVER read it, so that it is factorised in place.
    lower = work[: p * p].view(p, p).mT
    lower.copy_(gram)
    lower.diagonal().add_(alpha)
    info = torch.empty((), dtype=torch.int32, device=work.device)
    torch.linalg.cholesky_ex(lower, out=(lower, info))
    return None if info.item() else torch.cholesky_solve(rhs, lower)
