"""Shares of attribution on a benchmark's pairs, against a loop over single captions."""

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch
from PIL import Image

from scmlab.attribution import METHODS, class_shares, word_map
from scmlab.benchmarks.attributed import KINDS, attribution_shares, right_pairs
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.models import of_clip, open_model
from scmlab.models.clip import ClipSpec, build_clip, clip_hash, preprocess, tokenize, train_tokenizer
from scmlab.scm.streams import stream

SPEC = ClipSpec(16, 8, 16, 2, 2, 24, 2, 3, 24, 8)
CAPTIONS = (
    "a man holding a red umbrella",
    "two brown dogs on a wooden table",
    "a dog",
    "a small child is playing with some toys in a field",
    "a red bus next to a blue car",
    "hello there",
    "a white cat under the table",
)


def built(seed: int):
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=600, context=24)
    made = build_clip(SPEC, tokenizer, generator=stream(seed, "init"))
    with torch.no_grad():
        for i, parameter in enumerate(made.model.parameters()):
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=stream(seed, "noise", i)))
    return made


@pytest.fixture(scope="module")
def clip():
    return built(0)


def ref(row: int) -> ImageRef:
    return ImageRef("root", PurePosixPath(f"{row}.png"), (2.0, 1.0, 9.0, 8.0) if row % 2 else None)


def choices(captions: tuple[str, ...] = CAPTIONS) -> Benchmark:
    items = [Item(str(i), (ref(i),), (f"no {i}", text), ((0, 1),), "all") for i, text in enumerate(captions)]
    return Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")


