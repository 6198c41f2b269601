"""Blind baselines: what a scorer gets that sees no image, through the same rule, ties and aggregates as a model."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from sklearn.linear_model import LogisticRegression

from scmlab.benchmarks.embed import Embeddings, text_key
from scmlab.benchmarks.halves import Halves, halves
from scmlab.benchmarks.item import Benchmark
from scmlab.benchmarks.ranks import Gallery
from scmlab.benchmarks.scoring import Scored, owners, score_items
from scmlab.language.plausibility import FEATURES, Plausibility

Scores = Float[np.ndarray, " m"]
"""One number per caption: those of item 0, then of item 1, ..."""

BLIND: Mapping[str, str] = MappingProxyType(
    {
        "shorter": "minus the number of characters, spaces at both ends left out",
        "longer": "the number of characters, spaces at both ends left out",
        "bigram": "mean log probability of a word after the one before, by the right captions of the other half",
        "features": "logistic regression on length and frequencies of words and pairs, fitted on the other half",
        "typical": "cosine of the caption's code with the mean code of the other half's right captions",
        "direction": "the caption's code along mean right minus mean wrong code of the other half",
    }
)
"""Name -> what a caption scores, whatever the image."""

_FITTED = ("features", "direction")  # on right against wrong captions
_CODED = ("typical", "direction")


def names_for(benchmark: Benchmark, *, codes: bool) -> tuple[str, ...]:
    """The baselines there are for the benchmark's rule; codes: a model's codes of the captions are at hand.

    Two are fitted on right against wrong captions, which only `choice` and `both` have. For `similarity`, longer is the
    same as shorter.
    """
    leave = set() if benchmark.rule in ("choice", "both") else set(_FITTED)
    leave |= {"longer"} if benchmark.rule == "similarity" else set()
    leave |= set() if codes else set(_CODED)
    if benchmark.rule == "similarity":
        leave |= {"bigram", *_CODED}  # no caption is right
    return tuple(name for name in BLIND if name not in leave)


def caption_codes(benchmark: Benchmark, embeddings: Embeddings) -> Float32[np.ndarray, "m d"]:
    """Codes of all captions, those of item 0 first."""
    keys = [text_key(caption) for item in benchmark.items for caption in item.captions]
    return embeddings.cache.codes("text", keys)


def blind_scores(
    benchmark: Benchmark, name: str, *, generator: torch.Generator, codes: Float32[np.ndarray, "m d"] | None = None
) -> Scores:
    """What each caption scores by one of `BLIND`. Both halves are scored by what was fitted on the other one.

    bigram          (1 / (n + 1)) sum_{i=1..n+1} log (c(w_{i-1} w_i) + 2 p(w_i)) / (c(w_{i-1}) + 2), between marks of
                    start and end, p(w) = (c(w) + 1/2) / (words + 1); over its
                    typical spread
    features        log odds of being right, linear in `plausibility.FEATURES`, without intercept; what is
                    fitted on is taken off the counts
    typical         cos(z, mean of z over right captions)
    direction       z . (mean over right - mean over wrong captions)

    codes      z, of length 1, for the last two
    generator  draws the halves: one state, one cut, whatever the name
    Errors: a name that is not for the benchmark's rule; codes of another number.
    """
    captions = [caption for item in benchmark.items for caption in item.captions]
    if name not in (known := names_for(benchmark, codes=codes is not None)):
        raise ValueError(f"`name` must be one of {', '.join(known)} for {benchmark.name}; got {name!r}.")
    if codes is not None and len(codes) != len(captions):
        raise ValueError(f"`codes` must be one for each of {len(captions)} captions; got {len(codes)}.")
    if name in ("shorter", "longer"):
        lengths = np.array([len(caption.strip()) for caption in captions], dtype=np.float64)
        return lengths if name == "longer" else -lengths
    cut = halves(benchmark, generator=generator)
    right, second = is_right(benchmark), _of_captions(benchmark, cut)
    scores = np.zeros(len(captions))
    for half in (False, True):
        fitted, scored = np.flatnonzero(second != half), np.flatnonzero(second == half)
        if not right[fitted].any() or not len(scored) or (name in _FITTED and right[fitted].all()):
            continue  # a benchmark of one group, or one half without wrong captions: nothing is known, all captions tie
        if name in _CODED:
            scores[scored] = _along(codes, right, fitted, scored, name)
        else:
            scores[scored] = _by_text(captions, right, owners(benchmark), fitted, scored, name)
    return scores


def blind_similarities(
    benchmark: Benchmark, scores: Scores, missing: Bool[np.ndarray, " n"] | None = None
) -> list[np.ndarray] | Gallery:
    """The same row of scores for every image, as `score_items` takes them.

    retrieval   captions are ranked by their score, the same for all images; all images tie
    similarity  t(0, 1) = -|score of 0 - score of 1|

    missing  items whose image is not at hand: in `retrieval` they are no options, as for a model
    """
    if benchmark.rule == "retrieval":
        n = len(benchmark.items)
        present = np.ones(n, bool) if missing is None else ~missing
        return Gallery(np.ones((n, 1), np.float32), scores[:, None].astype(np.float32), present)
    starts = np.cumsum([len(item.captions) for item in benchmark.items])[:-1]
    rows = np.split(scores, starts) if len(benchmark.items) else []
    if benchmark.rule == "similarity":
        return [-np.abs(row[:, None] - row[None]) for row in rows]
    return [np.tile(row, (len(item.images), 1)) for item, row in zip(benchmark.items, rows, strict=True)]


def score_blind(
    benchmark: Benchmark,
    *,
    generator: torch.Generator,
    codes: Float32[np.ndarray, "m d"] | None = None,
    ties: str | None = None,
) -> dict[str, Scored]:
    """Every blind baseline there is for the benchmark, and "chance" where the rule has one, by name.

    ties  as of `score_items`; without it `blind_ties` of the official policy
    """
    ties = blind_ties(benchmark.ties) if ties is None else ties
    state, found = generator.get_state(), {}
    for name in names_for(benchmark, codes=codes is not None):
        generator.set_state(state)
        scores = blind_scores(benchmark, name, generator=generator, codes=codes)
        found[name] = score_items(benchmark, blind_similarities(benchmark, scores), ties=ties)
    if benchmark.rule != "similarity":
        found["chance"] = chance(benchmark)
    return found


def blind_ties(ties: str) -> str:
    """The policy of baselines beside a model's: never `first`, by which equal scores of everything would be right."""
    return "half" if ties == "first" else ties


