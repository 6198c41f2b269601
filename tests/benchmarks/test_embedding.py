"""Models, the cache of codes, embedding and cosines."""

import os
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.embed import embed, embed_captions, text_key
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.loaders.sugarcrepe import load_sugarcrepe
from scmlab.benchmarks.models import Model, of_clip, open_model
from scmlab.benchmarks.scoring import score_items
from scmlab.benchmarks.similarities import similarities, text_similarities
from scmlab.models.clip import (
    ClipSpec,
    build_clip,
    embed_images,
    embed_texts,
    preprocess,
    save_clip,
    tokenize,
    train_tokenizer,
)
from scmlab.scm.store import BadFile
from scmlab.scm.streams import stream

DATA = os.environ.get("SCMLAB_DATA")
SPEC = ClipSpec(16, 8, 16, 1, 2, 24, 2, 3, 12, 8)
WORDS = ["a red cube left of a blue sphere", "a blue sphere above the cube", "a big green cone"]


@pytest.fixture(scope="module")
def clip():
    tokenizer = train_tokenizer(WORDS, vocabulary=600, context=12)
    made = build_clip(SPEC, tokenizer, generator=stream(0, "init"))
    with torch.no_grad():
        for i, parameter in enumerate(made.model.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=stream(0, "noise", i)))
    return made


class Counting:
    """A model whose codes are read off by eye: mean colour of an image, letters of a caption."""

    def __init__(self, identity: str = "one", stop_after: int | None = None) -> None:
        self.identity, self.activation, self.stop_after = identity, "none", stop_after
        self.images: list[list] = []
        self.texts: list[list[str]] = []

    def encode_image(self, images: list) -> np.ndarray:
        self._count(self.images, [image.copy() for image in images])
        return np.stack([np.asarray(image, dtype=np.float32).mean((0, 1)) + 1 for image in images])

    def encode_text(self, captions: list[str]) -> np.ndarray:
        self._count(self.texts, list(captions))
        return np.array([[len(caption), caption.count("a") + 1, 1.0] for caption in captions])

    def _count(self, seen: list, batch: list) -> None:
        if self.stop_after is not None and len(self.images) + len(self.texts) == self.stop_after:
            raise KeyboardInterrupt
        seen.append(batch)


def model(made: Counting) -> Model:
    return Model("made", made.identity * 32, "none", lambda image: image, made.encode_image, made.encode_text)


def picture(path: Path, number: int, size: tuple[int, int] = (20, 12), **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def ref(name: str, box: tuple[float, float, float, float] | None = None) -> ImageRef:
    return ImageRef("root", PurePosixPath(name), box)


def item(
    key: str, images: list[ImageRef], captions: list[str], right: tuple = ((0, 0),), tags: dict | None = None
) -> Item:
    return Item(key, tuple(images), tuple(captions), right, "all", tags or {})


def choices(n: int) -> Benchmark:
    items = [item(str(i), [ref(f"{i}.png")], [f"a cube {i}", f"cube a number {i}"]) for i in range(n)]
    return Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")


def found(benchmark: Benchmark, folder: Path) -> dict[ImageRef, Path | None]:
    """Writes the images of the benchmark, each another, and says where they are."""
    refs = dict.fromkeys(image for one in benchmark.items for image in one.images)
    paths = {image: folder / image.path for image in refs}
    for number, path in enumerate(dict.fromkeys(paths.values())):
        if not path.exists():
            picture(path, number)
    return paths


def codes(embeddings, benchmark: Benchmark) -> tuple[np.ndarray, np.ndarray]:
    images = [embeddings.images[image] for one in benchmark.items for image in one.images]
    captions = [text_key(caption) for one in benchmark.items for caption in one.captions]
    return embeddings.cache.codes("image", images), embeddings.cache.codes("text", captions)


def test_codes_are_the_models_own_of_length_one(clip, tmp_path):
    benchmark = choices(7)
    paths, made = found(benchmark, tmp_path), of_clip(clip)
    images, captions = codes(embed(benchmark, made, paths, Cache(None, made), batch=3), benchmark)
    with torch.no_grad():
        for row, one in enumerate(benchmark.items):
            pixels = preprocess([Image.open(paths[one.images[0]])], clip.preprocessing)
            np.testing.assert_allclose(images[row], embed_images(clip, pixels)[0], atol=2e-6)
            expected = embed_texts(clip, tokenize(clip, list(one.captions)))
            np.testing.assert_allclose(captions[2 * row : 2 * row + 2], expected, atol=2e-6)
    assert images.dtype == captions.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-6)


