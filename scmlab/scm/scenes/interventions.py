"""Interventions on scenes: what stands in place of structural equations."""

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from scmlab.scm.equations import Latents, Noise
from scmlab.scm.scenes.draws import uniform_value
from scmlab.scm.scenes.spec import SceneSpec

Do = Mapping[str, str | int | float | bool | Tensor | Callable[[Latents], Tensor]]
"""do=: latent -> value. A value is a number or tensor that broadcasts over the scenes, a function of the latents solved
so far, "uniform" (attribute, relation, subject: independent of the objects) or the name of a relation.
do(relation) replaces the equation of the subject too, by "uniform", unless `do` names the subject: in the law both
come from one rule."""


def actions(spec: SceneSpec, noise: Noise, do: dict) -> dict:
    """`do` with its words replaced by what they stand for."""
    if "relation" in do:
        do.setdefault("subject", "uniform")
    for name, value in do.items():
        if callable(value):
            do[name] = functools.partial(_as_numbers, value)
        elif not isinstance(value, str):
            do[name] = torch.as_tensor(value) + 0
        elif value == "uniform" and name in ("attribute", "relation", "subject"):
            do[name] = uniform_value(spec, name, noise)
        elif name == "relation" and value in spec.relations:
            do[name] = torch.tensor(spec.relations.index(value))
        else:
            words = ", ".join(("uniform", *spec.relations) if name == "relation" else ("uniform",))
            raise ValueError(f"`do[{name!r}]` must be numbers, a function or a word of {words}; got {value!r}.")
    return do


def _as_numbers(action: Callable[[Latents], Tensor], z: Latents) -> Tensor:
    """What the function returns; + 0 makes true 1."""
    return torch.as_tensor(action(z)) + 0
