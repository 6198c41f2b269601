"""Encoders: MLP, token transformer and bag of tokens, each an ensemble of members, into R^n, the sphere or the cube."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot, scaled_dot_product_attention

from scmlab.models.layers import Activation, Linear, Norm, Stack, stack_drawn
from scmlab.scm import Shape
from scmlab.scm.equations import is_count

Space = Literal["real", "sphere", "cube"]


@dataclass(frozen=True)
class EncoderSpec:
    """kind, dimension `out` of the code, `space` of the code, hidden `width`, number of hidden layers `depth`.

    mlp          on the flattened observation
    transformer  `depth` pre-norm blocks with `heads` heads and learned positions, read out from all positions
    bag          mean of an MLP of each token, then an MLP: blind to the order of the tokens
    widths       hidden widths of the mlp, layer by layer, in place of `width` and `depth`
    activation   'silu', smooth as the encoders of the theory are, or 'leaky_relu' (slope 0.01), the literature's
    space        'real' R^n, 'sphere' unit norm, 'cube' (0, 1)^n through a sigmoid
    """

    out: int
    kind: Literal["mlp", "transformer", "bag"] = "mlp"
    space: Space = "real"
    width: int = 128
    depth: int = 3
    heads: int = 4
    widths: tuple[int, ...] = ()
    activation: Literal["silu", "leaky_relu"] = "silu"

    def __post_init__(self) -> None:
        for name in ("out", "width", "depth", "heads"):
            if not is_count(value := getattr(self, name), 1):
                raise ValueError(f"`{name}` of an encoder must be an integer >= 1; got {value}.")
        for name, choices in (("kind", KINDS), ("space", SPACES), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"`{name}` must be one of {', '.join(choices)}; got {getattr(self, name)!r}.")
        if self.widths and (self.kind != "mlp" or not all(is_count(w, 1) for w in self.widths)):
            raise ValueError(
                f"`widths` must be integers >= 1 and belong to an mlp; got {self.widths} for {self.kind!r}."
            )
        if self.kind == "transformer" and self.width % self.heads:
            raise ValueError(f"`width` must be a multiple of `heads` = {self.heads}; got {self.width}.")


class Encoder(nn.Module):
    """Observations (m, n, ...) -> codes (m, n, out), member i of the ensemble reading slice i.

    One initialisation generator per member: an ensemble's member is the same encoder as that member alone.
    """

    def __init__(self, spec: EncoderSpec, shape: Shape, *, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.spec, self.shape = spec, shape
        self.body = KINDS[spec.kind](spec, shape, generators)
        unit = torch.zeros(len(generators), 1, *shape.dims, device=generators[0].device)
        self.register_buffer("centre", unit)
        self.register_buffer("spread", torch.ones_like(unit))

    def alone(self, member: int) -> "Encoder":
        """A copy of one member, as an ensemble of one."""
        if not 0 <= member < self.members:
            raise ValueError(f"`member` must be from 0 to {self.members - 1}; got {member}.")
        copy = deepcopy(self)
        for tensor in (*copy.parameters(), *copy.buffers()):
            tensor.data = tensor.data[member : member + 1].clone()
        return copy

    @torch.no_grad()
    def standardise(self, x: Shaped[Tensor, "m n ..."]) -> None:
        """Fix the affine map of real inputs to mean 0 and variance 1 on the sample x, per member.

        Per coordinate; for a bag pooled over the tokens, so that it stays blind to their order.
        """
        if self.shape.vocabulary:
            return
        pooled = (1, 2) if self.spec.kind == "bag" else 1
        self.centre.copy_(x.mean(pooled, keepdim=True).expand_as(self.centre))
        self.spread.copy_(x.std(pooled, keepdim=True).clamp_min(1e-6).expand_as(self.spread))

    @property
    def members(self) -> int:
        """Number of members."""
        return len(next(self.parameters()))

    def forward(self, x: Shaped[Tensor, "m n ..."]) -> Float[Tensor, "m n k"]:
        """Codes in the encoder's space."""
        if self.shape.vocabulary:
            x = one_hot(x, self.shape.vocabulary).to(self.body.dtype)
        else:
            x = (x - self.centre) / self.spread
        return SPACES[self.spec.space](self.body(x))


