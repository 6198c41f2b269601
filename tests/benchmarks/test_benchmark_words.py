"""Cosines of captions with their own words, against a plain loop."""

from pathlib import PurePosixPath
from statistics import mean, stdev

import numpy as np
import pytest

from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.embed import embed_captions
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.models import Model
from scmlab.benchmarks.words import right_captions, word_cosines
from scmlab.language import parse

CAPTIONS = [
    "A man holding a red umbrella next to a fire hydrant.",
    "a brown dog on a wooden table",
    "The dog is lying on a couch and a dog is on the floor",
    "two people",
    "hello there",
]


def letters(text: str) -> np.ndarray:
    """A code that depends on every letter and its place."""
    code = np.ones(16, np.float32)
    for place, letter in enumerate(text):
        code[(ord(letter) + place) % 16] += 1
    return code


class Letters:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode_text(self, captions: list[str]) -> np.ndarray:
        self.seen += captions
        return np.stack([letters(caption) for caption in captions])


def model(made: Letters, identity: str = "") -> Model:
    return Model("letters", identity, "", lambda image: image, lambda images: None, made.encode_text)


def benchmark(captions: list[str], rule: str = "choice") -> Benchmark:
    image = (ImageRef("root", PurePosixPath("a.png")),)
    items = [
        Item(str(i), image, (f"wrong {i}", caption, f"a green one {i}"), ((0, 1),), "all")
        for i, caption in enumerate(captions)
    ]
    return Benchmark("made", tuple(items), rule, "strict", "accuracy/1")


def cosine(one: str, other: str) -> float:
    a, b = (letters(text).astype(np.float64) for text in (one, other))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def slow(captions: list[str], kind: str) -> dict:
    parses = [parse(caption) for caption in captions]
    own = [[p.text(c) for c in p.concepts if c.category == kind] for p in parses]
    means, others = [], []
    for caption, phrases in zip(captions, own, strict=True):
        if phrases:
            means.append(mean(cosine(caption, phrase) for phrase in phrases))
            foreign = [text for texts in own for text in texts if text not in phrases]
            if foreign:
                others.append(mean(cosine(caption, text) for text in foreign))
    return {
        "word_class": kind,
        "cosine": mean(means),
        "se": stdev(means) / len(means) ** 0.5,
        "others": mean(others),
        "captions": len(means),
        "words": len({text for texts in own for text in texts}),
    }


def test_cosines_are_those_of_a_loop_over_captions_and_phrases():
    made = model(Letters())
    found = word_cosines(made, benchmark(CAPTIONS), Cache(None, made), batch=3)
    assert [entry["word_class"] for entry in found] == ["object", "attribute", "relation"]
    for entry in found:
        expected = slow(CAPTIONS, entry["word_class"])
        assert entry == pytest.approx(expected, abs=1e-6)
    assert [entry["captions"] for entry in found] == [4, 3, 3]


def test_a_phrase_is_the_concepts_own_words_and_is_embedded_once():
    made = Letters()
    word_cosines(model(made), benchmark(CAPTIONS[:3]), Cache(None, model(made)))
    phrases = [text for text in made.seen if text not in CAPTIONS]
    relations = ["holding", "next to", "is lying on", "is on", "on"]
    nouns = ["man", "umbrella", "fire hydrant", "dog", "table", "couch", "floor"]
    assert sorted(phrases) == sorted([*nouns, "red", "brown", "wooden", *relations])


def test_a_caption_of_several_items_counts_once_and_wrong_captions_never():
    made = model(Letters())
    once, thrice = (word_cosines(made, benchmark(CAPTIONS * k), Cache(None, made)) for k in (1, 3))
    assert once == thrice
    assert right_captions(benchmark(CAPTIONS * 2)) == CAPTIONS


def test_codes_come_from_the_cache(tmp_path):
    first, second = Letters(), Letters()
    folder, name = tmp_path / "codes", "x" * 32
    captions = Cache(folder, model(first, name))
    embed_captions(CAPTIONS, model(first, name), captions)
    found = word_cosines(model(first, name), benchmark(CAPTIONS), captions)
    assert len(first.seen) == len(set(first.seen))
    again = word_cosines(model(second, name), benchmark(CAPTIONS), Cache(folder, model(second, name)))
    assert second.seen == []
    assert again == found


@pytest.mark.parametrize("captions", [[], ["hello there"]])
def test_where_no_caption_has_a_phrase_nothing_is_said(captions):
    made = model(Letters())
    for entry in word_cosines(made, benchmark(captions), Cache(None, made)):
        assert entry | {"word_class": ""} == {
            "word_class": "",
            "cosine": None,
            "se": None,
            "others": None,
            "captions": 0,
            "words": 0,
        }


def test_one_caption_has_no_error_and_no_others():
    made = model(Letters())
    (_, attribute, _) = word_cosines(made, benchmark(CAPTIONS[1:2]), Cache(None, made))
    expected = mean(cosine(CAPTIONS[1], word) for word in ("brown", "wooden"))
    assert attribute["cosine"] == pytest.approx(expected, abs=1e-6)
    assert (attribute["se"], attribute["others"], attribute["captions"]) == (None, None, 1)


def test_a_benchmark_without_right_captions_is_refused(refuses):
    made = model(Letters())
    with refuses("right captions", "made"):
        word_cosines(made, benchmark(CAPTIONS, "similarity"), Cache(None, made))
    with refuses("batch", 0):
        word_cosines(made, benchmark(CAPTIONS), Cache(None, made), batch=0)
