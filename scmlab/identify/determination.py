"""The coefficient of determination of predictions, over several target coordinates."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Average = Literal["uniform", "variance"]


def squared_sums(
    truth: Float[Tensor, "n d"], predicted: Float[Tensor, "n d"]
) -> tuple[Float[Tensor, " d"], Float[Tensor, " d"]]:
    """Per coordinate: the squared error of the prediction, and that of the best constant."""
    return (truth - predicted).square().sum(0), (truth - truth.mean(0)).square().sum(0)


def determination(error: Float[Tensor, " d"], spread: Float[Tensor, " d"], average: Average) -> Float[Tensor, ""]:
    """R2 = 1 - error / spread, at most 1; "uniform" averages over coordinates, "variance" sums both over them first.

    Where the spread is 0, R2 is 1 if the error is 0 too, else 0: `sklearn.metrics.r2_score` with force_finite.
    """
    if average == "variance":
        error, spread = error.sum()[None], spread.sum()[None]
    flat = spread == 0
    r2 = 1.0 - error / torch.where(flat, 1.0, spread)
    return torch.where(flat, (error == 0).to(r2.dtype), r2).mean()
