"""The image side, common to all models: z_dp_img given z_inv, z_pr_img, and x_img = f(z_inv, z_dp_img, z_pr_img)."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.scm.density import CausalKind, CovarianceKind, block_mean, draw_block, draw_cholesky
from scmlab.scm.equations import Latents, Noise, World, check_choice, check_dims, named, part
from scmlab.scm.mixing import Mixing, draw_mixing, mix
from scmlab.scm.streams import normal


@runtime_checkable  # so that annotations with it can be enforced
class ImageSpec(Protocol):
    """What the image side reads of a spec."""

    dp_img: int
    pr_img: int
    causal: CausalKind
    covariance: CovarianceKind
    noise: float
    mixing: Mixing


def check_image(spec: ImageSpec) -> None:
    """Validate the fields of the image side."""
    check_dims(spec, ("dp_img", "pr_img"), 0)
    check_choice(spec, "causal", ("none", "linear", "nonlinear"))
    check_choice(spec, "covariance", ("identity", "wishart"))
    if not 0 <= spec.noise < float("inf"):
        raise ValueError(f"`noise` must be a standard deviation, finite and >= 0; got {spec.noise}.")


def draw_image(spec: ImageSpec, parents: int, content: int, *, generator: torch.Generator) -> World:
    """World of the image side: `parents` coordinates of z_inv cause z_dp_img, `content` of them enter f."""
    dp = draw_block(spec.causal, spec.covariance, parents, spec.dp_img, generator=generator)
    private = {"cholesky": draw_cholesky(spec.covariance, spec.pr_img, generator=generator)}
    mixing = draw_mixing(spec.mixing, content + spec.dp_img + spec.pr_img, generator=generator)
    return named("dp_img", dp) | named("pr_img", private) | named("f", mixing)


def image_noise(spec: ImageSpec, n: int, *, generator: torch.Generator) -> Noise:
    """Standard normal noise of the image's own blocks."""
    return {
        "u_dp_img": normal(n, spec.dp_img, generator=generator),
        "u_pr_img": normal(n, spec.pr_img, generator=generator),
    }


def block(spec: ImageSpec, world: World, name: str, z_inv: Tensor, u: Tensor) -> Float[Tensor, "n d"]:
    """m(z_inv) + noise * L u, the structural equation of a modality-dependent block."""
    weights = part(world, name)
    mean = block_mean(spec.causal, weights, z_inv, u.shape[-1])
    return mean + spec.noise * (u @ weights["cholesky"].mT)


def private(world: World, name: str, u: Tensor) -> Float[Tensor, "n d"]:
    """L u, the structural equation of a private block."""
    return u @ world[f"{name}.cholesky"].mT


def render_image(spec: ImageSpec, world: World, content: Tensor, latents: Latents) -> Float[Tensor, "n d"]:
    """x_img = f(content, z_dp_img, z_pr_img)."""
    z = torch.cat((content, latents["z_dp_img"], latents["z_pr_img"]), -1)
    return mix(spec.mixing, part(world, "f"), z)
