"""Scores per item by a benchmark's official rule, with the policy for ties said and their number counted."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
from jaxtyping import Bool, Float, Int64

from scmlab.benchmarks.item import Benchmark, Item, Ties
from scmlab.benchmarks.ranks import Gallery, Standing, place, recall, standings
from scmlab.benchmarks.rules import RULES, above, check_rule

RECALLS = (1, 5, 10)
HARMLESS = ("spaces around a caption",)
"""Kinds of defect that change no score: tokenizers strip captions."""

Matrix = np.ndarray | None
Block = tuple[Int64[np.ndarray, " g"], tuple[tuple[int, int], ...], Float[np.ndarray, "g i c"]]


@dataclass(frozen=True, eq=False)
class Scored:
    """What a model gets for each of a benchmark's n items, in the items' order.

    ties      the policy used: strict, first or half
    missing   an image of the item is not at hand: it is neither right nor wrong
    correct   credit in [0, 1]; NaN for missing items, and throughout for `similarity`, which has no right and wrong
    margin    right minus wrong score: the least of what must be positive for the item to be right; NaN for missing, and
              without a wrong one
    tied      some part of the item hangs on a tie: its margin is 0
    options   captions of the item
    parts     further numbers per item, NaN for what needs a missing image:
              group       text, image, group (which `correct` repeats)
              both        both (as `correct`), caption, caption2: each right caption alone; text_only with `texts`
              retrieval   image_to_text_r1, _r5, _r10, image_to_text_rank; text_to_image_r1, _r5, _r10: means over the
                          item's captions; `correct` and `margin` are those of image_to_text_r1
              similarity  cosine, judgement
    """

    benchmark: Benchmark
    ties: str
    missing: Bool[np.ndarray, " n"]
    correct: Float[np.ndarray, " n"]
    margin: Float[np.ndarray, " n"]
    tied: Bool[np.ndarray, " n"]
    options: Int64[np.ndarray, " n"]
    parts: Mapping[str, Float[np.ndarray, " n"]]

    def __len__(self) -> int:
        return len(self.missing)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Category of each item."""
        return tuple(item.category for item in self.benchmark.items)

    def part(self, name: str) -> Float[np.ndarray, " n"]:
        """`correct` or one of the parts. Errors: an unknown name."""
        if name != "correct" and name not in self.parts:
            raise ValueError(f"`part` must be one of {', '.join(('correct', *self.parts))}; got {name!r}.")
        return self.correct if name == "correct" else self.parts[name]

    def without(self, rows: Bool[np.ndarray, " n"]) -> "Scored":
        """The same items, these taken as missing: scores without what another model lacks, or without defects."""
        parts = {name: np.where(rows, np.nan, value) for name, value in self.parts.items()}
        correct, margin = (np.where(rows, np.nan, value) for value in (self.correct, self.margin))
        return replace(
            self,
            **{"missing": self.missing | rows, "correct": correct, "margin": margin, "tied": self.tied & ~rows},
            parts=MappingProxyType(parts),
        )


