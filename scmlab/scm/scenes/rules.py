"""The shortcut: which relation, subject or binding goes with which pair of objects."""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from scmlab.scm.scenes.record import THIRD
from scmlab.scm.scenes.spec import SceneSpec
from scmlab.scm.streams import stream


@dataclass(frozen=True, eq=False)
class Rules:
    """The fixed parameters of the shortcut, one rule for each unordered pair, as balanced as the numbers allow.

    relation, subject   by the kinds of the pair's first and second object
    attribute           by shapes a, b and colours c, d as (a * S + b) * C * C + c * C + d
    """

    relation: Int[Tensor, "k k"]
    subject: Int[Tensor, "k k"]
    attribute: Int[Tensor, " p"]


@functools.lru_cache(maxsize=64)
def rules(spec: SceneSpec, device: torch.device) -> Rules:
    """The rules of the spec's world; the same on every device, whatever is no part of the pairs."""
    generator = stream(spec.world, "scenes", spec.binding)
    kinds, shapes, colours = spec.kinds, len(spec.shapes), len(spec.colours)
    kind = torch.arange(kinds)
    shape, colour = kind // colours, kind % colours
    if spec.pairs == "different":
        allowed = (shape[:, None] < shape) & (colour[:, None] != colour)
    else:  # a shape with itself has its colours in rising order
        allowed = (shape[:, None] < shape) | ((shape[:, None] == shape) & (colour[:, None] <= colour))
    relation, subject = torch.zeros(2, kinds, kinds, dtype=torch.int64)
    rank = torch.randperm(int(allowed.sum()), generator=generator) % (2 * len(spec.relations))
    relation[allowed], subject[allowed] = rank // 2, rank % 2
    rising = torch.ones(shapes, shapes).triu(), torch.ones(colours, colours).triu()
    sets = torch.einsum("ab,cd->abcd", *rising).flatten().bool()
    attribute = torch.zeros(len(sets), dtype=torch.int64)
    attribute[sets] = torch.randperm(int(sets.sum()), generator=generator) % 2
    return Rules(relation.to(device), subject.to(device), attribute.to(device))


def pair_sets(spec: SceneSpec, shapes: Tensor, colours: Tensor) -> Int[Tensor, " n"]:
    """The pair of shapes and the pair of colours as one number, as `Rules.attribute` counts them."""
    s, c = len(spec.shapes), len(spec.colours)
    return (shapes[:, 0] * s + shapes[:, 1]) * c * c + colours[:, 0] * c + colours[:, 1]


def pair_kinds(spec: SceneSpec, shapes: Tensor, colours: Tensor, attribute: Tensor) -> tuple[Tensor, Tensor]:
    """The kinds of the pair's first and second object, in rising order."""
    held = colours[:, :THIRD].gather(1, torch.stack((attribute, 1 - attribute), 1))
    kinds = (shapes[:, :THIRD] * len(spec.colours) + held).sort(1).values
    return kinds[:, 0], kinds[:, 1]
