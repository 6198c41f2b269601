"""A CLIP that only embeds, with less traffic to memory."""

from copy import deepcopy
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor, nn
from transformers.activations import QuickGELUActivation

from scmlab.models.clip.record import Clip

ROWS = 256
"""Tokens whose activations are computed at once: what lies between then stays in the processor's cache."""


def for_inference(clip: Clip) -> Clip:
    """The same function for use without gradients on the CPU: its QuickGELU writes over its input.

    Weights are those of `clip` and not copies; `clip` itself stays as it is. A CLIP with GELU gets another record of
    the same function.
    """
    model = deepcopy(clip.model, {id(shared): shared for shared in [*clip.model.parameters(), *clip.model.buffers()]})
    for module in model.modules():
        if isinstance(getattr(module, "activation_fn", None), QuickGELUActivation):
            module.activation_fn = _InPlace()
    return replace(clip, model=model)


class _InPlace(nn.Module):
    """x sigmoid(1.702 x), written over x: what a linear layer gave and nothing else needs."""

    def forward(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        for rows in x.view(-1, x.shape[-1]).split(ROWS):
            rows.mul_((1.702 * rows).sigmoid_())
        return x
