"""Which operator makes each item's wrong caption, accuracy per such case, and Algorithm 1's negatives instead."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.scoring import Scored
from scmlab.language.algorithm_1 import NegativeOptions, hard_negatives
from scmlab.language.classify import classify_edit
from scmlab.language.parser import parse
from scmlab.language.pool import ConceptPool
from scmlab.language.stream import draws

MIXED = "mixed"
"""Of an item whose wrong captions are different cases."""


@dataclass(frozen=True)
class Case:
    """What turns an item's right caption into its wrong one, as of `classify_edit`; category None with "none"."""

    operator: str
    category: str | None


@dataclass(frozen=True)
class Share:
    """How many of a category's items are a case; share in [0, 1], se as of independent items."""

    where: str
    case: Case
    count: int
    of: int
    share: float
    se: float


@dataclass(frozen=True)
class CaseAccuracy:
    """Mean credit of a case's scored items, in percent, with its standard error; NaN where too few are scored."""

    where: str
    case: Case
    scored: int
    accuracy: float
    se: float


def cases(benchmark: Benchmark) -> tuple[Case, ...]:
    """Of each item. A group of two: what turns its first caption into its second; `both`: from the first right one;
    "none" without a wrong caption.

    Errors: rules without wrong captions.
    """
    if benchmark.rule not in ("choice", "both", "group"):
        raise ValueError(f"`benchmark` must have wrong captions; got {benchmark.name}, of the rule {benchmark.rule}.")
    known: dict[tuple[str, str], Case] = {}

    def case(one: str, other: str) -> Case:
        if (one, other) not in known:
            found = classify_edit(one, other)
            known[one, other] = Case(found.operator, found.category)
        return known[one, other]

    found = []
    for item in benchmark.items:
        right = _right(item)
        others = range(1, len(item.captions)) if benchmark.rule == "group" else _wrong(item)
        kinds = {case(item.captions[right], item.captions[other]) for other in others}
        found.append(Case(MIXED, None) if len(kinds) > 1 else kinds.pop() if kinds else Case("none", None))
    return tuple(found)


def shares(benchmark: Benchmark, found: Sequence[Case]) -> list[Share]:
    """Per category of the benchmark, and for "all", the share of each case, the most frequent first."""
    made = []
    for where, rows in _places(benchmark, found).items():
        counts = Counter(found[row] for row in rows)
        for case, count in sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0]))):
            share = count / len(rows)
            made.append(Share(where, case, count, len(rows), share, math.sqrt(share * (1 - share) / len(rows))))
    return made


def case_accuracy(scored: Scored, found: Sequence[Case]) -> list[CaseAccuracy]:
    """Per category of the benchmark, and for "all", the accuracy on the items of each case; missing items left out."""
    made = []
    for where, rows in _places(scored.benchmark, found).items():
        of_case: dict[Case, list[int]] = {}
        for row in rows:
            of_case.setdefault(found[row], []).append(row)
        for case, places in sorted(of_case.items(), key=lambda pair: (-len(pair[1]), str(pair[0]))):
            credit = 100 * scored.correct[[row for row in places if not scored.missing[row]]]
            n = len(credit)
            mean = float(credit.mean()) if n else math.nan
            error = float(credit.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
            made.append(CaseAccuracy(where, case, n, mean, error))
    return made


def algorithm_1_benchmark(
    benchmark: Benchmark, *, seed: int, options: NegativeOptions | None = None, pool: ConceptPool | None = None
) -> Benchmark:
    """The same images and right captions, each with the hard negatives of Algorithm 1, one `choice` of two for each.

    An image with a right caption counts once, however many items it stands in. category "operator_category" of the last
    edit ("swap_object"); tags: source (key of the item), source_category, steps. Captions without negatives have no
    item. The wrong one stands second; ties are strict.
    seed  of the stream (seed, row) of each caption
    pool  concepts to draw from; without it those of the benchmark's right captions
    Errors: rules without an image.
    """
    if benchmark.rule == "similarity":
        raise ValueError(f"`benchmark` must have images; got {benchmark.name}, of the rule similarity.")
    stand = {}
    for item in benchmark.items:
        for image, caption in item.right:
            stand.setdefault((item.images[image], item.captions[caption]), item)
    if pool is None:
        pool = ConceptPool.of(parse(caption) for caption in dict.fromkeys(caption for _, caption in stand))
    of_image: dict = {}
    for image, caption in stand:
        of_image.setdefault(image, []).append(caption)
    items = []
    for row, ((image, caption), item) in enumerate(stand.items()):
        stream = draws(seed, row, "benchmark", benchmark.name)
        made = hard_negatives(
            caption, options or NegativeOptions(), generator=stream, pool=pool, must_differ_from=of_image[image]
        )
        for place, negative in enumerate(made):
            last = negative.trace[-1]
            tags = {"source": item.key, "source_category": item.category, "steps": float(len(negative.trace))}
            captions, kind = (caption, negative.edited), f"{last.operator}_{last.category}"
            items.append(Item(f"{item.key}/{row}.{place}", (image,), captions, ((0, 0),), kind, tags))
    return Benchmark(f"{benchmark.name}_algorithm_1", tuple(items), "choice", "strict", "accuracy/1")


def _right(item: Item) -> int:
    return item.right[0][1]


def _wrong(item: Item) -> list[int]:
    right = {caption for _, caption in item.right}
    return [caption for caption in range(len(item.captions)) if caption not in right]


def _places(benchmark: Benchmark, found: Sequence[Case]) -> dict[str, np.ndarray]:
    """Rows of each category, and of all. Errors: another number of cases than items."""
    if len(found) != len(benchmark.items):
        raise ValueError(f"`found` must hold a case for each of {len(benchmark.items)} items; got {len(found)}.")
    places: dict[str, list[int]] = {}
    for row, item in enumerate(benchmark.items):
        places.setdefault(item.category, []).append(row)
    everything = {"all": np.arange(len(benchmark.items))} if benchmark.items else {}
    return {name: np.array(rows) for name, rows in places.items()} | everything