def score_items(
    benchmark: Benchmark,
    similarities: Sequence[Any] | Gallery,
    *,
    ties: str | None = None,
    texts: Sequence[Any] | None = None,
) -> Scored:
    """Each item by the benchmark's rule. A missing item is marked, never dropped and never wrong.

    choice      s(right) above every s(wrong); without a wrong one it is right, as the first of one
    group       text: of each image its caption above the others; image: of each caption its image; group: both
    both        every right caption above every wrong one; with `texts` also t(0, 1) above t(0, 2) and t(1, 2)
    retrieval   ranks among all captions, and among all images
    similarity  t(0, 1), to be correlated with the judgement

    similarities  per item s as Float[images captions], None for a missing item; for `similarity` t as Float[2 2];
                  for `retrieval` a Gallery
    ties          what an exact tie counts. strict: wrong; first: right where the right one comes first, as of an
                  argmax; half: 1 / number of equally probable orders of the tied options of which one is right, and of
                  a group the product over its comparisons. Without it the official policy
    texts         per item cosines between its captions, Float[captions captions]
    Errors: another number of matrices than items, a shape that is not the item's, a value that is not finite, an item
    whose right pairs are none of its rule; the message names the item.
    """
    policy = benchmark.ties if ties is None else ties
    if policy not in get_args(Ties):
        raise ValueError(f"`ties` must be one of {', '.join(get_args(Ties))}; got {policy!r}.")
    if benchmark.rule == "retrieval":
        return _ranked(benchmark, similarities, _standings(benchmark, similarities), policy)
    if isinstance(similarities, Gallery):
        raise ValueError(f"`similarities` must be one matrix per item for the rule {benchmark.rule}; got a gallery.")
    found: dict[str, np.ndarray] = defaultdict(lambda: np.full((2, len(benchmark.items)), np.nan))
    _ = found["correct"]  # also where all items are missing
    unseen = benchmark.rule == "similarity"
    for rows, right, scores in _blocks(benchmark, similarities, "similarities", between_captions=unseen):
        for name, credit_and_margin in RULES[benchmark.rule](scores, right, policy).items():
            found[name][:, rows] = credit_and_margin
    if texts is not None and benchmark.rule == "both":
        for rows, _, scores in _blocks(benchmark, texts, "texts", between_captions=True):
            options = np.stack([scores[:, 0, 1], scores[:, 0, 2], scores[:, 1, 2]], 1)
            found["text_only"][:, rows] = above(options, [0], [1, 2], policy)
    return _scored(benchmark, policy, [matrix is None for matrix in similarities], found)


def score_by_policy(
    benchmark: Benchmark, similarities: Sequence[Any] | Gallery, *, texts: Sequence[Any] | None = None
) -> dict[str, Scored]:
    """`score_items` by each policy for ties; of `retrieval`, whose ranks take long, they are counted once."""
    if benchmark.rule == "retrieval":
        standing = _standings(benchmark, similarities)
        return {ties: _ranked(benchmark, similarities, standing, ties) for ties in get_args(Ties)}
    return {ties: score_items(benchmark, similarities, ties=ties, texts=texts) for ties in get_args(Ties)}


def counts(scored: Scored) -> dict[str, int]:
    """How many items there are, are scored, missing, hang on a tie, are defective but for spaces, are duplicates."""
    kinds = [_kinds(item) for item in scored.benchmark.items]
    return {
        "items": len(scored),
        "scored": int((~scored.missing).sum()),
        "missing": int(scored.missing.sum()),
        "tied": int(scored.tied.sum()),
        "defective": sum(bool(kind - {*HARMLESS, "duplicate"}) for kind in kinds),
        "duplicates": sum("duplicate" in kind for kind in kinds),
    }


def defect_kinds(benchmark: Benchmark) -> dict[str, int]:
    """Number of items with each kind of defect; an item may have several."""
    return dict(sorted(Counter(kind for item in benchmark.items for kind in _kinds(item)).items()))


def flawed(benchmark: Benchmark) -> Bool[np.ndarray, " n"]:
    """Which items are defective, but for spaces, or duplicates."""
    return np.array([bool(_kinds(item) - set(HARMLESS)) for item in benchmark.items], dtype=bool)


def _kinds(item: Item) -> set[str]:
    kinds = filter(None, item.defect.split("; "))
    return {"duplicate" if kind.startswith("duplicate of ") else kind for kind in kinds}


