from dataclasses import replace
from itertools import permutations, product
from pathlib import PurePosixPath

import numpy as np
import pytest
import torch

from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.ranks import Gallery
from scmlab.benchmarks.scoring import counts, defect_kinds, score_by_policy, score_items

POLICIES = ("strict", "first", "half")


def item(number: int, images: int, captions: int, right: tuple[tuple[int, int], ...], **more: object) -> Item:
    refs = tuple(ImageRef("root", PurePosixPath(f"{number}_{i}.png")) for i in range(images))
    return Item(f"item/{number}", refs, tuple(f"caption {number} {c}" for c in range(captions)), right, "all", **more)


def benchmark(rule: str, items: list[Item], ties: str = "strict") -> Benchmark:
    return Benchmark("made", tuple(items), rule, ties, "accuracy/1")


def drawn(n: int, *shape: int, levels: int = 3) -> list[np.ndarray]:
    """Scores of few levels, so that ties are frequent."""
    random = np.random.default_rng(0)
    return list((random.integers(0, levels, (n, *shape)) / 4).astype(np.float32))


def resolved(scores: list[float], rule) -> float:
    """Mean of a strict rule over all orders in which equal scores may stand."""
    orders = list(permutations(range(len(scores))))
    return sum(bool(rule([s + 1e-6 * o for s, o in zip(scores, order, strict=True)])) for order in orders) / len(orders)


def chosen(scores: list[float], right: int, ties: str) -> float:
    """The choice among options, written out."""
    if ties == "strict":
        return float(all(scores[right] > s for i, s in enumerate(scores) if i != right))
    if ties == "first":
        best = 0
        for i, s in enumerate(scores):
            if s > scores[best]:
                best = i
        return float(best == right)
    best = max(scores)
    return 1 / scores.count(best) if scores[right] == best else 0.0


@pytest.mark.parametrize("ties", POLICIES)
@pytest.mark.parametrize(("captions", "right"), [(2, 0), (2, 1), (5, 0), (4, 2)])
def test_a_choice_is_that_of_the_rule_written_out(ties, captions, right):
    scores = drawn(200, 1, captions)
    scored = score_items(benchmark("choice", [item(i, 1, captions, ((0, right),)) for i in range(200)], ties), scores)
    assert scored.ties == ties
    for row, (s,) in enumerate(scores):
        assert scored.correct[row] == pytest.approx(chosen(s.tolist(), right, ties))
        wrong = max(np.delete(s, right))
        assert scored.margin[row] == pytest.approx(s[right] - wrong)
        assert scored.tied[row] == (s[right] == wrong)
    assert 20 < scored.tied.sum() < 180
    assert (scored.options == captions).all()


@pytest.mark.parametrize("ties", POLICIES)
def test_a_choice_without_a_wrong_caption_is_right_and_ties_with_nothing(ties):
    items = [item(0, 1, 1, ((0, 0),)), item(1, 1, 2, ((0, 0),)), item(2, 1, 1, ((0, 0),))]
    scored = score_items(benchmark("choice", items, ties), [np.zeros((1, 1)), np.array([[0.0, 1.0]]), None])
    assert scored.correct[:2].tolist() == [1, 0]
    assert np.isnan([*scored.margin[[0, 2]], scored.correct[2]]).all()
    assert not scored.tied.any()


def test_half_is_the_mean_over_all_orders_of_tied_options():
    scores = drawn(60, 1, 4)
    scored = score_items(benchmark("choice", [item(i, 1, 4, ((0, 1),)) for i in range(60)]), scores, ties="half")
    for row, (s,) in enumerate(scores):
        expected = resolved(s.tolist(), lambda s: s[1] == max(s))
        assert scored.correct[row] == pytest.approx(expected)


def test_official_policies_decide_a_tie_of_the_first_caption():
    tied, items = [np.zeros((1, 2), np.float32)], [item(0, 1, 2, ((0, 0),))]
    credit = {ties: score_items(benchmark("choice", items, ties), tied).correct[0] for ties in POLICIES}
    assert credit == {"strict": 0.0, "first": 1.0, "half": 0.5}


@pytest.mark.parametrize("ties", POLICIES)
def test_text_image_and_group_are_those_of_the_rule_written_out(ties):
    scores, right = drawn(300, 2, 2), ((0, 0), (1, 1))
    scored = score_items(benchmark("group", [item(i, 2, 2, right) for i in range(300)], ties), scores)
    for row, s in enumerate(scores.copy()):
        s = s.tolist()
        text = chosen(s[0], 0, ties) * chosen(s[1], 1, ties)
        image = chosen([s[0][0], s[1][0]], 0, ties) * chosen([s[0][1], s[1][1]], 1, ties)
        assert scored.parts["text"][row] == text
        assert scored.parts["image"][row] == image
        assert scored.parts["group"][row] == scored.correct[row] == text * image
        assert bool(scored.margin[row] > 0) == (score_strict_group(s) == 1)