def test_images_go_through_a_clip_few_at_a_time_and_stay_in_order(clip, monkeypatch):
    monkeypatch.setattr("scmlab.benchmarks.models.CPU_IMAGES", 3)
    pixels = torch.randn(8, 3, SPEC.image_size, SPEC.image_size, generator=stream(0, "pixels"))
    with torch.no_grad():
        whole = embed_images(clip, pixels)
    torch.testing.assert_close(of_clip(clip).encode_image(list(pixels.split(1))), whole, atol=1e-6, rtol=0)


def test_each_content_is_embedded_once_under_whatever_name(tmp_path):
    picture(tmp_path / "a.png", 1)
    picture(tmp_path / "b.png", 1)
    picture(tmp_path / "c.png", 2)
    items = [item(name, [ref(f"{name}.png")], ["a cube", f"cube {name}", "a cube"]) for name in "abc"]
    benchmark = Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")
    made = Counting()
    cache = Cache(None, model(made))
    embeddings = embed(benchmark, model(made), found(benchmark, tmp_path), cache)
    assert sum(map(len, made.images)) == 2
    assert sorted(caption for batch in made.texts for caption in batch) == ["a cube", "cube a", "cube b", "cube c"]
    assert embeddings.images[ref("a.png")] == embeddings.images[ref("b.png")] != embeddings.images[ref("c.png")]
    embed(benchmark, model(made), found(benchmark, tmp_path), cache)
    assert (len(made.images), len(made.texts)) == (1, 1)


def test_captions_go_to_a_clip_by_the_alphabet_and_to_others_by_length(clip):
    captions = ["A cube", "a big cone", "the cube", "a big cube", "the", "a big cone"]
    made, batches = Counting(), []
    whole = of_clip(clip)

    def encode_text(batch):
        batches.append(list(batch))
        return whole.encode_text(batch)

    embed_captions(captions, seen := replace(whole, encode_text=encode_text), Cache(None, seen), batch=2)
    assert batches == [["a big cone", "a big cube"], ["A cube", "the"], ["the cube"]]
    embed_captions(captions, model(made), Cache(None, model(made)), batch=2)
    assert made.texts == [["the", "A cube"], ["the cube", "a big cone"], ["a big cube"]]


def test_a_clip_computes_what_captions_begin_with_once(clip):
    places = []
    captions = [f"a red cube left of {end}" for end in ("the", "blue", "sphere")]
    text = clip.model.text_model
    hook = text.register_forward_pre_hook(lambda module, given: places.append(given[0].numel()))
    of_clip(clip).encode_text(captions)
    hook.remove()
    tokens = [tuple(clip.tokenizer(caption)["input_ids"]) for caption in captions]
    distinct = {one[: k + 1] for one in tokens for k in range(len(one))}
    assert sum(places) == len(distinct) < sum(map(len, tokens))


def test_codes_on_disk_are_read_and_not_computed_again(tmp_path):
    benchmark = choices(9)
    paths = found(benchmark, tmp_path / "images")
    first = embed(benchmark, model(Counting()), paths, Cache(tmp_path / "codes", model(Counting())), batch=4)
    again = Counting()
    second = embed(benchmark, model(again), paths, Cache(tmp_path / "codes", model(again)), batch=4)
    assert (again.images, again.texts) == ([], [])
    for one, two in zip(codes(first, benchmark), codes(second, benchmark), strict=True):
        np.testing.assert_array_equal(one, two)
    other = Counting("two")
    embed(benchmark, model(other), paths, Cache(tmp_path / "codes", model(other)))
    assert sum(map(len, other.images)) == 9  # another model, other codes


def test_a_changed_image_is_embedded_again(tmp_path):
    benchmark = choices(2)
    paths = found(benchmark, tmp_path / "images")
    embed(benchmark, model(Counting()), paths, Cache(tmp_path / "codes", model(Counting())))
    picture(paths[ref("1.png")], 99)
    again = Counting()
    embed(benchmark, model(again), paths, Cache(tmp_path / "codes", model(again)))
    assert sum(map(len, again.images)) == 1


