"""How well one set of variables determines another: held-out R2, nonlinear and linear, in both directions.

Every score is fitted on the first half of the samples and taken on the second: in-sample, noise predicts too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from scmlab.identify.determination import Average, determination, squared_sums
from scmlab.identify.kernel_ridge import DEFAULT_GRID, RidgeGrid, fit, predict

# (fit inputs, fit targets, test inputs) -> predictions
Regressor = Callable[[Tensor, dict[str, Tensor], Tensor], dict[str, Tensor]]


def r2(
    code: Num[Tensor, "n k"],
    blocks: Mapping[str, Num[Tensor, "n _"]],
    *,
    grid: RidgeGrid = DEFAULT_GRID,
) -> dict[str, float]:
    """R2(code -> block) by RBF kernel ridge, averaged uniformly over the block's coordinates, at most 1.

    Code and targets are standardised, per coordinate, by the mean and standard deviation of the fit half. A code
    coordinate constant there becomes 0; a target coordinate constant in either half is left out, and a block with none
    left scores nan. Blocks may be one-hot. Near 0 (or a little below) when the code says nothing.

    Source: the evaluation of von Kuegelgen et al. (2021), App. D. Raises ValueError as `kernel_ridge.fit` does.
    """
    return _scores(code, blocks, _kernel(grid, "uniform"), "uniform")


def r2_linear(code: Num[Tensor, "n k"], blocks: Mapping[str, Num[Tensor, "n _"]]) -> dict[str, float]:
    """R2(code -> block) by least squares with intercept, otherwise as `r2`.

    Invertible linear maps of the code do not move it. A rank-deficient code gets the solution of least norm.
    """
    return _scores(code, blocks, _least_squares, "uniform")


def r2_back(
    z_inv: Num[Tensor, "n d"],
    code: Num[Tensor, "n k"],
    *,
    grid: RidgeGrid = DEFAULT_GRID,
) -> float:
    """R2(z_inv -> code): the share of the code's total variance that a function of z_inv explains, at most 1.

    1 - sum ||code - predicted||^2 / sum ||code - mean||^2, weighing coordinates by their variance, so that rotations
    and rescalings of the whole code do not move it; (alpha, gamma) maximise the same score. With the ideal regressor
    E[code | z_inv], and z_inv independent of the other noise, its value is tr Var E[code | z_inv] / tr Var code
    = 1 - leak_total exactly, by the law of total variance. nan for a code constant in either half.
    """
    return _scores(z_inv, {"code": code}, _kernel(grid, "variance"), "variance")["code"]


@dataclass(frozen=True)
class Accuracy:
    """Shares of test points, in [0, 1]: every slot right, and each slot right."""

    all_slots: float
    per_slot: tuple[float, ...]


@torch.no_grad()
def accuracy(
    code: Num[Tensor, "n k"],
    labels: Int[Tensor, "n slots"],
    *,
    grid: RidgeGrid = DEFAULT_GRID,
) -> Accuracy:
    """Decode integer labels from the code: kernel ridge on one-hot targets per slot, then argmax, on the second half.

    A class that the fit half lacks cannot be right. Chance is the share of the most frequent class, not 1 / classes.
    Raises ValueError for negative labels, and as `kernel_ridge.fit` does.
    """
    if labels.shape[1] == 0 or labels.min() < 0:
        raise ValueError(
            f"`labels` must be non-negative with at least one slot; got {tuple(labels.shape)}, {labels.min()}."
        )
    half = len(code) // 2
    x = _standardised(code.double(), half)
    one_hot = {str(s): torch.nn.functional.one_hot(labels[:half, s].long()).double() for s in range(labels.shape[1])}
    predicted = predict(fit(x[:half], one_hot, grid), x[half:])
    right = torch.stack([p.argmax(1) for p in predicted.values()], 1) == labels[half:]
    return Accuracy(right.all(1).double().mean().item(), tuple(right.double().mean(0).tolist()))


@torch.no_grad()
def _scores(x: Tensor, targets: Mapping[str, Tensor], regress: Regressor, average: Average) -> dict[str, float]:
    half = len(x) // 2
    for name, y in (("code", x), *targets.items()):
        if len(y) != len(x) or half < 2 or not torch.isfinite(y).all():
            raise ValueError(f"`{name}` must be finite with {max(len(x), 4)} rows; got {tuple(y.shape)}.")
    x = _standardised(x.double(), half)
    scored = {}
    for name, y in targets.items():
        y = y.double()
        y = y[:, ~(_constant(y[:half]) | _constant(y[half:]))]
        if y.shape[1]:
            # The variance-weighted score needs the coordinates' own scale; kernel ridge only needs them centred.
            scored[name] = _standardised(y, half) if average == "uniform" else y - y[:half].mean(0)
    if not scored:
        return dict.fromkeys(targets, math.nan)
    predicted = regress(x[:half], {name: y[:half] for name, y in scored.items()}, x[half:])
    r2s = {name: determination(*squared_sums(y[half:], predicted[name]), average).item() for name, y in scored.items()}
    return {name: r2s.get(name, math.nan) for name in targets}


def _kernel(grid: RidgeGrid, average: Average) -> Regressor:
    return lambda x, y, test: predict(fit(x, y, grid, average=average), test)


def _least_squares(x: Tensor, y: dict[str, Tensor], test: Tensor) -> dict[str, Tensor]:
    # x and y are centred on the fit half, which is what an intercept does. The pseudoinverse serves CUDA as well, where
    # torch's lstsq needs full rank.
    inverse = torch.linalg.pinv(x)
    return {name: test @ (inverse @ block) for name, block in y.items()}


def _constant(x: Float[Tensor, "n d"]) -> Tensor:
    return x.amax(0) == x.amin(0)


def _standardised(x: Float[Tensor, "n d"], half: int) -> Float[Tensor, "n d"]:
    """x with the first half's mean 0 and variance 1 per coordinate; coordinates constant there become 0 throughout."""
    mean, std = x[:half].mean(0), x[:half].std(0, correction=0)
    return torch.where(_constant(x[:half]), 0.0, (x - mean) / torch.where(std == 0, 1.0, std))