def _standings(benchmark: Benchmark, gallery: Any) -> tuple[Standing, Standing]:
    """Of the images, of the captions. Errors: none or another gallery than the benchmark's."""
    if not isinstance(gallery, Gallery):
        raise ValueError(f"`similarities` must be a gallery for the rule retrieval; got {type(gallery).__name__}.")
    items = benchmark.items
    for item in items:
        check_rule(item, "retrieval")
    owner = owners(benchmark)
    sizes = (len(gallery.images), len(gallery.captions), len(gallery.present))
    if sizes != (len(items), len(owner), len(items)):
        raise ValueError(
            f"`similarities` must hold {len(items)} images and {len(owner)} captions, as the benchmark; got "
            f"{sizes[0]} and {sizes[1]}."
        )
    for name, codes, rows in (("images", gallery.images, gallery.present), ("captions", gallery.captions, slice(None))):
        if not np.isfinite(codes[rows]).all():
            raise ValueError(f"`similarities` must be finite; got NaN or infinity among the codes of {name}.")
    return standings(gallery, owner)


def owners(benchmark: Benchmark) -> Int64[np.ndarray, " m"]:
    """Item of each caption."""
    return np.repeat(np.arange(len(benchmark.items)), [len(item.captions) for item in benchmark.items])


def _ranked(benchmark: Benchmark, gallery: Gallery, standing: tuple[Standing, Standing], ties: str) -> Scored:
    (image, caption), owner, n = standing, owners(benchmark), len(benchmark.items)
    each = np.bincount(owner, minlength=n)
    found = {f"image_to_text_r{k}": recall(image, k, ties) for k in RECALLS}
    found |= {f"text_to_image_r{k}": np.bincount(owner, recall(caption, k, ties), n) / each for k in RECALLS}
    found["image_to_text_rank"] = place(image, ties)
    found = {name: np.where(gallery.present, values, np.nan) for name, values in found.items()}
    tied = ((image.equal > 0) | (np.bincount(owner, caption.equal > 0, n) > 0)) & gallery.present
    correct, missing = found["image_to_text_r1"], ~gallery.present
    return Scored(benchmark, ties, missing, correct, image.margin, tied, each, MappingProxyType(found))


def _scored(benchmark: Benchmark, ties: str, missing: Sequence[bool], found: Mapping[str, np.ndarray]) -> Scored:
    """found: name -> credit and margin, Float64[2 n]; NaN where nothing was scored."""
    parts = {name: credit for name, (credit, _) in found.items() if name != "correct"}
    if benchmark.rule == "similarity":
        parts["judgement"] = np.array([float(item.tags["judgement"]) for item in benchmark.items])
    tied = np.any([margin == 0 for _, margin in found.values()], axis=0)
    options = np.array([len(item.captions) for item in benchmark.items], dtype=np.int64)
    return Scored(benchmark, ties, np.array(missing, bool), *found["correct"], tied, options, MappingProxyType(parts))


def _blocks(benchmark: Benchmark, matrices: Sequence[Any], name: str, *, between_captions: bool) -> Iterator[Block]:
    """Items of one shape and one set of right pairs at a time, their matrices stacked in float64."""
    if len(matrices) != (n := len(benchmark.items)):
        raise ValueError(f"`{name}` must hold one matrix for each of {n} items; got {len(matrices)}.")
    alike: dict[tuple, list[int]] = {}
    for row, (item, matrix) in enumerate(zip(benchmark.items, matrices, strict=True)):
        captions = len(item.captions)
        shape = (captions if between_captions else len(item.images), captions)
        key = (shape, item.right)
        if key not in alike:
            check_rule(item, benchmark.rule)
        if matrix is None:
            continue
        if tuple(np.shape(matrix)) != shape:
            raise ValueError(
                f"`{name}` must be of the shape {shape} for item {item.key}; got {tuple(np.shape(matrix))}."
            )
        alike.setdefault(key, []).append(row)
    for (_, right), rows in alike.items():
        stacked = np.stack([np.asarray(matrices[row]) for row in rows]).astype(np.float64)
        finite = np.isfinite(stacked).all((1, 2))
        if not finite.all():
            key = benchmark.items[rows[int(finite.argmin())]].key
            raise ValueError(f"`{name}` must be finite; got NaN or infinity for item {key}.")
        yield np.array(rows), right, stacked
