from pathlib import PurePosixPath

import numpy as np
import pytest

from scmlab.benchmarks.cases import Case, algorithm_1_benchmark, case_accuracy, cases, shares
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.scoring import score_items
from scmlab.language.classify import classify_edit
from scmlab.language.parser import parse
from scmlab.language.pool import ConceptPool

CHASE = "A dog chasing a cat."
PAIRS = (
    ("swap", CHASE, "A cat chasing a dog."),
    ("swap", CHASE, "A dog biting a cat."),
    ("swap", CHASE, "A cat chasing a dog."),
    ("add", CHASE, "A brown dog chasing a cat."),
)
EXPECTED = [Case("swap", "object"), Case("replace", "relation"), Case("swap", "object"), Case("add", "attribute")]

POOL = ConceptPool.of(
    parse(f"A {colour} {one} {verb} a {other}.")
    for colour in ("brown", "black", "small")
    for verb in ("chasing", "biting", "watching")
    for one, other in (("dog", "cat"), ("horse", "sheep"), ("cow", "goat"))
)


def made(pairs=PAIRS):
    items = [
        Item(f"{name}/{row}", (ImageRef("coco", PurePosixPath(f"{row}.jpg")),), tuple(captions), ((0, 0),), name)
        for row, (name, *captions) in enumerate(pairs)
    ]
    return Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")


def test_cases_and_their_shares():
    found = cases(made())
    assert list(found) == EXPECTED
    rows = {(of.where, of.case): (of.count, of.of, of.share, of.se) for of in shares(made(), found)}
    assert rows["swap", EXPECTED[0]] == (2, 3, 2 / 3, pytest.approx((2 / 9 / 3) ** 0.5))
    assert rows["all", EXPECTED[3]] == (1, 4, 0.25, pytest.approx((3 / 16 / 4) ** 0.5))
    assert sum(share for (where, _), (*_, share, _) in rows.items() if where == "all") == 1


def test_items_with_several_wrong_captions_are_mixed_where_they_differ():
    both = made([("one", CHASE, *(pair[2] for pair in PAIRS[:2])), ("one", CHASE, *(pair[2] for pair in PAIRS[::2]))])
    assert cases(both) == (Case("mixed", None), EXPECTED[0])


def test_an_item_without_wrong_captions_is_no_case():
    assert cases(made([("one", CHASE)])) == (Case("none", None),)


def test_accuracy_per_case_leaves_missing_items_out():
    benchmark = made()
    scored = score_items(benchmark, [np.array([[1.0, 0.0]]), None, np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])])
    rows = {(of.where, of.case): of for of in case_accuracy(scored, cases(benchmark))}
    assert (rows["swap", EXPECTED[0]].accuracy, rows["swap", EXPECTED[0]].se) == (50, pytest.approx(50))
    assert rows["swap", EXPECTED[1]].scored == 0
    assert np.isnan(rows["all", EXPECTED[1]].accuracy)
    assert rows["all", EXPECTED[3]].accuracy == 100


def test_negatives_of_algorithm_1_stand_in_for_the_wrong_captions():
    benchmark = made()
    first, again, other = (algorithm_1_benchmark(benchmark, seed=seed, pool=POOL) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert len({item.key for item in first.items}) == len(first.items) >= 4
    images = {item.key: item.images for item in benchmark.items}
    for item in first.items:
        assert item.captions[0] == CHASE
        assert item.images == images[item.tags["source"]]
        found = classify_edit(*item.captions)
        assert item.category.split("_")[0] in ("swap", "replace", "add")
        assert found.operator != "none"
    score_items(first, [np.array([[1.0, 0.0]])] * len(first.items))


def test_rules_without_wrong_captions_or_images_are_refused(refuses):
    sts = Benchmark("sts", (), "similarity", "strict", "similarity/1")
    with refuses("`benchmark`", "sts"):
        cases(sts)
    with refuses("`benchmark`", "sts"):
        algorithm_1_benchmark(sts, seed=0)
    with refuses("`found`", 4, 1):
        shares(made(), EXPECTED[:1])
