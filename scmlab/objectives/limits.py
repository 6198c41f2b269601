"""Closed-form values of InfoNCE: the limit of many negatives, and the floor for discrete latents."""

import math

import torch
from jaxtyping import Float
from scipy.special import gammaln, hyp0f1, ive
from torch import Tensor


def uniform_sphere_limit(out: int, temperature: float) -> float:
    """lim_n InfoNCE(cosine) - log n for aligned codes uniform on the sphere in R^out; nats.

        -1/tau + log E exp(u . v / tau) = -1/tau + log[ Gamma(d/2) (2 tau)^(d/2 - 1) I_{d/2 - 1}(1/tau) ]

    Source: the moment generating function of a coordinate of the uniform law on the sphere; Wang and Isola 2020.
    """
    if out < 2 or not 0 < temperature < math.inf:
        raise ValueError(f"`out` must be >= 2 and `temperature` positive and finite; got {out} and {temperature}.")
    order, kappa = out / 2 - 1, 1 / temperature
    bessel = float(ive(order, kappa))
    if not bessel:  # underflows where out is large: there the series in kappa, E exp = 0F1(d/2, kappa^2 / 4), is small
        return -kappa + math.log(hyp0f1(out / 2, kappa**2 / 4))
    log_bessel = math.log(bessel) + kappa
    return -kappa + float(gammaln(out / 2)) + order * math.log(2 * temperature) + log_bessel


def discrete_floor(probabilities: Float[Tensor, " z"], batch: int, *, ties: int = 0) -> float:
    """Infimum of InfoNCE over all pairwise critics when the pair shares a discrete latent of this law; nats.

        E log(n_same + ties),  n_same = 1 + Bin(batch - 1, p(z)): the pair's own latent recurs among the negatives

    ties: further negatives of each item that no critic can tell from its positive. Exact sum over the binomial law.
    """
    if batch < 1 or ties < 0:
        raise ValueError(f"`batch` must be at least 1 and `ties` at least 0; got {batch} and {ties}.")
    p = probabilities.double().cpu()
    if (p < 0).any() or not abs(float(p.sum()) - 1) <= 1e-6:
        raise ValueError(f"`probabilities` must be non-negative and sum to 1; got sum {float(p.sum())}.")
    law, count = torch.unique(p[p > 0].clamp_max(1), return_counts=True)
    k = torch.arange(batch, dtype=torch.float64)
    top = torch.tensor(float(batch - 1), dtype=torch.float64)
    log_choose = torch.lgamma(top + 1) - torch.lgamma(k + 1) - torch.lgamma(top - k + 1)
    log_weight = log_choose + torch.xlogy(k, law[:, None]) + torch.xlogy(top - k, 1 - law[:, None])
    expected = (log_weight.exp() * torch.log1p(k + ties)).sum(1)
    return float((count * law * expected).sum())
