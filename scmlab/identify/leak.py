"""How much of a code comes from a block's noise: the total-effect index, from exact counterfactuals."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Num, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Leak:
    """The index, and its standard error over samples; both nan for a collapsed code."""

    index: float
    se: float


@torch.no_grad()
def total_effect(code: Num[Tensor, "n k"], redrawn: Num[Tensor, "n k"]) -> Leak:
    """Total-effect Sobol index of the noise that was redrawn: E||c(u) - c(u')||^2 / (2 tr Var c), in [0, 1].

    `redrawn` is the code of the counterfactual: the same noise, but for the redrawn entries. 0 iff the code ignores
    them given the rest, 1 iff E[c | rest] is constant. Rotations, shifts and rescalings of the code do not move it.

    The estimate is sum_i N_i / sum_i D_i with N_i = ||c_i - c'_i||^2 and D_i = ||c_i - m||^2 + ||c'_i - m||^2, m the
    mean of all 2n codes: code and counterfactual have the same law, so that pooling them estimates 2 tr Var c from
    both. Standard error by the delta method for a ratio of means; that m is estimated enters only at second order.
    Not clipped: clipping would bias the index and void its standard error. Exactly 0 for an ignored block.

    Source: Jansen (1999); Saltelli et al. (2010), Table 2 (f). nan if the code is constant.
    Raises ValueError for shapes that differ, fewer than two samples, or values that are not finite.
    """
    if code.shape != redrawn.shape or len(code) < 2:
        raise ValueError(
            f"`redrawn` must have the code's shape (n >= 2, k); got {tuple(redrawn.shape)} for {tuple(code.shape)}."
        )
    if not (torch.isfinite(code).all() and torch.isfinite(redrawn).all()):
        raise ValueError("`code` and `redrawn` must be finite; got nan or inf.")
    code, redrawn = code.double(), redrawn.double()
    both = torch.stack([code, redrawn])
    if (both.amax((0, 1)) == both.amin((0, 1))).all():
        return Leak(math.nan, math.nan)
    n = len(code)
    moved = (code - redrawn).square().sum(1)
    spread = (both - both.mean((0, 1))).square().sum((0, 2))
    index = moved.mean() / spread.mean()
    residual = moved - index * spread
    se = (residual.square().sum() / (n * (n - 1))).sqrt() / spread.mean()
    return Leak(index.item(), se.item())


def leaks(
    code_of: Callable[[Mapping[str, Tensor]], Tensor],
    noise: Mapping[str, Shaped[Tensor, "n *_"]],
    fresh: Mapping[str, Shaped[Tensor, "n *_"]],
    groups: Mapping[str, Sequence[str]],
) -> dict[str, Leak]:
    """The total effect of each group of noise entries on the code: block -> Leak.

    `code_of` maps a structural model's exogenous noise to codes (n, k); it must be deterministic. `fresh` is an
    independent draw of the same noise, of which each group takes its own entries. Runs without gradients.
    Raises ValueError for groups that are empty or name entries that `noise` and `fresh` lack, and for entries that
    differ in shape or not at all.
    """
    for block, names in groups.items():
        if not names:
            raise ValueError(f"`groups['{block}']` must name at least one noise entry; got none.")
        for name in names:
            if name not in noise or name not in fresh:
                raise ValueError(f"`groups['{block}']` must name entries of the noise, {sorted(noise)}; got '{name}'.")
            if noise[name].shape != fresh[name].shape:
                shapes = tuple(noise[name].shape), tuple(fresh[name].shape)
                raise ValueError(f"`fresh['{name}']` must have the noise's shape {shapes[0]}; got {shapes[1]}.")
            if noise[name].numel() and torch.equal(noise[name], fresh[name]):
                raise ValueError(f"`fresh['{name}']` must be drawn anew; got the noise itself, which moves nothing.")
    with torch.no_grad():
        code = code_of(noise)
        return {
            block: total_effect(code, code_of({**noise, **{name: fresh[name] for name in names}}))
            for block, names in groups.items()
        }
