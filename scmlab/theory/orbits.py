"""Iterated operators: how many captions t edits reach, and what an encoder that is blind to them can score."""

from collections.abc import Collection

from jaxtyping import Float
from torch import Tensor

from scmlab.theory.edits import Caption, Family


def orbit(caption: Caption, family: Family, steps: int, true: Collection[Caption] = ()) -> tuple[Caption, ...]:
    """The captions reachable in at most `steps` edits, minus the caption itself and minus those true of its image.

    Chains may pass through a true caption. Ordered by the number of edits needed, then as the family makes them.
    Source: arXiv 2510.26302 (iterated operators stated; counting ours). Errors: `steps` below 0.
    """
    if steps < 0:
        raise ValueError(f"`steps` must be >= 0; got {steps}.")
    reached = {caption: None}  # a dict keeps the order
    frontier = [caption]
    for _ in range(steps):
        made = dict.fromkeys(edit.result for source in frontier for edit in family.forward(source))
        frontier = [result for result in made if result not in reached]
        reached.update(dict.fromkeys(frontier))
    return tuple(other for other in reached if other != caption and other not in true)


def blind_accuracy(size: int) -> float:
    """1 / (1 + size): the score of a blind encoder in the choice among a caption and its orbit, credit 1 / #ties.

    A pairwise test is size 1: it stays at 1/2 however many steps made the negative. Source: arXiv 2510.26302
    (iterated operators stated; counting ours). Errors: a negative size.
    """
    if size < 0:
        raise ValueError(f"`size` must be >= 0; got {size}.")
    return 1 / (1 + size)


def choice_credit(scores: Float[Tensor, "*n c"]) -> Float[Tensor, "*n"]:
    """1 / #ties where the first of c scores, the caption's own, is a maximum, else 0; a plain argmax answers index 0.

    Ties are exact. Source: ours. Errors: no score.
    """
    if scores.shape[-1] == 0:
        raise ValueError(f"`scores` must hold at least the caption's own; got shape {tuple(scores.shape)}.")
    best = (scores == scores.amax(-1, keepdim=True)).to(scores.dtype)
    return best[..., 0] / best.sum(-1)
