"""Layers of an ensemble: every parameter has the member as its first dimension, so m members cost one batched call."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

Draw = Callable[[torch.Generator], Tensor]
Activation = Callable[[Tensor], Tensor]


def stack_drawn(draw: Draw, generators: Sequence[torch.Generator]) -> nn.Parameter:
    """A parameter (m, ...) whose member i is drawn from generators[i]: a member does not depend on its neighbours."""
    return nn.Parameter(torch.stack([draw(generator) for generator in generators]))


class Linear(nn.Module):
    """y = x W + b per member; W, b uniform on +-1/sqrt(in), as torch.nn.Linear draws them."""

    def __init__(self, inputs: int, outputs: int, *, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        bound = inputs**-0.5

        def draw(rows: int) -> Draw:
            return lambda g: torch.empty(rows, outputs, device=g.device).uniform_(-bound, bound, generator=g)

        self.weight = stack_drawn(draw(inputs), generators)
        self.bias = stack_drawn(draw(1), generators)

    def forward(self, x: Float[Tensor, "m n i"]) -> Float[Tensor, "m n o"]:
        """One batched matrix product for all members."""
        return torch.baddbmm(self.bias, x, self.weight)


class Norm(nn.Module):
    """Layer normalisation over the last dimension, with gain and offset per member."""

    def __init__(self, width: int, *, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.gain = stack_drawn(lambda g: torch.ones(1, width, device=g.device), generators)
        self.offset = stack_drawn(lambda g: torch.zeros(1, width, device=g.device), generators)

    def forward(self, x: Float[Tensor, "m n w"]) -> Float[Tensor, "m n w"]:
        """Normalise, scale, shift."""
        return nn.functional.layer_norm(x, x.shape[-1:]) * self.gain + self.offset


class Stack(nn.Module):
    """Linear layers of the given sizes (inputs, hidden..., outputs) with an activation between them: the MLP body."""

    def __init__(self, *sizes: int, activation: Activation, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList(Linear(i, o, generators=generators) for i, o in pairwise(sizes))

    def forward(self, x: Float[Tensor, "m n i"]) -> Float[Tensor, "m n o"]:
        """The last layer is linear."""
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)
