import os
from itertools import pairwise
from math import comb, log
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

from scmlab.benchmarks.aggregates import AGGREGATES
from scmlab.benchmarks.blind import BLIND, blind_scores, blind_similarities, chance, is_right, names_for, score_blind
from scmlab.benchmarks.halves import halves
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.loaders.sugarcrepe import load_sugarcrepe
from scmlab.benchmarks.scoring import score_items

DATA = os.environ.get("SCMLAB_DATA")


def drawn(seed=0):
    return torch.Generator().manual_seed(seed)


def image(name):
    return ImageRef("coco", PurePosixPath(f"{name}.jpg"))


def choice(pairs, ties="strict"):
    items = [
        Item(f"one/{row}", (image(row),), tuple(pair), ((0, 0),), "one" if row % 2 else "two")
        for row, pair in enumerate(pairs)
    ]
    return Benchmark("made", tuple(items), "choice", ties, "accuracy/1")


ANIMALS = ("dog", "cat", "horse", "cow", "sheep", "bird", "goat", "hen")


def sentences(n):
    """n captions of a small grammar, all different, with their words in another order as the wrong ones."""
    made = []
    for row in range(n):
        one, other = ANIMALS[row % 8], ANIMALS[(row // 8) % 8]
        made.append((f"a {one} sees a {other} {row}", f"sees {row} a {other} a {one}"))
    return made


def group(n):
    items = [
        Item(f"w/{row}", (image(f"{row}a"), image(f"{row}b")), (f"a dog {row}", f"the long cat {row}"),
             ((0, 0), (1, 1)), "Object")
        for row in range(n)
    ]  # fmt: skip
    return Benchmark("groups", tuple(items), "group", "strict", "winoground/1")


def retrieval(captions):
    items = []
    for row, own in enumerate(captions):
        right = tuple((0, c) for c in range(len(own)))
        items.append(Item(f"r/{row}", (image(row),), tuple(own), right, "retrieval"))
    return Benchmark("found", tuple(items), "retrieval", "strict", "retrieval/1")


def test_length_counts_characters_without_spaces_at_the_ends():
    made = choice([("ab ", "abc"), ("abcd", "abc"), ("xyz", " abc")])
    short, long, half = (
        score_items(made, blind_similarities(made, blind_scores(made, name, generator=drawn())), ties=ties).correct
        for name, ties in (("shorter", None), ("longer", None), ("shorter", "half"))
    )
    assert short.tolist() == [1, 0, 0]
    assert long.tolist() == [0, 1, 0]
    assert half.tolist() == [1, 0, 0.5]


def test_the_bigram_score_is_the_mean_log_probability_by_the_other_half():
    made = choice(sentences(24))
    scores = blind_scores(made, "bigram", generator=drawn(3)).reshape(-1, 2)
    second = halves(made, generator=drawn(3)).second
    fitted = [["<", *item.captions[0].split(), ">"] for item, there in zip(made.items, second, strict=True) if there]
    words, pairs = {}, {}
    for caption in fitted:
        for word in caption:
            words[word] = words.get(word, 0) + 1
        for pair in pairwise(caption):
            pairs[pair] = pairs.get(pair, 0) + 1
    total = sum(len(caption) - 1 for caption in fitted)

    def mean(text):
        caption = ["<", *text.split(), ">"]
        logs = [
            log((pairs.get((a, b), 0) + 2 * (words.get(b, 0) + 0.5) / (total + 1)) / (words.get(a, 0) + 2))
            for a, b in pairwise(caption)
        ]
        return sum(logs) / len(logs)

    expected = [[mean(text) for text in i.captions] for i, there in zip(made.items, second, strict=True) if not there]
    found = scores[~second] - scores[~second][0, 0]
    np.testing.assert_allclose(found * 0.58, np.array(expected) - expected[0][0], atol=1e-9)


@pytest.mark.parametrize("name", ["bigram", "features"])
def test_shuffled_words_are_told_by_their_pairs_and_coins_are_not(name):
    made = choice(sentences(64))
    assert score_items(made, blind_similarities(made, blind_scores(made, name, generator=drawn()))).correct.mean() > 0.9
    flipped = [pair if row % 3 else pair[::-1] for row, pair in enumerate(sentences(64))]
    coin = choice([pair[::-1] if bit else pair for pair, bit in zip(flipped, np.arange(64) % 2, strict=True)])
    share = score_items(coin, blind_similarities(coin, blind_scores(coin, name, generator=drawn()))).correct.mean()
    assert 0.2 < share < 0.8


@pytest.mark.parametrize("name", ["bigram", "features", "typical", "direction"])
def test_a_half_is_not_scored_by_itself(name):
    """Other captions in one half change no score in it, up to the numbers of the other half."""
    pairs = sentences(40)
    second = halves(choice(pairs), generator=drawn(1)).second
    row = int(np.flatnonzero(second)[0])
    changed = [("a fish swims 99", "fish a 99") if place == row else pair for place, pair in enumerate(pairs)]
    codes = np.random.default_rng(0).normal(size=(80, 4)).astype(np.float32)
    other = codes.copy()
    other[2 * row] += 1
    before = blind_scores(choice(pairs), name, generator=drawn(1), codes=codes).reshape(-1, 2)
    after = blind_scores(choice(changed), name, generator=drawn(1), codes=other).reshape(-1, 2)
    kept = second.copy()
    kept[row] = False
    assert (before[kept] == after[kept]).all()
    assert not np.allclose(before[~second], after[~second])


def test_codes_along_the_means_of_the_other_half():
    made = choice(sentences(20))
    codes = np.random.default_rng(1).normal(size=(40, 5)).astype(np.float32)
    codes /= np.linalg.norm(codes, axis=1, keepdims=True)
    second = np.repeat(halves(made, generator=drawn(2)).second, 2)
    right = np.tile([True, False], 20)
    for name in ("typical", "direction"):
        found = blind_scores(made, name, generator=drawn(2), codes=codes)
        for half in (second, ~second):
            mean = codes[~half & right].mean(0)
            if name == "direction":
                mean = mean - codes[~half & ~right].mean(0)
            np.testing.assert_allclose(found[half], codes[half] @ mean / np.linalg.norm(mean), atol=1e-6)


def test_halves_share_neither_image_nor_caption():
    items = [
        Item(f"i/{row}", (image(row // 3),), (f"caption {row}", f"wrong {row // 5}"), ((0, 0),), "one")
        for row in range(120)
    ]
    made = Benchmark("shared", tuple(items), "choice", "strict", "accuracy/1")
    cut = halves(made, generator=drawn())
    assert cut.apart == "images and captions"
    assert 40 <= cut.second.sum() <= 80
    for things in (lambda i: i.images, lambda i: i.captions):
        one, other = ({t for i, s in zip(items, cut.second, strict=True) if s == h for t in things(i)} for h in (0, 1))
        assert not one & other
    again = halves(made, generator=drawn())
    assert (cut.second == again.second).all()


def test_a_caption_that_all_items_share_is_let_into_both_halves():
    shared = choice([(f"right {row}", "the same") for row in range(30)])
    cut = halves(shared, generator=drawn())
    assert (cut.apart, int(cut.second.sum())) == ("images", 15)
    one = Benchmark("one", tuple(Item(f"{r}", (image(0),), ("a", "b"), ((0, 0),), "") for r in range(8)), "choice",
                    "strict", "accuracy/1")  # fmt: skip
    cut = halves(one, generator=drawn())
    assert (cut.apart, int(cut.second.sum())) == ("nothing", 4)


def test_chance_is_what_random_scores_get():
    draws = np.random.default_rng(0)
    made = group(2000)
    random = score_items(made, [draws.normal(size=(2, 2)) for _ in made.items])
    expected = chance(made)
    for part in ("text", "image", "group"):
        assert abs(random.part(part).mean() - expected.part(part).mean()) < 0.03
    assert expected.correct[0] == 1 / 6
    three = choice([("a", "b", "c")] * 4)
    assert chance(three).correct.tolist() == [1 / 3] * 4
    assert chance(three).tied.sum() == 0
    found = chance(retrieval([[f"{row} {c}" for c in range(5)] for row in range(20)]))
    assert found.part("image_to_text_r5")[0] == pytest.approx(1 - comb(95, 5) / comb(100, 5))
    assert found.part("text_to_image_r10")[0] == pytest.approx(0.5)


def test_missing_images_are_no_options_of_a_gallery():
    made = retrieval([[f"{row} {c}" for c in range(5)] for row in range(20)])
    missing = np.arange(20) >= 5
    found = chance(made, missing)
    assert found.part("text_to_image_r1")[:5].tolist() == pytest.approx([1 / 5] * 5)
    assert found.part("image_to_text_r5")[0] == pytest.approx(1 - comb(95, 5) / comb(100, 5))  # all captions stay
    assert np.isnan(found.part("text_to_image_r1")[5:]).all()
    lengths = blind_scores(made, "shorter", generator=drawn())
    tied = score_items(made, blind_similarities(made, lengths, missing), ties="half")
    assert tied.part("text_to_image_r1")[:5].tolist() == pytest.approx([1 / 5] * 5)


def test_a_half_without_wrong_captions_tells_nothing():
    items = [Item(f"one/{row}", (image(row),), (f"a dog {row}",), ((0, 0),), "one") for row in range(4)]
    made = Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")
    for name in ("features", "direction"):
        found = blind_scores(made, name, generator=drawn(), codes=np.ones((4, 2), np.float32))
        assert found.tolist() == [0] * 4


def test_both_right_captions_by_chance_and_by_length():
    items = (Item("p/0", (image(0),), ("abc", "abcd", "abcde"), ((0, 0), (0, 1)), "one"),)
    made = Benchmark("pp", items, "both", "strict", "sugarcrepe_pp/1")
    assert chance(made).correct[0] == pytest.approx(1 / 3)
    assert chance(made).part("caption")[0] == 0.5
    found = score_blind(made, generator=drawn())
    assert found["shorter"].correct.tolist() == [1]
    assert found["longer"].correct.tolist() == [0]
    assert is_right(made).tolist() == [True, True, False]


def test_a_blind_scorer_gets_nothing_of_groups_and_one_caption_of_a_gallery():
    found = score_blind(group(6), generator=drawn())
    assert set(found) == {"shorter", "longer", "bigram", "chance"}
    assert found["shorter"].part("text").sum() == found["shorter"].part("image").sum() == 0
    ranked = score_blind(retrieval([["aa"], ["b"], ["cccc"], ["ddddd"]]), generator=drawn(), ties="half")
    assert ranked["shorter"].part("image_to_text_r1").tolist() == [0, 1, 0, 0]
    assert ranked["shorter"].part("text_to_image_r1").tolist() == [0.25] * 4


def test_closeness_in_length_is_a_similarity():
    items = tuple(
        Item(f"s/{row}", (), ("aaaa", "a" * (row + 1)), (), "sts", {"judgement": float(row)}) for row in range(4)
    )
    made = Benchmark("sts", items, "similarity", "strict", "similarity/1")
    assert names_for(made, codes=True) == ("shorter",)
    assert score_blind(made, generator=drawn())["shorter"].part("cosine").tolist() == [-3, -2, -1, 0]


def test_every_baseline_goes_through_the_aggregate_and_repeats():
    made = choice(sentences(30))
    codes = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    first, second = (score_blind(made, generator=drawn(), codes=codes) for _ in range(2))
    assert set(first) == {*BLIND, "chance"}
    for name in first:
        assert AGGREGATES["accuracy/1"](first[name]) == AGGREGATES["accuracy/1"](second[name])
    assert AGGREGATES["accuracy/1"](first["chance"]) == {"accuracy": 50, "one": 50, "two": 50}


def test_ties_of_what_is_blind_are_never_all_right():
    made = choice([("a dog", "dog a")] * 4, ties="first")
    assert score_blind(made, generator=drawn())["shorter"].correct.tolist() == [0.5] * 4
    assert score_blind(made, generator=drawn(), ties="first")["shorter"].correct.tolist() == [1] * 4


def test_what_a_rule_has_not_is_refused(refuses):
    with refuses("`name`", "shorter, longer, bigram", "direction"):
        blind_scores(choice(sentences(4)), "direction", generator=drawn())
    with refuses("`name`", "features"):
        blind_scores(group(4), "features", generator=drawn())
    with refuses("`codes`", 8, 3):
        blind_scores(choice(sentences(4)), "typical", generator=drawn(), codes=np.ones((3, 2), np.float32))
    with refuses("`benchmark`", "sts"):
        chance(Benchmark("sts", (), "similarity", "strict", "similarity/1"))


@pytest.mark.realdata
@pytest.mark.skipif(DATA is None, reason="SCMLAB_DATA is not set")
def test_the_shorter_caption_of_the_real_added_ones_is_nearly_always_right():
    made = load_sugarcrepe(Path(str(DATA), "sugarcrepe"))
    scored = score_items(made, blind_similarities(made, blind_scores(made, "shorter", generator=drawn())))
    found = AGGREGATES["sugarcrepe/1"](scored)
    for item, correct in zip(made.items, scored.correct, strict=True):
        assert correct == float(len(item.captions[0].strip()) < len(item.captions[1].strip()))
    assert found["add_obj"] > 98.8
    assert found["add_att"] > 99.5
