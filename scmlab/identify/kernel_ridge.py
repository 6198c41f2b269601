"""RBF kernel ridge regression of many target blocks at once, with scikit-learn's choice of (alpha, gamma).

What depends on the inputs alone is computed once for all blocks: distances, the kernel of each gamma, the Cholesky
factor of each (gamma, fold, alpha). The blocks are right-hand sides of the same factor.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float, Num
from torch import Tensor

from scmlab.identify.determination import Average, determination, squared_sums
from scmlab.identify.rbf import Ridge, rbf_kernel, ridge_family, squared_distances

_PREDICT_ROWS = 4096  # rows of the kernel held at once when predicting


@dataclass(frozen=True)
class RidgeGrid:
    """The (alpha, gamma) grid, and the number of contiguous folds that choose from it.

    The default grid is that of von Kuegelgen et al. (2021). Up to `exact_points` fit points the solution is exact (the
    default admits their 5 x 4096); beyond, it is Nystroem's on `landmarks` evenly spaced fit points.
    """

    alphas: tuple[float, ...] = (1.0, 0.1, 0.001, 0.0001)
    gammas: tuple[float, ...] = (0.01, 0.22, 4.64, 100.0)
    folds: int = 3
    exact_points: int = 20_480
    landmarks: int = 2048

    def __post_init__(self) -> None:
        for name, values in (("alphas", self.alphas), ("gammas", self.gammas)):
            if not values or not all(0.0 < v < math.inf for v in values):
                raise ValueError(f"`{name}` must be one or more positive numbers; got {values}.")
        for name, value, least in (
            ("folds", self.folds, 2),
            ("exact_points", self.exact_points, 1),
            ("landmarks", self.landmarks, 1),
        ):
            if value < least:
                raise ValueError(f"`{name}` must be at least {least}; got {value}.")


DEFAULT_GRID = RidgeGrid()


@dataclass(frozen=True, eq=False)
class BlockFit:
    """One block's regression: prediction(x) = sum_j exp(-gamma ||x - centre_j||^2) coefficients_j."""

    alpha: float
    gamma: float
    cv_r2: Float[Tensor, "alphas gammas"]  # mean held-out R2 over folds; -inf where the factorisation failed
    coefficients: Float[Tensor, "m d"]


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """The centres that all blocks share, and each block's choice and coefficients."""

    centres: Float[Tensor, "m k"]
    blocks: dict[str, BlockFit]


@torch.no_grad()
def fit(
    x: Num[Tensor, "n k"],
    targets: Mapping[str, Num[Tensor, "n _"]],
    grid: RidgeGrid = DEFAULT_GRID,
    *,
    average: Average = "uniform",
) -> RidgeFit:
    """Regress each block y on x: c = (K + alpha I)^-1 y, with K_ij = exp(-gamma ||x_i - x_j||^2).

    Each block gets the (alpha, gamma) of highest mean R2 over contiguous unshuffled folds, ties going to the first in
    the grid with alpha outermost, and is refitted on all points. No intercept, no scaling: standardise before. R2 is
    averaged over target coordinates as `average` says: "uniform", or "variance" (weighted by their variances, so that
    the choice does not depend on the rotation of y); a coordinate constant within a held-out fold counts 1 if predicted
    exactly, else 0. A grid point whose matrix is not numerically positive definite (repeated points with alpha near
    rounding) is left out. Float64 on x's device, O(n^2) memory: 10 GB at 20,480 points.

    Source: GridSearchCV(KernelRidge(kernel="rbf"), cv=folds) of scikit-learn, one per block, computed in one pass.
    Departure: where scikit-learn falls back to least squares (singular matrix), the grid point is left out.
    Raises ValueError for wrong shapes, values that are not finite, too few points, or a grid without a usable point.
    """
    _check(x, targets, grid)
    x = x.double()
    y = torch.cat([block.double() for block in targets.values()], dim=1)
    family = ridge_family(x, exact_points=grid.exact_points, landmarks=grid.landmarks)

    widths = [block.shape[1] for block in targets.values()]
    # One gamma's kernel at a time: each is let go before the next is made.
    cv = torch.stack([_cross_validate(family.at(gamma), y, widths, grid, average) for gamma in grid.gammas], dim=2)
    solved: dict[tuple[int, int], Tensor | None] = {}
    blocks, first = {}, 0
    for scores, (name, block) in zip(cv, targets.items(), strict=True):
        columns = slice(first, first := first + block.shape[1])
        for a, g in _best_first(scores):
            if (a, g) not in solved:  # for all blocks at once: the factorisation is the cost
                solved[a, g] = family.at(grid.gammas[g]).coefficients(grid.alphas[a], y)
            if (found := solved[a, g]) is not None:
                blocks[name] = BlockFit(grid.alphas[a], grid.gammas[g], scores, found[:, columns])
                break
        else:
            raise ValueError(
                f"`grid` must hold a point whose K + alpha I is numerically positive definite; got {grid.alphas=}."
            )
    return RidgeFit(family.centres, blocks)