@pytest.fixture
def paths(tmp_path) -> dict[ImageRef, Path | None]:
    found = {ref(row): tmp_path / f"{row}.png" for row in range(len(CAPTIONS))}
    for row, path in enumerate(found.values()):
        pixels = np.random.default_rng(row).integers(0, 256, (14, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return found


def order(n: int = len(CAPTIONS), seed: int = 3) -> list[int]:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def slow(clip, paths, rows: list[int]) -> list[dict]:
    """One caption at a time, its image opened and cut by hand."""
    found = []
    for name, method in METHODS.items():
        shares, even = [], []
        for row in rows:
            image = Image.open(paths[ref(row)]).convert("RGB")
            image = image.crop((2, 1, 11, 9)) if row % 2 else image
            tokens = tokenize(clip, [CAPTIONS[row]])
            words = word_map(tokens, [CAPTIONS[row]])
            scores = method(clip, preprocess([image], clip.preprocessing), tokens)
            shares.append(class_shares(scores, words)[0])
            even.append(class_shares(tokens.content.float(), words)[0])
        for kind, column in (("object", 1), ("attribute", 2), ("relation", 3), ("other", 0)):
            values = np.array([share[column].item() for share in shares])
            values = values[~np.isnan(values)]
            se = values.std(ddof=1) / len(values) ** 0.5
            uniform = np.mean([share[column].item() for share in even])
            means = {"share": values.mean(), "se": se, "captions": len(values), "uniform": uniform}
            found.append({"method": name, "word_class": kind, **means})
    return found


class Seen:
    """A method that scores nothing above 0, and keeps what it was given."""

    def __init__(self) -> None:
        self.captions: list[int] = []

    def __call__(self, clip, pixels, tokens, *, create_graph=False, images=None):
        self.captions += tokens.ids[:, 1:].sum(1).tolist()
        return -tokens.content.float()


@pytest.mark.parametrize("batch", [2, 32])
def test_shares_are_those_of_a_loop_over_single_captions(clip, paths, batch):
    found = attribution_shares(clip, choices(), paths, number=5, generator=drawn(), batch=batch)
    assert [entry["method"] for entry in found] == [name for name in METHODS for _ in KINDS]
    for entry, expected in zip(found, slow(clip, paths, order()[:5]), strict=True):
        assert entry == pytest.approx(expected, abs=2e-5)


def test_shares_of_a_method_sum_to_one(clip, paths):
    found = attribution_shares(clip, choices(), paths, number=7, generator=drawn())
    for name in METHODS:
        of_method = [entry for entry in found if entry["method"] == name]
        assert sum(entry["share"] for entry in of_method) == pytest.approx(1, abs=1e-6)
        assert sum(entry["uniform"] for entry in of_method) == pytest.approx(1, abs=1e-6)


def test_equal_scores_have_the_uniform_share(clip, paths):
    def even(clip, pixels, tokens, *, create_graph=False, images=None):
        return tokens.content.float()

    found = attribution_shares(clip, choices(), paths, number=4, generator=drawn(), methods={"even": even})
    assert all(entry["share"] == pytest.approx(entry["uniform"], abs=1e-12) for entry in found)


def test_every_model_is_asked_about_the_same_pairs_and_another_draw_is_another_sample(clip, paths):
    samples = []
    for made, seed in ((clip, 3), (built(1), 3), (clip, 4)):
        method, generator = Seen(), torch.Generator().manual_seed(seed)
        attribution_shares(made, choices(), paths, number=4, generator=generator, methods={"seen": method}, batch=3)
        samples.append(method.captions)
    assert samples[0] == samples[1] != samples[2]


def test_without_attribution_there_is_no_share(clip, paths):
    found = attribution_shares(clip, choices(), paths, number=4, generator=drawn(), methods={"none": Seen()})
    assert {(entry["share"], entry["se"], entry["captions"]) for entry in found} == {(None, None, 0)}
    assert found[0]["uniform"] > 0


def test_missing_and_unreadable_images_give_way_to_the_next_ones(clip, paths):
    wanted = order()
    paths[ref(wanted[0])] = None
    del paths[ref(wanted[2])]
    paths[ref(wanted[3])].write_bytes(b"no image")
    left = [wanted[1], *wanted[4:]]
    found = attribution_shares(clip, choices(), paths, number=2, generator=drawn())
    for entry, expected in zip(found, slow(clip, paths, left[:2]), strict=True):
        assert entry == pytest.approx(expected, abs=2e-5)
    few = attribution_shares(clip, choices(), paths, number=50, generator=drawn(), methods={"seen": (seen := Seen())})
    assert len(seen.captions) == len(left)
    assert len(few) == 4
    none = attribution_shares(clip, choices(), {}, number=2, generator=drawn())
    assert {(entry["share"], entry["uniform"], entry["captions"]) for entry in none} == {(None, None, 0)}


def test_a_pair_of_several_items_is_one_and_all_right_pairs_count():
    group = Item("g", (ref(0), ref(1)), ("left", "right"), ((0, 0), (1, 1)), "all")
    both = Item("b", (ref(0),), ("left", "also left", "wrong"), ((0, 0), (0, 1)), "all")
    benchmark = Benchmark("made", (group, both), "group", "strict", "winoground/1")
    assert right_pairs(benchmark) == [(ref(0), "left"), (ref(1), "right"), (ref(0), "also left")]


def test_the_model_is_left_as_it_was_found(clip, paths):
    before = clip_hash(clip), clip.model.training
    hooks = [len(module._forward_hooks) for module in clip.model.modules()]
    with torch.inference_mode():
        inside = attribution_shares(clip, choices(), paths, number=3, generator=drawn())
    assert inside == attribution_shares(clip, choices(), paths, number=3, generator=drawn())
    assert (clip_hash(clip), clip.model.training) == before
    assert [len(module._forward_hooks) for module in clip.model.modules()] == hooks
    assert all(p.grad is None and p.requires_grad for p in clip.model.parameters())


def test_progress_is_told(clip, paths):
    told: list[tuple[int, int]] = []
    attribution_shares(
        clip,
        choices(),
        paths,
        number=5,
        generator=drawn(),
        methods={"seen": Seen()},
        batch=2,
        progress=lambda *done: told.append(done),
    )
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_bad_numbers_and_a_benchmark_without_images_are_refused(clip, paths, refuses):
    for name in ("number", "batch"):
        with refuses(name, 0):
            attribution_shares(clip, choices(), paths, **{"number": 1, name: 0}, generator=drawn())
    compared = Benchmark("sts", (), "similarity", "strict", "similarity/1")
    with refuses("must have images", "sts"):
        attribution_shares(clip, compared, paths, number=1, generator=drawn())


def test_a_model_holds_its_clip_and_pythons_own_has_none(clip, tmp_path, monkeypatch):
    assert of_clip(clip).clip is clip
    (tmp_path / "made_without_clip.py").write_text(
        "class Made:\n    def encode_image(self, images): pass\n    def encode_text(self, captions): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert open_model("made_without_clip:Made").clip is None