@pytest.mark.parametrize("stop_after", [1, 3, 4, 6])
def test_a_killed_run_goes_on_and_ends_with_the_same_numbers(clip, tmp_path, monkeypatch, stop_after):
    monkeypatch.setattr("scmlab.benchmarks.cache.ROWS", 5)
    benchmark = choices(11)
    paths, whole = found(benchmark, tmp_path / "images"), of_clip(clip)
    expected = codes(embed(benchmark, whole, paths, Cache(None, whole), batch=3), benchmark)
    counting = Counting(stop_after=stop_after)

    def stopping(encode, seen):
        def run(batch):
            counting._count(seen, batch)
            return encode(batch)

        return run

    killed = replace(
        whole,
        encode_image=stopping(whole.encode_image, counting.images),
        encode_text=stopping(whole.encode_text, counting.texts),
    )
    with pytest.raises(KeyboardInterrupt):
        embed(benchmark, killed, paths, Cache(tmp_path / "codes", killed), batch=3)
    counting.stop_after = None
    resumed = embed(benchmark, killed, paths, Cache(tmp_path / "codes", killed), batch=3)
    for one, two in zip(expected, codes(resumed, benchmark), strict=True):
        np.testing.assert_array_equal(one, two)
    batches = len(counting.images) + len(counting.texts)
    assert batches <= 4 + 8 + 1  # at most what had not been written


def test_a_file_that_was_half_written_is_no_file_of_the_cache(tmp_path):
    benchmark = choices(3)
    paths, folder = found(benchmark, tmp_path / "images"), tmp_path / "codes"
    embed(benchmark, model(Counting()), paths, Cache(folder, model(Counting())))
    (whole,) = folder.rglob("image-*.safetensors")
    (whole.parent / f".{whole.name}.half").write_bytes(whole.read_bytes()[:40])
    again = Counting()
    embed(benchmark, model(again), paths, Cache(folder, model(again)))
    assert again.images == []


@pytest.mark.parametrize("damage", ["cut", "empty", "header", "text"])
def test_a_damaged_file_is_named(tmp_path, refuses, damage):
    benchmark, folder = choices(3), tmp_path / "codes"
    embed(benchmark, model(Counting()), found(benchmark, tmp_path / "images"), Cache(folder, model(Counting())))
    (path,) = folder.rglob("image-*.safetensors")
    content = path.read_bytes()
    damaged = {"cut": content[:-5], "empty": b"", "header": content.replace(b"codes", b"other"), "text": b"codes" * 20}
    path.write_bytes(damaged[damage])
    with refuses(path, "damaged", "delete it", error=BadFile):
        Cache(folder, model(Counting()))


def test_codes_of_another_model_or_kind_are_refused(tmp_path, refuses):
    benchmark, folder = choices(3), tmp_path / "codes"
    embed(benchmark, model(Counting()), found(benchmark, tmp_path / "images"), Cache(folder, model(Counting())))
    (path,) = folder.rglob("image-*.safetensors")
    other = Cache(folder, model(Counting("two"))).folder
    other.mkdir()
    (other / path.name).write_bytes(path.read_bytes())
    with refuses("another's", path.name, error=BadFile):
        Cache(folder, model(Counting("two")))
    path.rename(path.with_name(path.name.replace("image", "text")))
    with refuses("another's", "text", error=BadFile):
        Cache(folder, model(Counting()))


def test_a_model_that_does_not_say_what_it_is_leaves_nothing_on_disk(tmp_path):
    benchmark = choices(2)
    made = Counting(identity="")
    embed(benchmark, model(made), found(benchmark, tmp_path / "images"), Cache(tmp_path / "codes", model(made)))
    assert not (tmp_path / "codes").exists()