def score_strict_group(s: list[list[float]]) -> int:
    text = s[0][0] > s[0][1] and s[1][1] > s[1][0]
    image = s[0][0] > s[1][0] and s[1][1] > s[0][1]
    return int(text and image)


def test_pairs_of_a_group_may_be_crossed():
    crossed = benchmark("group", [item(0, 2, 2, ((0, 1), (1, 0)))])
    assert score_items(crossed, [np.array([[0.0, 1.0], [1.0, 0.0]])]).correct[0] == 1
    assert score_items(crossed, [np.eye(2)]).correct[0] == 0


@pytest.mark.parametrize("ties", POLICIES)
def test_both_captions_must_beat_the_negative(ties):
    scores, right = drawn(200, 1, 3), ((0, 0), (0, 1))
    texts = [t + t.T for t in drawn(200, 3, 3)]
    items = [item(i, 1, 3, right) for i in range(200)]
    scored = score_items(benchmark("both", items, ties), scores, texts=texts)
    strict = {
        "both": lambda s: s[0] > s[2] and s[1] > s[2],
        "caption": lambda s: s[0] > s[2],
        "caption2": lambda s: s[1] > s[2],
    }
    lenient = {
        "both": lambda s: s[0] >= s[2] and s[1] >= s[2],
        "caption": lambda s: s[0] >= s[2],
        "caption2": lambda s: s[1] >= s[2],
    }
    for row, (s,) in enumerate(scores):
        t = texts[row]
        pairs = [t[0, 1], t[0, 2], t[1, 2]]
        for part in strict:
            if ties == "half":
                expected = resolved(s.tolist(), strict[part])
            else:
                expected = float({"strict": strict, "first": lenient}[ties][part](s))
            assert scored.parts[part][row] == pytest.approx(expected)
        assert scored.parts["text_only"][row] == pytest.approx(chosen(pairs, 0, ties))
        assert scored.correct[row] == scored.parts["both"][row]


def gallery(n: int, each: list[int], *, present: list[bool] | None = None, levels: int = 2) -> Gallery:
    random = np.random.default_rng(1)

    def codes(rows: int) -> np.ndarray:
        return (random.integers(-levels, levels + 1, (rows, 2)) / 4).astype(np.float32)

    return Gallery(codes(n), codes(sum(each)), np.array(present or [True] * n))


def ranks(scores: list[float], right: list[int], k: int, ties: str) -> float:
    """Whether one of the right options is among the k best."""
    if ties == "half":
        orders = list(permutations(range(len(scores))))
        hits = 0
        for order in orders:
            best = sorted(range(len(scores)), key=lambda i, order=order: (-scores[i], order[i]))[:k]
            hits += any(i in right for i in best)
        return hits / len(orders)
    if ties == "first":
        best = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]  # stable
    else:
        best = sorted(range(len(scores)), key=lambda i: (-scores[i], i in right))[:k]
    return float(any(i in right for i in best))


@pytest.mark.parametrize("ties", POLICIES)
def test_retrieval_ranks_are_those_of_the_whole_matrix(ties):
    each = [2, 1, 3]
    owner = [i for i, count in enumerate(each) for _ in range(count)]
    items = [item(i, 1, count, tuple((0, c) for c in range(count))) for i, count in enumerate(each)]
    random = np.random.default_rng(2)
    some_tied = 0
    for _ in range(12):
        made = Gallery(*(random.integers(-1, 2, (m, 2)).astype(np.float32) for m in (3, 6)), np.ones(3, bool))
        matrix = made.images @ made.captions.T
        scored = score_items(benchmark("retrieval", items, ties), made)
        some_tied += int(scored.tied.sum())
        for i in range(3):
            own = [c for c in range(6) if owner[c] == i]
            for k in (1, 5):
                found = ranks(matrix[i].tolist(), own, k, ties)
                assert scored.parts[f"image_to_text_r{k}"][i] == pytest.approx(found)
                back = np.mean([ranks(matrix[:, c].tolist(), [i], k, ties) for c in own])
                assert scored.parts[f"text_to_image_r{k}"][i] == pytest.approx(back)
            assert scored.correct[i] == scored.parts["image_to_text_r1"][i]
            assert scored.margin[i] == max(matrix[i][own]) - max(np.delete(matrix[i], own))
    assert some_tied


