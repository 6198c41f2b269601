"""Alignment and the ideal objective L_MMAlign, with a nearest-neighbour estimate of the entropies."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

Codes = Float[Tensor, "*m n k"]
EXACT = "donot_use_mm_for_euclid_dist"  # through inner products, near points would lose their digits


def alignment(image: Codes, text: Codes) -> Float[Tensor, "*m"]:
    """E|f(x_img) - g(x_tex)|^2; 0 iff the codes of each pair agree. Alone it is minimised by any constant encoder."""
    return (image - text).square().sum(-1).mean(-1)


def entropy(codes: Codes, *, neighbours: int = 4) -> Float[Tensor, "*m"]:
    """Differential entropy in nats by nearest neighbours (Kozachenko and Leonenko 1987); differentiable.

        H = psi(n) - psi(j) + log V_k + k E log r_j(i),   r_j(i) the distance from point i to its j-th neighbour

    V_k is the volume of the unit ball. Near the edge of a bounded support the balls reach outside it, so the estimate
    is too high there by O((j/n)^(1/k)): calibrate it on a known density of the same n and k where that matters.
    Errors: fewer points than neighbours + 1.
    """
    n, k = codes.shape[-2:]
    if not 1 <= neighbours < n:
        raise ValueError(f"`neighbours` must be in 1..{n - 1} for {n} points; got {neighbours}.")
    with torch.no_grad():  # the nearest point to each is itself
        nearest = torch.cdist(codes, codes, compute_mode=EXACT).topk(neighbours + 1, largest=False).indices
    other = codes.gather(-2, nearest[..., -1:].expand_as(codes))
    tiny = torch.finfo(codes.dtype).tiny  # coinciding codes have entropy -inf: keep it finite and differentiable
    log_radius = (codes - other).square().sum(-1).clamp_min(tiny).log().mean(-1) / 2
    log_ball = k / 2 * math.log(math.pi) - math.lgamma(k / 2 + 1)
    psi = torch.special.digamma(torch.tensor([n, neighbours], dtype=torch.float64)).tolist()
    return psi[0] - psi[1] + log_ball + k * log_radius


def alignment_entropy(image: Codes, text: Codes, *, neighbours: int = 4) -> Float[Tensor, "*m"]:
    """L_MMAlign(f, g) = E|f(x_img) - g(x_tex)|^2 - H(f(x_img)) - H(g(x_tex)) for codes in (0,1)^k; minimum 0.

    Reached by aligned codes that are uniform on the cube. For continuous latents only: atoms have H = -inf.
    Source: von Kuegelgen et al. 2021, Daunhawer et al. 2023, Chen et al. 2025 (arXiv 2510.26302).
    """
    return alignment(image, text) - entropy(image, neighbours=neighbours) - entropy(text, neighbours=neighbours)