def test_images_that_are_not_there_or_no_images_are_said_and_their_items_missing(tmp_path):
    benchmark = choices(5)
    paths = found(benchmark, tmp_path)
    paths[ref("0.png")] = None
    del paths[ref("1.png")]
    paths[ref("2.png")].write_text("no image")
    paths[ref("3.png")].write_bytes(paths[ref("3.png")].read_bytes()[:300])
    embeddings = embed(benchmark, model(Counting()), paths, Cache(None, model(Counting())))
    assert set(embeddings.unreadable) == {ref("2.png"), ref("3.png")}
    assert "2.png" in embeddings.unreadable[ref("2.png")]
    scored = score_items(benchmark, similarities(benchmark, embeddings))
    assert scored.missing.tolist() == [True, True, True, True, False]
    for one in benchmark.items:
        (tmp_path / one.images[0].path).unlink(missing_ok=True)
    gone = embed(benchmark, model(Counting()), paths, Cache(None, model(Counting())))
    assert len(gone.unreadable) == 3  # gone since it was found
    assert score_items(benchmark, similarities(benchmark, gone)).missing.all()


def test_boxes_are_cut_before_the_model_sees_the_image(tmp_path):
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[2:5, 4:9] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    boxes = [(4.0, 2.0, 5.0, 3.0), None, (15.0, 0.0, 10.0, 10.0), (0.0, 0.0, 0.0, 4.0), (0.0, 0.0, 1e9, 1e9)]
    items = [item(str(i), [ref("a.png", box)], ["a", "b"]) for i, box in enumerate(boxes)]
    benchmark = Benchmark("made", tuple(items), "choice", "strict", "accuracy/1")
    made = Counting()
    paths = {one.images[0]: tmp_path / "a.png" for one in items}
    embeddings = embed(benchmark, model(made), paths, Cache(None, model(made)))
    (seen,) = made.images
    assert [image.size for image in seen] == [(5, 3), (20, 10), (10, 10)]
    assert (np.asarray(seen[0]) == 200).all()
    assert not np.asarray(seen[2])[:, 5:].any()  # black beyond the image
    assert set(embeddings.unreadable) == {ref("a.png", boxes[3]), ref("a.png", boxes[4])}


def test_models_get_rgb_without_transparency(tmp_path):
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(tmp_path / "0.png")
    Image.new("L", (4, 4), 7).save(tmp_path / "1.png")
    made = Counting()
    benchmark = choices(2)
    embed(benchmark, model(made), found(benchmark, tmp_path), Cache(None, model(made)))
    assert [(image.mode, image.getpixel((0, 0))) for image in made.images[0]] == [
        ("RGB", (10, 20, 30)),
        ("RGB", (7, 7, 7)),
    ]


def test_large_images_are_embedded_in_smaller_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("scmlab.benchmarks.embed.PIXELS", 500)  # two images of 20 x 12 fit below
    made, benchmark = Counting(), choices(7)
    embed(benchmark, model(made), found(benchmark, tmp_path), Cache(None, model(made)), batch=5)
    assert [len(batch) for batch in made.images] == [3, 3, 1]


def test_progress_ends_with_all_of_both_kinds(tmp_path):
    told: list[tuple[str, int, int]] = []
    benchmark = choices(5)
    paths = found(benchmark, tmp_path)
    embed(
        benchmark, model(Counting()), paths, Cache(None, model(Counting())), batch=2, progress=lambda *a: told.append(a)
    )
    images, texts = ([(done, total) for kind, done, total in told if kind == one] for one in ("image", "text"))
    assert images[-1] == (5, 5)
    assert texts[-1] == (10, 10)
    assert images == sorted(images)
    assert texts == sorted(texts)


@pytest.mark.parametrize(
    ("method", "given", "part"),
    [
        ("encode_image", np.ones((2, 3)), "one vector"),
        ("encode_image", np.full((1, 3), np.nan), "finite"),
        ("encode_text", np.zeros((2, 3)), "not zero"),
        ("encode_text", np.ones((2, 3), dtype=np.int64), "int64"),
        ("encode_text", np.ones(2), "(2,)"),
    ],
)
def test_codes_that_are_none_are_refused(tmp_path, refuses, method, given, part):
    made, benchmark = Counting(), choices(1)
    setattr(made, method, lambda batch: given)
    with refuses(method, part, "made"):
        embed(benchmark, model(made), found(benchmark, tmp_path), Cache(None, model(made)))