def test_all_policies_at_once_are_each_by_itself():
    items = [item(i, 1, 2, ((0, 0), (0, 1))) for i in range(20)]
    ranked = benchmark("retrieval", items), gallery(20, [2] * 20, present=[i != 3 for i in range(20)])
    chosen_ = benchmark("choice", [item(i, 1, 3, ((0, 1),)) for i in range(50)], "first"), drawn(50, 1, 3)
    for of, scores in (ranked, chosen_):
        found = score_by_policy(of, scores)
        assert tuple(found) == POLICIES
        for ties, one in found.items():
            alone = score_items(of, scores, ties=ties)
            assert one.ties == ties
            np.testing.assert_array_equal(one.correct, alone.correct)
            for part, values in alone.parts.items():
                np.testing.assert_array_equal(one.parts[part], values)
        assert found["strict"].correct.tolist() != found["first"].correct.tolist()


def test_blocks_of_the_gallery_change_nothing(monkeypatch):
    each = [1, 2, 3] * 5
    items = [item(i, 1, count, tuple((0, c) for c in range(count))) for i, count in enumerate(each)]
    made = gallery(15, each, present=[i % 4 != 1 for i in range(15)])
    whole = score_items(benchmark("retrieval", items), made, ties="first")
    monkeypatch.setattr("scmlab.benchmarks.ranks.IMAGES", 4)
    monkeypatch.setattr("scmlab.benchmarks.ranks.CAPTIONS", 7)
    parts = score_items(benchmark("retrieval", items), made, ties="first")
    for name, value in whole.parts.items():
        np.testing.assert_array_equal(value, parts.parts[name])
    np.testing.assert_array_equal(whole.margin, parts.margin)


def test_captions_of_a_missing_image_stay_in_the_gallery():
    items = [item(i, 1, 1, ((0, 0),)) for i in range(2)]
    codes = np.eye(2, dtype=np.float32)
    made = Gallery(codes, codes[::-1].copy(), np.array([True, False]))
    scored = score_items(benchmark("retrieval", items), made)
    assert scored.missing.tolist() == [False, True]
    assert scored.correct[0] == 0  # its distractor is the caption of the missing image
    assert scored.parts["text_to_image_r1"][0] == 1  # the missing image is none
    assert np.isnan(scored.correct[1])
    assert np.isnan(scored.parts["text_to_image_r1"][1])


def test_equal_captions_tie_wherever_they_stand():
    random = np.random.default_rng(3)
    captions = random.standard_normal((301, 37)).astype(np.float32)
    captions[[0, 150, 300]] = captions[0]
    images = random.standard_normal((301, 37)).astype(np.float32)
    items = [item(i, 1, 1, ((0, 0),)) for i in range(301)]
    scored = score_items(benchmark("retrieval", items), Gallery(images, captions, np.ones(301, bool)), ties="half")
    whole = (images.astype(np.float64) @ captions.astype(np.float64).T).astype(np.float32)
    above = (whole > whole.diagonal()[:, None]).sum(1)
    np.testing.assert_array_equal(scored.parts["image_to_text_rank"][[0, 150, 300]], above[[0, 150, 300]] + 2.0)


def test_a_similarity_is_the_cosine_of_the_two_captions():
    items = [replace(item(i, 0, 2, ()), tags={"judgement": float(i)}) for i in range(3)]
    scored = score_items(benchmark("similarity", items), [np.array([[1.0, 0.1 * i], [0.1 * i, 1.0]]) for i in range(3)])
    assert scored.parts["cosine"].tolist() == pytest.approx([0, 0.1, 0.2])
    assert scored.parts["judgement"].tolist() == [0, 1, 2]
    assert np.isnan(scored.correct).all()


def test_missing_items_are_neither_right_nor_wrong_and_all_are_counted():
    defects = [
        "",
        "positive equals negative",
        "spaces around a caption",
        "spaces around a caption; duplicate of item/0",
    ]
    items = [item(i, 1, 2, ((0, 0),), defect=defect) for i, defect in enumerate(defects)]
    scores = [np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]), None, np.array([[0.0, 1.0]])]
    scored = score_items(benchmark("choice", items), scores)
    assert scored.missing.tolist() == [False, False, True, False]
    np.testing.assert_array_equal(scored.correct, [1, 0, np.nan, 0])
    np.testing.assert_array_equal(scored.margin, [1, 0, np.nan, -1])
    assert counts(scored) == {"items": 4, "scored": 3, "missing": 1, "tied": 1, "defective": 1, "duplicates": 1}
    assert defect_kinds(scored.benchmark) == {
        "duplicate": 1,
        "positive equals negative": 1,
        "spaces around a caption": 2,
    }
    assert score_items(benchmark("choice", items), [None] * 4).missing.all()