class _Body(nn.Module):
    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype


class MLP(_Body):
    """Hidden layers on the flattened observation."""

    def __init__(self, spec: EncoderSpec, shape: Shape, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        inputs = (shape.vocabulary or 1) * torch.Size(shape.dims).numel()
        widths = spec.widths or (spec.width,) * spec.depth
        self.stack = Stack(inputs, *widths, spec.out, activation=ACTIVATIONS[spec.activation], generators=generators)

    def forward(self, x: Float[Tensor, "m n ..."]) -> Float[Tensor, "m n k"]:
        """Flatten, then the stack."""
        return self.stack(x.flatten(2))


class Bag(_Body):
    """Deep sets (Zaheer et al. 2017): the order of the tokens cannot be seen."""

    def __init__(self, spec: EncoderSpec, shape: Shape, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        hidden = (spec.width,) * spec.depth
        self.activation = ACTIVATIONS[spec.activation]
        shared = {"activation": self.activation, "generators": generators}
        self.token = Stack(_token_dim(shape), *hidden, spec.width, **shared)
        self.stack = Stack(spec.width, spec.width, spec.out, **shared)

    def forward(self, x: Float[Tensor, "m n t d"]) -> Float[Tensor, "m n k"]:
        """Mean over tokens of the tokens' features, then the stack."""
        tokens = self.token(x.flatten(1, 2)).unflatten(1, x.shape[1:3])
        return self.stack(self.activation(tokens).mean(2))


class Transformer(_Body):
    """Pre-norm self-attention over tokens; the code is read from all positions side by side."""

    def __init__(self, spec: EncoderSpec, shape: Shape, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        tokens, width = shape.dims[0], spec.width
        self.embed = Linear(_token_dim(shape), width, generators=generators)
        self.position = stack_drawn(lambda g: torch.randn(1, tokens, width, generator=g, device=g.device), generators)
        self.blocks = nn.ModuleList(
            _Block(width, spec.heads, ACTIVATIONS[spec.activation], generators) for _ in range(spec.depth)
        )
        self.norm = Norm(tokens * width, generators=generators)
        self.read = Linear(tokens * width, spec.out, generators=generators)

    def forward(self, x: Float[Tensor, "m n t d"]) -> Float[Tensor, "m n k"]:
        """Embed, attend, read."""
        n, t = x.shape[1:3]
        h = self.embed(x.flatten(1, 2)).unflatten(1, (n, t)) + self.position
        for block in self.blocks:
            h = block(h)
        return self.read(self.norm(h.flatten(2)))


class _Block(nn.Module):
    def __init__(self, width: int, heads: int, activation: Activation, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(Norm(width, generators=generators) for _ in range(2))
        self.qkv = Linear(width, 3 * width, generators=generators)
        self.out = Linear(width, width, generators=generators)
        self.stack = Stack(width, 2 * width, width, activation=activation, generators=generators)

    def forward(self, h: Float[Tensor, "m n t w"]) -> Float[Tensor, "m n t w"]:
        m, n, t, w = h.shape
        flat = h.flatten(1, 2)
        q, k, v = self.qkv(self.norms[0](flat)).view(m * n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(m, n * t, w)
        flat = flat + self.out(attended)
        return (flat + self.stack(self.norms[1](flat))).view(m, n, t, w)


def _token_dim(shape: Shape) -> int:
    if not shape.vocabulary and len(shape.dims) != 2:
        raise ValueError(f"`kind` must be 'mlp' for observations that are not token sequences; got shape {shape.dims}.")
    return shape.vocabulary or shape.dims[1]


ACTIVATIONS: dict[str, Activation] = {"silu": nn.functional.silu, "leaky_relu": nn.functional.leaky_relu}
KINDS = {"mlp": MLP, "transformer": Transformer, "bag": Bag}
SPACES = {"real": lambda x: x, "sphere": lambda x: normalize(x, dim=-1), "cube": torch.sigmoid}
