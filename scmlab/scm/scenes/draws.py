"""From uniforms on [0, 1) to the values of latents."""

import torch
from jaxtyping import Int
from torch import Tensor

from scmlab.scm.equations import Noise
from scmlab.scm.scenes.record import JITTERED
from scmlab.scm.scenes.spec import SceneSpec


def pick(u: Tensor, count: int) -> Tensor:
    """One of `count` values, 0 to count - 1, alike probable."""
    return (u * count).long()


def draw_pair(u: Tensor, count: int, different: bool) -> Int[Tensor, "n 3"]:
    """Two values in rising order and a third one; different ones where they can be."""
    if not different:
        drawn = pick(u, count)
        return torch.cat((drawn[:, :2].sort(1).values, drawn[:, 2:]), 1)
    first = pick(u[:, 0], count)
    second = (first + 1 + pick(u[:, 1], count - 1)) % count
    pair = torch.stack((first, second), 1).sort(1).values
    if count < 3:
        return torch.cat((pair, pair[:, :1]), 1)
    third = pick(u[:, 2], count - 2)  # among the others: those below stay, the rest move up
    third = third + (third >= pair[:, 0])
    third = third + (third >= pair[:, 1])
    return torch.cat((pair, third[:, None]), 1)


def draw_pose(spec: SceneSpec, u: Tensor) -> Tensor:
    """The poses in the spec's range around their middle; quadrant and side are choices and keep theirs."""
    count = len(JITTERED)
    return torch.cat((0.5 + spec.jitter * (u[:, :count] - 0.5), u[:, count:]), 1)


def uniform_value(spec: SceneSpec, name: str, noise: Noise) -> Int[Tensor, " n"]:
    """The value that is independent of the objects: of attribute, relation or subject."""
    return pick(noise[f"u_{name}"], len(spec.relations) if name == "relation" else 2)
