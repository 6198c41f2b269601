"""Densities of z_inv as maps of standard noise, and the latent blocks that depend on it."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.scm.streams import normal, uniform

DensityKind = Literal["normal", "uniform", "mixture"]
CovarianceKind = Literal["identity", "wishart"]
CausalKind = Literal["none", "linear", "nonlinear"]

COMPONENT_SD = 0.5  # of each mixture component; centres of variance 1 - .5^2 make E z^2 = 1 over worlds
HIDDEN = 32  # of the random network in a nonlinear causal equation


def draw_cholesky(kind: CovarianceKind, dim: int, *, generator: torch.Generator) -> Float[Tensor, "dim dim"]:
    """Cholesky factor of the covariance inside a block: identity, or Wishart(I, dim) as in the literature."""
    if kind == "identity":
        return torch.eye(dim, device=generator.device)
    factor = normal(dim, dim, generator=generator).double()
    return torch.linalg.cholesky(factor @ factor.T).float()


def draw_density(
    kind: DensityKind, covariance: CovarianceKind, dim: int, components: int, *, generator: torch.Generator
) -> dict[str, Tensor]:
    """Parameters of p(z_inv)."""
    weights = {"cholesky": draw_cholesky(covariance, dim, generator=generator)}
    if kind == "mixture":
        weights["cholesky"] = COMPONENT_SD * weights["cholesky"]
        weights["centres"] = (1 - COMPONENT_SD**2) ** 0.5 * normal(components, dim, generator=generator)
        weights["log_odds"] = 0.5 * normal(components, generator=generator)
    return weights


def density_noise(kind: DensityKind, n: int, dim: int, *, generator: torch.Generator) -> dict[str, Tensor]:
    """Exogenous noise of z_inv: standard normal, and for the mixture a uniform that picks the component."""
    noise = {"u_inv": normal(n, dim, generator=generator)}
    if kind == "mixture":
        noise["u_component"] = uniform(n, generator=generator)
    return noise


def z_inv_from(kind: DensityKind, weights: Mapping[str, Tensor], noise: Mapping[str, Tensor]) -> Float[Tensor, "n d"]:
    """z_inv as a function of its noise.

    normal   L u
    uniform  sqrt(3) (2 Phi(L u / sd) - 1): uniform margins of variance 1 under a Gaussian copula
    mixture  m_c + L u, c the component that u_component picks by its cumulative probability
    """
    correlated = noise["u_inv"] @ weights["cholesky"].mT
    if kind == "normal":
        return correlated
    if kind == "uniform":
        sd = weights["cholesky"].square().sum(-1).sqrt()
        return 3**0.5 * (2 * torch.special.ndtr(correlated / sd) - 1)
    return weights["centres"][pick(weights["log_odds"], noise["u_component"])] + correlated


def pick(log_odds: Float[Tensor, " c"], u: Float[Tensor, "*n"]) -> Tensor:
    """Category drawn by inverting the cumulative distribution softmax(log_odds) at u in [0, 1); int64."""
    edges = log_odds.softmax(-1).cumsum(-1)[:-1].contiguous()
    return torch.bucketize(u.contiguous(), edges, right=True)


def draw_block(
    causal: CausalKind, covariance: CovarianceKind, parents: int, dim: int, *, generator: torch.Generator
) -> dict[str, Tensor]:
    """Parameters of a block z = m(z_inv) + noise * L u."""
    weights = {"cholesky": draw_cholesky(covariance, dim, generator=generator)}
    if causal == "linear":  # a + B z_inv with standard normal a, B: von Kuegelgen et al. 2021, Daunhawer et al. 2023
        weights["offset"] = normal(dim, generator=generator)
        weights["matrix"] = normal(parents, dim, generator=generator)
    if causal == "nonlinear":
        weights["inner"] = normal(parents, HIDDEN, generator=generator)
        weights["bias"] = normal(HIDDEN, generator=generator)
        weights["outer"] = (2 / HIDDEN) ** 0.5 * normal(HIDDEN, dim, generator=generator)
    return weights


def block_mean(
    causal: CausalKind, weights: Mapping[str, Tensor], z_inv: Float[Tensor, "n p"], dim: int
) -> Float[Tensor, "n d"]:
    """m(z_inv): zero, a + B z_inv, or a random network with one tanh layer."""
    if causal == "linear":
        return weights["offset"] + z_inv @ weights["matrix"]
    if causal == "nonlinear":
        return torch.tanh(z_inv @ weights["inner"] + weights["bias"]) @ weights["outer"]
    return z_inv.new_zeros(len(z_inv), dim)