def chance(benchmark: Benchmark, missing: Bool[np.ndarray, " n"] | None = None) -> Scored:
    """What independent continuous random scores get on average, per item; margins are NaN and nothing ties.

    choice     1 / options; with r right captions of k: r! (k - r)! / k!
    both       1/3; of each right caption alone 1/2
    group      of two images and two captions: text 1/4, image 1/4, group 1/6
    retrieval  1 - C(n - r, k) / C(n, k) at k, of n options r right

    missing  as of `blind_similarities`
    Errors: `similarity`, for which chance is a correlation of 0; groups of more than two.
    """
    if benchmark.rule == "similarity":
        raise ValueError(f"`benchmark` must have right and wrong for a chance level; got {benchmark.name}.")
    m = sum(len(item.captions) for item in benchmark.items)
    same = score_items(benchmark, blind_similarities(benchmark, np.zeros(m), missing), ties="half")
    none = np.zeros(len(same), bool)
    blank: dict[str, Any] = {"ties": same.ties, "tied": none, "margin": np.full(len(same), np.nan)}
    if benchmark.rule != "group":
        return replace(same, **blank)
    for item in benchmark.items:
        if len(item.captions) != 2:
            raise ValueError(f"`benchmark` must have groups of two for a chance level; got item {item.key}.")
    parts = {name: np.full(len(same), share) for name, share in (("text", 1 / 4), ("image", 1 / 4), ("group", 1 / 6))}
    return replace(same, **blank, correct=parts["group"], parts=MappingProxyType(parts))


def is_right(benchmark: Benchmark) -> np.ndarray:
    """Bool[m]: whether the caption is right for an image of its item."""
    right = [{caption for _, caption in item.right} for item in benchmark.items]
    return np.array(
        [c in of for item, of in zip(benchmark.items, right, strict=True) for c in range(len(item.captions))],
        dtype=bool,
    )


def _of_captions(benchmark: Benchmark, cut: Halves) -> np.ndarray:
    return cut.second[owners(benchmark)]


def _along(codes: np.ndarray, right: np.ndarray, fitted: np.ndarray, scored: np.ndarray, name: str) -> np.ndarray:
    """Codes along a direction of the fitted ones; equal codes give equal numbers wherever they stand."""
    direction = codes[fitted[right[fitted]]].mean(0, dtype=np.float64)
    if name == "direction":
        wrong = fitted[~right[fitted]]
        direction = direction - codes[wrong].mean(0, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    return (codes[scored].astype(np.float64) * (direction / (length or 1.0))).sum(1)


def _by_text(
    captions: list[str], right: np.ndarray, owner: np.ndarray, fitted: np.ndarray, scored: np.ndarray, name: str
) -> np.ndarray:
    counts = Plausibility.of(dict.fromkeys(captions[row] for row in fitted[right[fitted]]))
    texts = [captions[row] for row in scored]
    ours = np.array(counts.differences("", texts, counted=False))  # of one base: only their differences matter
    if name == "bigram":
        return ours[:, FEATURES.index("pair given word")]
    sides: dict[int, tuple[list[str], list[str]]] = {}  # item -> its wrong and right captions
    for row in fitted:
        sides.setdefault(int(owner[row]), ([], []))[int(right[row])].append(captions[row])
    train = np.array(
        [less for wrong, good in sides.values() for one in good for less in counts.differences(one, wrong)]
    )
    model = LogisticRegression(fit_intercept=False, max_iter=1000)
    model.fit(np.concatenate([train, -train]), np.repeat([0, 1], len(train)))  # 1: right less wrong
    return ours @ model.coef_[0]