@torch.no_grad()
def predict(fitted: RidgeFit, x: Num[Tensor, "n k"]) -> dict[str, Float[Tensor, "n _"]]:
    """Each block's predictions at x, float64. Kernels are shared by blocks of one gamma and made in chunks of rows."""
    if x.shape[1] != fitted.centres.shape[1]:
        raise ValueError(f"`x` must have {fitted.centres.shape[1]} columns; got {x.shape[1]}.")
    chunks: dict[str, list[Tensor]] = {name: [] for name in fitted.blocks}
    for rows in x.double().split(_PREDICT_ROWS):
        distances = squared_distances(rows, fitted.centres)
        for gamma in {block.gamma for block in fitted.blocks.values()}:
            kernel = rbf_kernel(distances, gamma)
            for name, block in fitted.blocks.items():
                if block.gamma == gamma:
                    chunks[name].append(kernel @ block.coefficients)
    return {name: torch.cat(parts) for name, parts in chunks.items()}


def _cross_validate(
    ridge: Ridge, y: Float[Tensor, "n d"], widths: list[int], grid: RidgeGrid, average: Average
) -> Float[Tensor, "blocks alphas"]:
    """Mean over folds of each block's held-out R2, at every alpha."""
    cv = y.new_zeros(len(widths), len(grid.alphas))
    for fold in _folds(len(y), grid.folds):
        for a, predicted in enumerate(ridge.held_out(fold, grid.alphas, y)):
            if predicted is None:
                cv[:, a] = -math.inf
                continue
            error, spread = squared_sums(y[fold], predicted)
            blocks = zip(error.split(widths), spread.split(widths), strict=True)
            cv[:, a] += torch.stack([determination(e, s, average) for e, s in blocks]) / grid.folds
    return cv


def _folds(n: int, folds: int) -> list[slice]:
    """Contiguous slices that cover range(n), the first n % folds of them one longer, as scikit-learn's KFold."""
    ends = [i * (n // folds) + min(i, n % folds) for i in range(folds + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


def _best_first(scores: Float[Tensor, "alphas gammas"]) -> list[tuple[int, int]]:
    """Grid indices by falling score; failed points are absent, ties keep the grid's order."""
    flat = scores.flatten().tolist()
    order = sorted((i for i, s in enumerate(flat) if s > -math.inf), key=lambda i: -flat[i])
    return [divmod(i, scores.shape[1]) for i in order]


def _check(x: Tensor, targets: Mapping[str, Tensor], grid: RidgeGrid) -> None:
    if not targets:
        raise ValueError("`targets` must hold at least one block; got none.")
    if len(x) < 2 * grid.folds:
        raise ValueError(f"`x` must have at least two points per fold ({2 * grid.folds}); got {len(x)}.")
    if not torch.isfinite(x).all():
        raise ValueError("`x` must be finite; got nan or inf.")
    for name, y in targets.items():
        if len(y) != len(x) or y.shape[1] == 0:
            raise ValueError(f"`targets['{name}']` must be ({len(x)}, d >= 1); got {tuple(y.shape)}.")
        if not torch.isfinite(y).all():
            raise ValueError(f"`targets['{name}']` must be finite; got nan or inf.")