def test_codes_of_two_widths_are_refused(tmp_path, refuses):
    made, benchmark = Counting(), choices(2)
    made.encode_text = lambda captions: torch.ones(len(captions), 2, requires_grad=True)
    with refuses("one width", "3 and 2"):
        similarities(benchmark, embed(benchmark, model(made), found(benchmark, tmp_path), Cache(None, model(made))))
    with refuses("batch", "0"):
        embed(benchmark, model(Counting()), {}, Cache(None, model(made)), batch=0)


def test_captions_that_are_cut_are_counted(clip, tmp_path):
    long = " ".join(["cube"] * 30)
    benchmark = Benchmark("made", (item("0", [], [long, "a cube"], ()),), "similarity", "half", "similarity/1")
    made = of_clip(clip)
    for _ in range(2):
        assert embed(benchmark, made, {}, Cache(tmp_path, made)).cut == 1
    counting = model(Counting())
    assert embed(benchmark, counting, {}, Cache(None, counting)).cut is None


RULES = {
    "choice": (1, 3, ((0, 0),)),
    "both": (1, 3, ((0, 0), (0, 1))),
    "group": (2, 2, ((0, 0), (1, 1))),
}


@pytest.mark.parametrize("rule", RULES)
def test_cosines_per_item_are_those_of_a_loop(clip, tmp_path, monkeypatch, rule):
    monkeypatch.setattr("scmlab.benchmarks.similarities.ITEMS", 4)
    images, captions, right = RULES[rule]
    items = [
        item(
            str(i),
            [ref(f"{(i + j) % 5}.png") for j in range(images)],
            [f"a {'red ' * j} cube {i}" for j in range(captions)],
            right,
        )
        for i in range(10)
    ]
    benchmark, made = Benchmark("made", tuple(items), rule, "strict", "accuracy/1"), of_clip(clip)
    paths = found(benchmark, tmp_path)
    paths[ref("3.png")] = None
    embeddings = embed(benchmark, made, paths, Cache(None, made))
    matrices, texts = similarities(benchmark, embeddings), text_similarities(benchmark, embeddings)
    for one, matrix, text in zip(items, matrices, texts, strict=True):
        t = embeddings.cache.codes("text", [text_key(caption) for caption in one.captions])
        np.testing.assert_allclose(text, t @ t.T, atol=1e-6)
        if ref("3.png") in one.images:
            assert matrix is None
            continue
        i = embeddings.cache.codes("image", [embeddings.images[image] for image in one.images])
        expected = [[float(np.dot(a.astype(float), b.astype(float))) for b in t] for a in i]
        assert matrix.dtype == np.float32
        np.testing.assert_allclose(matrix, expected, atol=1e-7)


def test_equal_captions_of_an_item_tie_exactly(clip, tmp_path):
    items = [
        item(str(i), [ref(f"{i}.png")], ["a cube", *["x " * j + str(i) for j in range(i)], "a cube"]) for i in range(5)
    ]
    benchmark, made = Benchmark("made", tuple(items), "choice", "strict", "accuracy/1"), of_clip(clip)
    for matrix in similarities(benchmark, embed(benchmark, made, found(benchmark, tmp_path), Cache(None, made))):
        assert matrix[0, 0] == matrix[0, -1]


def test_a_gallery_holds_images_and_captions_in_the_items_order(clip, tmp_path):
    each = [2, 1, 3]
    items = [
        item(str(i), [ref(f"{i}.png")], [f"a cube {i} {c}" for c in range(n)], tuple((0, c) for c in range(n)))
        for i, n in enumerate(each)
    ]
    benchmark, made = Benchmark("made", tuple(items), "retrieval", "strict", "retrieval/1"), of_clip(clip)
    paths = found(benchmark, tmp_path)
    paths[ref("1.png")] = None
    embeddings = embed(benchmark, made, paths, Cache(None, made))
    gallery = similarities(benchmark, embeddings)
    assert gallery.present.tolist() == [True, False, True]
    assert gallery.captions.shape == (6, SPEC.dim)
    expected = embeddings.cache.codes("image", [embeddings.images[ref("0.png")], embeddings.images[ref("2.png")]])
    np.testing.assert_array_equal(gallery.images[[0, 2]], expected)
    assert score_items(benchmark, gallery).missing.tolist() == [False, True, False]
    nothing = similarities(benchmark, embed(benchmark, made, {}, Cache(None, made)))
    assert score_items(benchmark, nothing).missing.all()


