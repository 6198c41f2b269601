"""Mixings: the invertible maps from latents to observations, well conditioned by construction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import leaky_relu

from scmlab.scm.equations import is_count
from scmlab.scm.streams import normal, uniform

SLOPE = 0.2  # of the leaky ReLU, as in the literature's mixing


@dataclass(frozen=True)
class Mixing:
    """An invertible map R^d -> R^d.

    coupling   affine coupling layers (RealNVP: Dinh et al. 2017) between random rotations: a smooth
               diffeomorphism of R^d with an exact inverse. Each layer keeps the first half a of its rotated input
               and sends the rest b to b * exp(s(a)) + t(a), |s| <= `log_scale`, s and t one hidden tanh layer.
    leaky_mlp  `layers` square weights with leaky ReLU (slope 0.2) between them, as in von Kuegelgen et al. 2021:
               invertible, but only piecewise linear, hence not a diffeomorphism. The literature searches 24,975
               draws for a small condition number; here each weight is built with condition number `condition`.
    """

    kind: Literal["coupling", "leaky_mlp"] = "coupling"
    layers: int = 3
    hidden: int = 32
    log_scale: float = 0.5
    condition: float = 2.0

    def __post_init__(self) -> None:
        if self.kind not in ("coupling", "leaky_mlp"):
            raise ValueError(f"`mixing.kind` must be 'coupling' or 'leaky_mlp'; got {self.kind!r}.")
        for name in ("layers", "hidden"):
            if not is_count(value := getattr(self, name), 1):
                raise ValueError(f"`mixing.{name}` must be an integer >= 1; got {value}.")
        if not 0 <= self.log_scale <= 3:
            raise ValueError(f"`mixing.log_scale` must be in [0, 3]; got {self.log_scale}.")
        if not 1 <= self.condition < float("inf"):
            raise ValueError(f"`mixing.condition` must be at least 1 and finite; got {self.condition}.")


Weights = Mapping[str, Tensor]


def rotation(dim: int, *, generator: torch.Generator) -> Float[Tensor, "dim dim"]:
    """A Haar-distributed orthogonal matrix."""
    q, r = torch.linalg.qr(normal(dim, dim, generator=generator))
    return q * torch.where(r.diagonal() < 0, -1.0, 1.0)


def draw_mixing(spec: Mixing, dim: int, *, generator: torch.Generator) -> dict[str, Tensor]:
    """Weights of one mixing of `dim` coordinates, named '<layer>.<part>'."""
    weights: dict[str, Tensor] = {}
    for layer in range(spec.layers):
        part = _draw_coupling if spec.kind == "coupling" else _draw_leaky
        weights |= {f"{layer}.{k}": v for k, v in part(spec, dim, generator).items()}
    return weights


def mix(spec: Mixing, weights: Weights, z: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """x = f(z)."""
    for layer in range(spec.layers):
        if spec.kind == "coupling":
            a, b = _halves(z @ weights[f"{layer}.rotation"])
            s, t = _shift(spec, weights, layer, a)
            z = torch.cat((a, b * s.exp() + t), -1)
        else:
            z = z @ weights[f"{layer}.weight"]
            z = leaky_relu(z, SLOPE) if layer < spec.layers - 1 else z
    return z


def unmix(spec: Mixing, weights: Weights, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """z = f^-1(x), exact up to rounding (both kinds)."""
    for layer in reversed(range(spec.layers)):
        if spec.kind == "coupling":
            a, b = _halves(x)
            s, t = _shift(spec, weights, layer, a)
            x = torch.cat((a, (b - t) * (-s).exp()), -1)
            # solved, not transposed: weights drawn in float32 are orthogonal only to 1e-7 when used in float64
            x = torch.linalg.solve(weights[f"{layer}.rotation"], x, left=False)
        else:
            x = leaky_relu(x, 1 / SLOPE) if layer < spec.layers - 1 else x
            x = torch.linalg.solve(weights[f"{layer}.weight"], x, left=False)
    return x


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    keep = x.shape[-1] // 2
    return x[..., :keep], x[..., keep:]


def _shift(spec: Mixing, weights: Weights, layer: int, a: Tensor) -> tuple[Tensor, Tensor]:
    hidden = torch.tanh(a @ weights[f"{layer}.inner"] + weights[f"{layer}.bias"])
    s, t = (hidden @ weights[f"{layer}.outer"]).chunk(2, -1)
    return spec.log_scale * torch.tanh(s), t


def _draw_coupling(spec: Mixing, dim: int, generator: torch.Generator) -> dict[str, Tensor]:
    keep = dim // 2
    return {
        "rotation": rotation(dim, generator=generator),
        "inner": normal(keep, spec.hidden, generator=generator) / max(keep, 1) ** 0.5,
        "bias": normal(spec.hidden, generator=generator),
        "outer": normal(spec.hidden, 2 * (dim - keep), generator=generator) / spec.hidden**0.5,
    }


def _draw_leaky(spec: Mixing, dim: int, generator: torch.Generator) -> dict[str, Tensor]:
    left, right = rotation(dim, generator=generator), rotation(dim, generator=generator)
    exponent = uniform(dim, generator=generator) - 0.5
    if dim > 1:  # the extremes are reached, so that the condition number is exactly `condition`
        exponent = (exponent - exponent.min()) / (exponent.max() - exponent.min()) - 0.5
    # the leaky ReLU keeps (1 + SLOPE^2) / 2 of the power: give it back, so that layers do not shrink the signal
    gain = ((1 + SLOPE**2) / 2) ** -0.5
    return {"weight": gain * (left * spec.condition**exponent) @ right}
