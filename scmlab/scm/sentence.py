"""The sentence-level SCM (Assumption 1): image and text share z_inv, and each has dependent and private latents."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.scm.density import (
    CausalKind,
    CovarianceKind,
    DensityKind,
    density_noise,
    draw_block,
    draw_cholesky,
    draw_density,
    z_inv_from,
)
from scmlab.scm.equations import (
    Intervention,
    Latents,
    Noise,
    Sample,
    World,
    check_choice,
    check_dims,
    named,
    part,
    solve,
)
from scmlab.scm.image import block, check_image, draw_image, image_noise, private, render_image
from scmlab.scm.mixing import Mixing, draw_mixing, mix, unmix
from scmlab.scm.streams import normal, uniform


@dataclass(frozen=True)
class SentenceSCM:
    """x_img = f(z_inv, z_dp_img, z_pr_img), x_tex = g(z_inv, z_dp_tex, z_pr_tex).

    inv, dp_img, dp_tex, pr_img, pr_tex   dimensions of the blocks
    density, components   p(z_inv); components of the mixture
    covariance   inside each block: identity, or Wishart(I, dim) drawn once per world (statistical dependence)
    causal, noise   z_dp = m(z_inv) + noise * L u, m zero, linear or nonlinear (causal dependence)
    dp   'independent'  z_dp_tex independent of z_dp_img given z_inv (Assumption 1)
         'perturbed'    z_dp_tex = z_dp_img plus noise on each coordinate with probability `change`: the
                        literature's style change (von Kuegelgen et al. 2021, Daunhawer et al. 2023)
         'equal'        z_dp_tex = z_dp_img; breaks Assumption 1: it becomes content
    private   'independent', or 'shared': z_pr_tex = z_pr_img; breaks Assumption 1
    dropped   the last `dropped` coordinates of z_inv do not enter f; breaks Assumption 1 when > 0
    corruption   the text sees z_inv + corruption * noise; breaks Assumption 1 when > 0
    shared_mixing   g = f (needs equal dimensions)
    """

    inv: int = 3
    dp_img: int = 3
    dp_tex: int = 3
    pr_img: int = 3
    pr_tex: int = 3
    density: DensityKind = "normal"
    components: int = 3
    covariance: CovarianceKind = "identity"
    causal: CausalKind = "nonlinear"
    noise: float = 1.0
    dp: Literal["independent", "perturbed", "equal"] = "independent"
    change: float = 1.0
    private: Literal["independent", "shared"] = "independent"
    dropped: int = 0
    corruption: float = 0.0
    shared_mixing: bool = False
    mixing: Mixing = field(default_factory=Mixing)

    def __post_init__(self) -> None:
        check_dims(self, ("inv", "components"), 1)
        check_dims(self, ("dp_tex", "pr_tex", "dropped"), 0)
        check_choice(self, "density", ("normal", "uniform", "mixture"))
        check_choice(self, "dp", ("independent", "perturbed", "equal"))
        check_choice(self, "private", ("independent", "shared"))
        check_image(self)
        if not 0 <= self.change <= 1:
            raise ValueError(f"`change` must be a probability in [0, 1]; got {self.change}.")
        if not 0 <= self.corruption < float("inf"):
            raise ValueError(f"`corruption` must be a standard deviation, finite and >= 0; got {self.corruption}.")
        if self.dropped >= self.inv:
            raise ValueError(f"`dropped` must be less than `inv` = {self.inv}; got {self.dropped}.")
        if self.dp != "independent" and self.dp_img != self.dp_tex:
            raise ValueError(
                f"`dp_tex` must equal `dp_img` = {self.dp_img} when `dp` is {self.dp!r}; got {self.dp_tex}."
            )
        if self.private == "shared" and self.pr_img != self.pr_tex:
            raise ValueError(
                f"`pr_tex` must equal `pr_img` = {self.pr_img} when `private` is 'shared'; got {self.pr_tex}."
            )
        if self.shared_mixing and self.image_dim != self.text_dim:
            raise ValueError(
                f"`shared_mixing` must join observations of equal dimension; got {self.image_dim} and {self.text_dim}."
            )

    @property
    def image_dim(self) -> int:
        """Dimension of x_img."""
        return self.inv - self.dropped + self.dp_img + self.pr_img

    @property
    def text_dim(self) -> int:
        """Dimension of x_tex."""
        return self.inv + self.dp_tex + self.pr_tex


def draw_world(spec: SentenceSCM, *, generator: torch.Generator) -> World:
    """Mixings and structural weights."""
    density = draw_density(spec.density, spec.covariance, spec.inv, spec.components, generator=generator)
    image = draw_image(spec, spec.inv, spec.inv - spec.dropped, generator=generator)
    dp = draw_block(spec.causal, spec.covariance, spec.inv, spec.dp_tex, generator=generator)
    pr = {"cholesky": draw_cholesky(spec.covariance, spec.pr_tex, generator=generator)}
    world = named("inv", density) | image | named("dp_tex", dp) | named("pr_tex", pr)
    if not spec.shared_mixing:
        world |= named("g", draw_mixing(spec.mixing, spec.text_dim, generator=generator))
    return world


def noise(spec: SentenceSCM, n: int, *, generator: torch.Generator) -> Noise:
    """All exogenous noise of n pairs."""
    drawn = density_noise(spec.density, n, spec.inv, generator=generator)
    drawn |= image_noise(spec, n, generator=generator)
    drawn["u_dp_tex"] = normal(n, spec.dp_tex, generator=generator)
    drawn["u_pr_tex"] = normal(n, spec.pr_tex, generator=generator)
    if spec.dp == "perturbed":
        drawn["u_change"] = uniform(n, spec.dp_tex, generator=generator)
    if spec.corruption:
        drawn["u_corruption"] = normal(n, spec.inv, generator=generator)
    return drawn


def push(spec: SentenceSCM, world: World, noise: Noise, do: Intervention | None = None) -> Sample:
    """The pairs that this noise determines, under `do`."""

    def z_dp_tex(z: Latents) -> Tensor:
        if spec.dp == "equal":
            return z["z_dp_img"]
        if spec.dp == "perturbed":
            step = spec.noise * private(world, "dp_tex", noise["u_dp_tex"])
            return z["z_dp_img"] + step * (noise["u_change"] < spec.change)
        return block(spec, world, "dp_tex", z["z_inv"], noise["u_dp_tex"])

    def z_pr_tex(z: Latents) -> Tensor:
        return z["z_pr_img"] if spec.private == "shared" else private(world, "pr_tex", noise["u_pr_tex"])

    latents = solve(
        {
            "z_inv": lambda z: z_inv_from(spec.density, part(world, "inv"), noise),
            "z_dp_img": lambda z: block(spec, world, "dp_img", z["z_inv"], noise["u_dp_img"]),
            "z_pr_img": lambda z: private(world, "pr_img", noise["u_pr_img"]),
            "z_dp_tex": z_dp_tex,
            "z_pr_tex": z_pr_tex,
        },
        do or {},
    )
    z_inv = latents["z_inv"]
    image = render_image(spec, world, z_inv[:, : spec.inv - spec.dropped], latents)
    seen = z_inv + spec.corruption * noise["u_corruption"] if spec.corruption else z_inv
    text = torch.cat((seen, latents["z_dp_tex"], latents["z_pr_tex"]), -1)
    return Sample(latents, image, mix(spec.mixing, part(world, _text_mixing(spec)), text))


def sides(spec: SentenceSCM) -> dict[str, tuple[str, ...]]:
    """The latent blocks behind each modality; blocks of dimension 0 are left out."""
    dims = {
        "z_dp_img": spec.dp_img,
        "z_pr_img": spec.pr_img,
        "z_dp_tex": spec.dp_tex,
        "z_pr_tex": spec.pr_tex,
    }
    return {
        side: ("z_inv", *(name for name, dim in dims.items() if dim and name.endswith(ending)))
        for side, ending in (("image", "img"), ("text", "tex"))
    }


def own_noise(spec: SentenceSCM) -> dict[str, tuple[str, ...]]:
    """For each latent, the noise terms that determine it given z_inv (for z_inv, given nothing)."""
    inv = ("u_inv", "u_component") if spec.density == "mixture" else ("u_inv",)
    dp = {
        "independent": ("u_dp_tex",),
        "perturbed": ("u_dp_img", "u_dp_tex", "u_change"),
        "equal": ("u_dp_img",),
    }[spec.dp]
    return {
        "z_inv": inv,
        "z_dp_img": ("u_dp_img",),
        "z_pr_img": ("u_pr_img",),
        "z_dp_tex": dp,
        "z_pr_tex": ("u_pr_img",) if spec.private == "shared" else ("u_pr_tex",),
    }


def invert_image(spec: SentenceSCM, world: World, image: Tensor) -> Float[Tensor, "n inv"]:
    """z_inv (without its dropped coordinates) from x_img, by f^-1."""
    return unmix(spec.mixing, part(world, "f"), image)[:, : spec.inv - spec.dropped]


def invert_text(spec: SentenceSCM, world: World, text: Tensor) -> Float[Tensor, "n inv"]:
    """z_inv (as the text saw it) from x_tex, by g^-1."""
    return unmix(spec.mixing, part(world, _text_mixing(spec)), text)[:, : spec.inv]


def equations(spec: SentenceSCM) -> list[str]:
    """The structural equations, one line each."""
    mean = {"none": "", "linear": "a + B z_inv + ", "nonlinear": "m(z_inv) + "}[spec.causal]
    mean_tex = {"none": "", "linear": "c + C z_inv + ", "nonlinear": "k(z_inv) + "}[spec.causal]
    img, tex = f"z_inv[:{spec.inv - spec.dropped}]" if spec.dropped else "z_inv", "z_inv"
    if spec.corruption:
        tex = f"z_inv + {spec.corruption:g} u_corruption"
    dp_tex = {
        "independent": f"{mean_tex}{spec.noise:g} L_dp_tex u_dp_tex",
        "perturbed": f"z_dp_img + {spec.noise:g} (L_dp_tex u_dp_tex) * 1[u_change < {spec.change:g}]",
        "equal": "z_dp_img",
    }[spec.dp]
    return [
        f"z_inv    = {density_text(spec.density, spec.components)}   in R^{spec.inv}",
        f"z_dp_img = {mean}{spec.noise:g} L_dp_img u_dp_img   in R^{spec.dp_img}",
        f"z_pr_img = L_pr_img u_pr_img   in R^{spec.pr_img}",
        f"z_dp_tex = {dp_tex}   in R^{spec.dp_tex}",
        f"z_pr_tex = {'z_pr_img' if spec.private == 'shared' else 'L_pr_tex u_pr_tex'}   in R^{spec.pr_tex}",
        f"x_img    = f({img}, z_dp_img, z_pr_img)   in R^{spec.image_dim}",
        f"x_tex    = {_text_mixing(spec)}({tex}, z_dp_tex, z_pr_tex)   in R^{spec.text_dim}",
    ]


def density_text(kind: DensityKind, components: int) -> str:
    """The structural equation of z_inv in words."""
    return {
        "normal": "L_inv u_inv",
        "uniform": "sqrt(3) (2 Phi(L_inv u_inv / sd) - 1)",
        "mixture": f"m_c + L_inv u_inv, c = component of {components} picked by u_component",
    }[kind]


def _text_mixing(spec: SentenceSCM) -> str:
    return "f" if spec.shared_mixing else "g"