@pytest.mark.parametrize("layout", ["huggingface", "open_clip", "open_clip_pt"])
def test_a_clip_is_opened_from_its_files_with_its_activation(clip, tmp_path, layout):
    folder = save_clip(clip, tmp_path / "clip", layout)
    bare = {"tokenizer": clip.tokenizer, "activation": "quickgelu", "heads": (2, 3)}
    more = bare if layout == "open_clip_pt" else {}  # a file alone says neither
    made = open_model(str(folder), **more)
    assert (made.name, made.activation) == (str(folder), "quickgelu")
    assert made.identity == of_clip(clip).identity
    np.testing.assert_allclose(made.encode_text(WORDS), of_clip(clip).encode_text(WORDS), atol=1e-6)


def test_another_activation_is_another_model(clip, tmp_path):
    folder = save_clip(clip, tmp_path / "clip", "huggingface")
    with pytest.warns(UserWarning, match="gelu"):
        other = open_model(folder, activation="gelu")
    assert other.activation == "gelu"
    assert other.identity != open_model(folder).identity
    assert not torch.allclose(other.encode_text(WORDS), of_clip(clip).encode_text(WORDS), atol=1e-4)


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("made_models")
    made.count = Counting
    made.half = lambda: SimpleNamespace(encode_image=lambda images: images)
    made.silent = lambda: SimpleNamespace(
        encode_image=lambda i: np.ones((len(i), 2)), encode_text=lambda t: np.ones((len(t), 2))
    )
    made.wrong = lambda: SimpleNamespace(encode_image=len, encode_text=len, identity=3)
    made.broken = lambda: made.nothing
    monkeypatch.setitem(sys.modules, "made_models", made)


def test_an_object_of_python_is_a_model(module, tmp_path):
    made, benchmark = open_model("made_models:count"), choices(3)
    assert (made.name, made.activation) == ("made_models:count", "none")
    assert made.identity
    assert made.cut is None
    scored = score_items(
        benchmark, similarities(benchmark, embed(benchmark, made, found(benchmark, tmp_path), Cache(None, made)))
    )
    assert not scored.missing.any()
    assert open_model("made_models:silent").identity == ""


def test_what_is_no_model_is_refused(module, tmp_path, refuses):
    with refuses("absent_module", "module:function", error=BadFile):
        open_model("absent_module:make")
    with refuses("made_models", "absent", error=BadFile):
        open_model("made_models:absent")
    with refuses("encode_text", "made_models:half", error=BadFile):
        open_model("made_models:half")
    with refuses("strings", "made_models:wrong", error=BadFile):
        open_model("made_models:wrong")
    with pytest.raises(AttributeError, match="nothing"):
        open_model("made_models:broken")  # the user's own error is left as it is
    with refuses("activation", "made_models:count"):
        open_model("made_models:count", activation="gelu")
    with refuses("folder", error=BadFile):
        open_model(tmp_path / "absent")


@pytest.mark.realdata
@pytest.mark.skipif(not DATA, reason="needs SCMLAB_DATA")
def test_sugarcrepe_is_scored_as_one_pair_at_a_time(clip, tmp_path):
    benchmark, made = load_sugarcrepe(Path(DATA) / "sugarcrepe"), of_clip(clip)
    paths = found(benchmark, tmp_path)
    scored = score_items(
        benchmark, similarities(benchmark, embed(benchmark, made, paths, Cache(tmp_path / "codes", made)))
    )
    assert len(scored) == 7511
    assert not scored.missing.any()
    with torch.no_grad():
        for row in range(0, 7511, 50):
            one = benchmark.items[row]
            image = embed_images(clip, preprocess([paths[one.images[0]]], clip.preprocessing))[0]
            right, wrong = (image @ embed_texts(clip, tokenize(clip, [caption]))[0] for caption in one.captions)
            assert scored.margin[row] == pytest.approx(float(right - wrong), abs=1e-5)
            if abs(right - wrong) > 1e-5:
                assert scored.correct[row] == float(right > wrong)
