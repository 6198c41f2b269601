"""The radial kernel, and the linear systems that kernel ridge regression on it comes down to, exact or low-rank."""

from collections.abc import Callable, Iterator
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
        before, after = slice(fold.start), slice(fold.stop, len(y))
        if self.factor is None:
            rhs = torch.cat([y[before], y[after]])
            weights = torch.zeros_like(y)  # stay 0 on the fold, which spares a copy of the kernel without it
            for alpha in alphas:
                solution = self._solve(lambda square: _copy_without(self.design, fold, square), alpha, rhs)
                if solution is not None:
                    weights[before], weights[after] = solution[before], solution[fold.start :]
                yield None if solution is None else self.design[fold] @ weights
        else:
            f, g = self.design[before], self.design[after]
            gram, rhs = f.T @ f + g.T @ g, f.T @ y[before] + g.T @ y[after]
            for alpha in alphas:
                solution = self._solve(lambda square: square.copy_(gram), alpha, rhs)
                yield None if solution is None else self.design[fold] @ solution

    def coefficients(self, alpha: float, y: Float[Tensor, "n d"]) -> Float[Tensor, "m d"] | None:
        """The coefficients of K(x, centres) fitted on all points; None where the factorisation fails."""
        if self.factor is None:
            return self._solve(lambda square: square.copy_(self.design), alpha, y)
        gram = self.design.T @ self.design
        solution = self._solve(lambda square: square.copy_(gram), alpha, self.design.T @ y)
        return None if solution is None else torch.linalg.solve_triangular(self.factor.T, solution, upper=True)

    def _solve(
        self, fill: Callable[[Tensor], object], alpha: float, rhs: Float[Tensor, "p d"]
    ) -> Float[Tensor, "p d"] | None:
        """(G + alpha I)^-1 rhs by Cholesky, G symmetric and written by `fill`; None where it is not positive definite.

        In scratch memory and in place: on a CPU, fresh matrices and copies would double the time of the factorisation.
        """
        p = len(rhs)
        square = self.work[: p * p].view(p, p)
        fill(square)
        square.diagonal().add_(alpha)
        lower = square.mT  # column-major, as LAPACK and cuSOLVER read it
        info = torch.empty((), dtype=torch.int32, device=square.device)
        torch.linalg.cholesky_ex(lower, out=(lower, info))
        if info.item():
            return None
        # Not cholesky_solve, which copies the factor.
        forward = torch.linalg.solve_triangular(lower, rhs, upper=False)
        return torch.linalg.solve_triangular(square, forward, upper=True)


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


def _copy_without(matrix: Float[Tensor, "n n"], fold: slice, out: Float[Tensor, "p p"]) -> None:
    """out = matrix without the fold's rows and columns."""
    kept = ((slice(fold.start), slice(fold.start)), (slice(fold.stop, len(matrix)), slice(fold.start, len(out))))
    for rows, to_rows in kept:
        for columns, to_columns in kept:
            out[to_rows, to_columns] = matrix[rows, columns]