def test_items_left_out_are_missing():
    scored = score_items(benchmark("choice", [item(i, 1, 2, ((0, 0),)) for i in range(2)]), [np.zeros((1, 2))] * 2)
    without = scored.without(np.array([True, False]))
    assert without.missing.tolist() == [True, False]
    assert without.tied.tolist() == [False, True]
    np.testing.assert_array_equal(without.correct, [np.nan, 0])


def test_items_of_several_shapes_keep_their_order():
    shapes = [2, 5, 2, 3, 5]
    scores = [drawn(5, 1, c)[i] for i, c in enumerate(shapes)]
    scored = score_items(benchmark("choice", [item(i, 1, c, ((0, 0),)) for i, c in enumerate(shapes)]), scores)
    assert scored.options.tolist() == shapes
    assert scored.correct.tolist() == [chosen(s[0].tolist(), 0, "strict") for s in scores]


def test_tensors_are_taken_and_precision_is_kept():
    close = torch.tensor([[1.0, 1.0 - 2.0**-24]], dtype=torch.float32)
    assert score_items(benchmark("choice", [item(0, 1, 2, ((0, 0),))]), [close]).correct[0] == 1


def test_what_does_not_fit_is_refused(refuses):
    choice = benchmark("choice", [item(0, 1, 2, ((0, 0),)), item(1, 1, 2, ((0, 0),))])
    good = np.zeros((1, 2))
    with refuses("ties", "strict, first, half", "'last'"):
        score_items(choice, [good, good], ties="last")
    with refuses("one matrix for each of 2 items", "got 1"):
        score_items(choice, [good])
    with refuses("(1, 2)", "item/1", "(2, 1)"):
        score_items(choice, [good, good.T])
    with refuses("finite", "item/1"):
        score_items(choice, [good, np.array([[0.0, np.nan]])])
    with refuses("got a gallery"):
        score_items(choice, gallery(2, [1, 1]))
    with refuses("texts", "got 1"):
        score_items(
            benchmark("both", [item(i, 1, 3, ((0, 0), (0, 1))) for i in range(2)]), drawn(2, 1, 3), texts=[None]
        )
    with refuses("correct, text, image, group", "'texts'"):
        score_items(benchmark("group", [item(0, 2, 2, ((0, 0), (1, 1)))]), [np.eye(2)]).part("texts")


@pytest.mark.parametrize(
    ("rule", "images", "captions", "right"),
    [
        ("choice", 2, 2, ((0, 0),)),
        ("choice", 1, 1, ()),
        ("choice", 1, 2, ((0, 0), (0, 1))),
        ("choice", 1, 2, ((0, 2),)),
        ("group", 2, 2, ((0, 0),)),
        ("group", 2, 2, ((0, 0), (1, 0))),
        ("both", 1, 3, ((0, 0),)),
        ("similarity", 1, 2, ()),
    ],
)
def test_right_pairs_that_are_none_of_the_rule_are_refused(refuses, rule, images, captions, right):
    with refuses("`right`", "item/0", rule):
        score_items(benchmark(rule, [item(0, images, captions, right)]), [None])


def test_a_gallery_that_is_not_the_benchmarks_is_refused(refuses):
    items = [item(i, 1, 2, ((0, 0), (0, 1))) for i in range(2)]
    with refuses("2 images and 4 captions", "got 2 and 3"):
        score_items(benchmark("retrieval", items), gallery(2, [1, 2]))
    with refuses("must be a gallery", "list"):
        score_items(benchmark("retrieval", items), [None, None])
    broken = gallery(2, [2, 2])
    broken.captions[1] = np.nan
    with refuses("finite", "captions"):
        score_items(benchmark("retrieval", items), broken)
    with refuses("item/0", "retrieval"):
        score_items(benchmark("retrieval", [item(0, 1, 2, ((0, 0),))]), gallery(1, [2]))


def test_every_outcome_of_three_levels_agrees_with_the_rule():
    """All 2 x 2 matrices of three levels: nothing is left to the draw."""
    levels = [np.array(values, dtype=np.float32).reshape(2, 2) for values in product((0.0, 0.5, 1.0), repeat=4)]
    items = [item(i, 2, 2, ((0, 0), (1, 1))) for i in range(len(levels))]
    scored = score_items(benchmark("group", items), levels)
    assert scored.correct.tolist() == [score_strict_group(s.tolist()) for s in levels]
