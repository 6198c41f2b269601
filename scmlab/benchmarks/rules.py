"""The rule of each kind of item, for many items of one shape at once: credit and margin."""

from collections.abc import Sequence
from math import comb

import numpy as np
from jaxtyping import Float

from scmlab.benchmarks.item import Item

Credit = tuple[Float[np.ndarray, " g"], Float[np.ndarray, " g"]]


def above(scores: Float[np.ndarray, "g c"], right: Sequence[int], wrong: Sequence[int], ties: str) -> Credit:
    """Credit and margin for: every right option is above every wrong one; true with margin NaN where none is wrong."""
    if not wrong:
        return np.ones(len(scores)), np.full(len(scores), np.nan)
    low, high = scores[:, right].min(1), scores[:, wrong].max(1)
    margin = low - high
    credit, tied = (margin > 0).astype(np.float64), margin == 0
    if ties == "strict" or not tied.any():
        return credit, margin
    level = scores == high[:, None]
    if ties == "first":
        last_right = np.where(level[:, right], right, -1).max(1)
        first_wrong = np.where(level[:, wrong], wrong, scores.shape[1]).min(1)
        return np.where(tied, last_right < first_wrong, credit).astype(np.float64), margin
    ours, theirs = level[:, right].sum(1), level[:, wrong].sum(1)
    for row in np.flatnonzero(tied):
        credit[row] = 1 / comb(int(ours[row] + theirs[row]), int(ours[row]))
    return credit, margin


def _choice(scores: Float[np.ndarray, "g i c"], right: Sequence[tuple[int, int]], ties: str) -> dict[str, Credit]:
    places = [caption for _, caption in right]
    return {"correct": above(scores[:, 0], places, _others(scores.shape[2], places), ties)}


def _both(scores: Float[np.ndarray, "g i c"], right: Sequence[tuple[int, int]], ties: str) -> dict[str, Credit]:
    places = [caption for _, caption in right]
    wrong = _others(scores.shape[2], places)
    both = above(scores[:, 0], places, wrong, ties)
    alone = {"caption": places[0], "caption2": places[1]}
    return {
        "correct": both,
        "both": both,
        **{name: above(scores[:, 0], [place], wrong, ties) for name, place in alone.items()},
    }


def _group(scores: Float[np.ndarray, "g i c"], right: Sequence[tuple[int, int]], ties: str) -> dict[str, Credit]:
    _, images, captions = scores.shape
    text = [above(scores[:, i], [c], _others(captions, [c]), ties) for i, c in right]
    image = [above(scores[:, :, c], [i], _others(images, [i]), ties) for i, c in right]
    parts = {"text": _all(text), "image": _all(image), "group": _all([*text, *image])}
    return {"correct": parts["group"], **parts}


def _similarity(scores: Float[np.ndarray, "g i c"], _: Sequence[tuple[int, int]], ties: str) -> dict[str, Credit]:
    return {"cosine": (scores[:, 0, 1], np.full(len(scores), np.nan))}


def _all(credits: Sequence[Credit]) -> Credit:
    return np.prod([credit for credit, _ in credits], axis=0), np.min([margin for _, margin in credits], axis=0)


def _others(count: int, places: Sequence[int]) -> list[int]:
    return [place for place in range(count) if place not in places]


RULES = {"choice": _choice, "group": _group, "both": _both, "similarity": _similarity}


def check_rule(item: Item, rule: str) -> None:
    """Errors: an item whose images, captions and right pairs are none of its rule."""
    images, captions, right = len(item.images), len(item.captions), item.right
    first = all(image == 0 and 0 <= caption < captions for image, caption in right) and len(set(right)) == len(right)
    fits = {
        "choice": images == 1 and captions > 0 and len(right) == 1 and first,
        "both": images == 1 and captions == 3 and len(right) == 2 and first,
        "group": images == captions > 1
        and sorted(c for _, c in right) == sorted(i for i, _ in right) == [*range(images)],
        "retrieval": images == 1 and captions > 0 and len(right) == captions and first,
        "similarity": images == 0 and captions == 2 and not right,
    }
    if not fits[rule]:
        raise ValueError(
            f"`right` of item {item.key} must fit the rule {rule}; got {right} of {images} images, {captions} captions."
        )
