"""The token-level SCM (Assumption 4), continuous reading: a text is a sequence of tokens z_i = t_i(z_inv, z_<i, u_i).

The joint map (z_inv, u_1..u_k) -> (z_1..z_k) is a diffeomorphism onto its image. z_inv is first sent through a
diffeomorphism w = plan(z_inv); token i carries its own chunk of w together with u_i:

    v_i = ([w_i, u_i] R_i) * exp(s_i(z_<i)) + b_i(z_<i),    z_i = centre_i + RADIUS * v_i / sqrt(SOFT d + |v_i|^2)

so z_i lies in an open ball about centre_i. The balls of different positions are disjoint: the role of a token can be
read off its value. Given z_<i, z_i determines v_i, hence w_i and u_i: the inverse goes through the tokens in order.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.scm.density import (
    CausalKind,
    CovarianceKind,
    DensityKind,
    density_noise,
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
from scmlab.scm.mixing import Mixing, draw_mixing, mix, rotation, unmix
from scmlab.scm.sentence import density_text
from scmlab.scm.streams import normal

RADIUS = 3.0  # of a role's ball
SPACING = 7.0  # between centres: more than two radii, so that balls are disjoint
SOFT = 4.0  # |v_i|^2 is about d: the ball's edge is approached only by the tails, so the squash is gentle
HIDDEN = 32
LOG_SCALE = 0.5


@dataclass(frozen=True)
class TokenSCM:
    """Image side as in `SentenceSCM`; text is `tokens` tokens of dimension `token_dim`.

    The text has tokens * token_dim = inv + sum_i dim u_i dimensions; z_inv's coordinates are spread over the tokens
    as evenly as possible. shared_mixing: one observation map g for all positions (keeps the observed roles
    disjoint), else g_i per position.
    """

    inv: int = 3
    dp_img: int = 3
    pr_img: int = 3
    tokens: int = 4
    token_dim: int = 3
    density: DensityKind = "normal"
    components: int = 3
    covariance: CovarianceKind = "identity"
    causal: CausalKind = "nonlinear"
    noise: float = 1.0
    shared_mixing: bool = True
    mixing: Mixing = field(default_factory=Mixing)

    def __post_init__(self) -> None:
        check_dims(self, ("inv", "tokens", "token_dim", "components"), 1)
        check_choice(self, "density", ("normal", "uniform", "mixture"))
        check_image(self)
        if self.tokens * self.token_dim < self.inv or max(self.chunks) > self.token_dim:
            raise ValueError(
                f"`tokens` * `token_dim` must be at least `inv` = {self.inv}, so that the text can carry z_inv; "
                f"got {self.tokens} * {self.token_dim}."
            )

    @property
    def chunks(self) -> tuple[int, ...]:
        """How many coordinates of plan(z_inv) each token carries."""
        return tuple((self.inv + i) // self.tokens for i in range(self.tokens))

    @property
    def names(self) -> tuple[str, ...]:
        """z_1, ..., z_k."""
        return tuple(f"z_{i + 1}" for i in range(self.tokens))

    @property
    def image_dim(self) -> int:
        """Dimension of x_img."""
        return self.inv + self.dp_img + self.pr_img


def draw_world(spec: TokenSCM, *, generator: torch.Generator) -> World:
    """Mixings, plan, centres and structural weights."""
    density = draw_density(spec.density, spec.covariance, spec.inv, spec.components, generator=generator)
    world = named("inv", density) | draw_image(spec, spec.inv, spec.inv, generator=generator)
    world |= named("plan", draw_mixing(spec.mixing, spec.inv, generator=generator))
    world["centres"] = _grid(spec.tokens, spec.token_dim).to(generator.device) @ rotation(
        spec.token_dim, generator=generator
    )
    for i in range(spec.tokens):
        world |= named(f"t_{i + 1}", _draw_token(spec, i, generator))
    for i in range(1 if spec.shared_mixing else spec.tokens):
        world |= named(f"g_{i + 1}", draw_mixing(spec.mixing, spec.token_dim, generator=generator))
    return world


def noise(spec: TokenSCM, n: int, *, generator: torch.Generator) -> Noise:
    """All exogenous noise of n pairs; u_i has token_dim minus its chunk of z_inv dimensions."""
    drawn = density_noise(spec.density, n, spec.inv, generator=generator)
    drawn |= image_noise(spec, n, generator=generator)
    for i, chunk in enumerate(spec.chunks):
        drawn[f"u_{i + 1}"] = normal(n, spec.token_dim - chunk, generator=generator)
    return drawn


def push(spec: TokenSCM, world: World, noise: Noise, do: Intervention | None = None) -> Sample:
    """The pairs that this noise determines, under `do`."""

    chunks: list[Tensor] = []  # of plan(z_inv), solved once for all tokens, after any do(z_inv)

    def token(i: int) -> Callable[[Latents], Tensor]:
        def equation(z: Latents) -> Tensor:
            if not chunks:
                chunks.extend(mix(spec.mixing, part(world, "plan"), z["z_inv"]).split(spec.chunks, -1))
            w = chunks[i]
            scale, shift, t = _context(spec, world, i, [z[name] for name in spec.names[:i]], w)
            v = (torch.cat((w, noise[f"u_{i + 1}"]), -1) @ t["rotation"]) * scale + shift
            return world["centres"][i] + _into_ball(v)

        return equation

    latents = solve(
        {
            "z_inv": lambda z: z_inv_from(spec.density, part(world, "inv"), noise),
            "z_dp_img": lambda z: block(spec, world, "dp_img", z["z_inv"], noise["u_dp_img"]),
            "z_pr_img": lambda z: private(world, "pr_img", noise["u_pr_img"]),
            **{name: token(i) for i, name in enumerate(spec.names)},
        },
        do or {},
    )
    image = render_image(spec, world, latents["z_inv"], latents)
    text = [mix(spec.mixing, _observation(spec, world, i), latents[name]) for i, name in enumerate(spec.names)]
    return Sample(latents, image, torch.stack(text, 1))


def sides(spec: TokenSCM) -> dict[str, tuple[str, ...]]:
    """The latent blocks behind each modality; blocks without noise of their own are left out."""
    image = [name for name, dim in (("z_dp_img", spec.dp_img), ("z_pr_img", spec.pr_img)) if dim]
    text = [name for name, chunk in zip(spec.names, spec.chunks, strict=True) if chunk < spec.token_dim]
    return {"image": ("z_inv", *image), "text": ("z_inv", *text)}


def own_noise(spec: TokenSCM) -> dict[str, tuple[str, ...]]:
    """For each latent, the noise terms that determine it given z_inv and the tokens before it."""
    inv = ("u_inv", "u_component") if spec.density == "mixture" else ("u_inv",)
    image = {"z_inv": inv, "z_dp_img": ("u_dp_img",), "z_pr_img": ("u_pr_img",)}
    return image | {name: (name.replace("z", "u"),) for name in spec.names}


def invert_image(spec: TokenSCM, world: World, image: Tensor) -> Float[Tensor, "n inv"]:
    """z_inv from x_img, by f^-1."""
    return unmix(spec.mixing, part(world, "f"), image)[:, : spec.inv]


def invert_text(spec: TokenSCM, world: World, text: Float[Tensor, "n k d"]) -> Float[Tensor, "n inv"]:
    """z_inv from the observed tokens: g_i^-1, then the triangular map, then plan^-1."""
    tokens: list[Tensor] = []
    chunks = []
    for i, chunk in enumerate(spec.chunks):
        z = unmix(spec.mixing, _observation(spec, world, i), text[:, i])
        scale, shift, t = _context(spec, world, i, tokens, z)
        v = _out_of_ball(z - world["centres"][i])
        chunks.append(torch.linalg.solve(t["rotation"], (v - shift) / scale, left=False)[:, :chunk])
        tokens.append(z)
    return unmix(spec.mixing, part(world, "plan"), torch.cat(chunks, -1))


def equations(spec: TokenSCM) -> list[str]:
    """The structural equations, one line each."""
    mean = {"none": "", "linear": "a + B z_inv + ", "nonlinear": "m(z_inv) + "}[spec.causal]
    carried = itertools.accumulate(spec.chunks, initial=0)
    lines = [
        f"z_inv    = {density_text(spec.density, spec.components)}   in R^{spec.inv}",
        f"z_dp_img = {mean}{spec.noise:g} L_dp_img u_dp_img   in R^{spec.dp_img}",
        f"z_pr_img = L_pr_img u_pr_img   in R^{spec.pr_img}",
        f"w        = plan(z_inv), an invertible map of R^{spec.inv}",
    ]
    for i, (chunk, start) in enumerate(zip(spec.chunks, carried, strict=False)):
        before = "".join(f", {name}" for name in spec.names[:i])
        lines.append(
            f"z_{i + 1}      = t_{i + 1}(w[{start}:{start + chunk}], u_{i + 1}{before})   in a ball of "
            f"R^{spec.token_dim}, dim u_{i + 1} = {spec.token_dim - chunk}"
        )
    g = "g" if spec.shared_mixing else "g_i"
    return [
        *lines,
        f"x_img    = f(z_inv, z_dp_img, z_pr_img)   in R^{spec.image_dim}",
        f"x_tex    = ({g}(z_i))_i=1..{spec.tokens}   in R^({spec.tokens} x {spec.token_dim})",
    ]


def _grid(count: int, dim: int) -> Tensor:
    """`count` points of a cubic lattice, SPACING apart, about the origin."""
    side = 1
    while side**dim < count:
        side += 1
    points = itertools.islice(itertools.product(range(side), repeat=dim), count)
    grid = torch.tensor(list(points), dtype=torch.float32)
    return SPACING * (grid - grid.mean(0))


def _draw_token(spec: TokenSCM, i: int, generator: torch.Generator) -> World:
    parents, d = i * spec.token_dim, spec.token_dim
    return {
        "rotation": rotation(d, generator=generator),
        "inner": normal(parents, HIDDEN, generator=generator) / max(parents, 1) ** 0.5,
        "bias": normal(HIDDEN, generator=generator),
        "outer": 0.5 * normal(HIDDEN, 2 * d, generator=generator) / HIDDEN**0.5,
    }


def _context(spec: TokenSCM, world: World, i: int, before: list[Tensor], like: Tensor) -> tuple[Tensor, Tensor, World]:
    """Scale and shift of token i given the tokens before it, and its other weights."""
    t = part(world, f"t_{i + 1}")
    empty = like.new_zeros(len(like), 0)
    parents = torch.cat([empty, *(z - c for z, c in zip(before, world["centres"], strict=False))], -1)
    s, b = (torch.tanh(parents @ t["inner"] + t["bias"]) @ t["outer"]).chunk(2, -1)
    return (LOG_SCALE * torch.tanh(s)).exp(), b, t


def _into_ball(v: Tensor) -> Tensor:
    return RADIUS * v / (SOFT * v.shape[-1] + v.square().sum(-1, keepdim=True)).sqrt()


def _out_of_ball(z: Tensor) -> Tensor:
    y = z / RADIUS
    return y * (SOFT * z.shape[-1] / (1 - y.square().sum(-1, keepdim=True))).sqrt()


def _observation(spec: TokenSCM, world: World, i: int) -> World:
    return part(world, "g_1" if spec.shared_mixing else f"g_{i + 1}")
