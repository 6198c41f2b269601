import json
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from scmlab.attribution import word_map
from scmlab.models.clip import ClipSpec, build_clip, tokenize, train_tokenizer
from scmlab.models.clip.images import BadImage, preprocess
from scmlab.objectives import ClipObjective
from scmlab.scm import stream
from scmlab.scm.store import BadFile
from scmlab.training.clip import (
    ClipBatch,
    ClipTrainSpec,
    FolderSource,
    caption_ids,
    in_memory,
    read_captioned_images,
    rows_of_step,
    train_clip,
)

NAMES = [f"{i}.png" for i in range(6)]
CAPTIONS = [f"a red dog and {word} cat" for word in ("one", "two", "the", "small", "big", "blue")]


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for i, name in enumerate(NAMES):
        Image.new("RGB", (20, 18), (40 * i, 0, 255 - 40 * i)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def clip():
    spec = ClipSpec(
        image_size=16, image_width=16, image_layers=1, image_heads=2, text_width=16, text_layers=1, text_heads=2,
        context=24, dim=8,
    )  # fmt: skip
    return build_clip(spec, train_tokenizer(CAPTIONS, vocabulary=560, context=24), generator=stream(0))


def write(tmp_path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def table(tmp_path, rows, header=("", "title", "filepath", "neg_caption", "neg_image")) -> Path:
    return write(tmp_path, "pairs.tsv", "".join("\t".join(map(str, row)) + "\n" for row in (header, *rows)))


def negclip(tmp_path, names=NAMES) -> Path:
    rows = [
        (i, CAPTIONS[i], name, [f"{CAPTIONS[i]} {k}" for k in range(i % 3)], [(i + 1) % 6, (i + 2) % 6])
        for i, name in enumerate(names)
    ]
    return table(tmp_path, rows)


KARPATHY = [
    {"filepath": "images", "filename": name, "split": ("train", "val")[i == 0], "imgid": i,
     "sentences": [{"raw": CAPTIONS[i], "imgid": i}, {"raw": f"again {i}", "imgid": i}]}
    for i, name in enumerate(NAMES)
]  # fmt: skip
JSONL = [
    {"image": name, "caption": CAPTIONS[i], "negatives": [{"caption": "x"}, {"edited": "y"}, "z"][: i % 4]}
    for i, name in enumerate(NAMES)
]


def formats(tmp_path):
    lines = "".join(json.dumps(line) + "\n" for line in JSONL)
    plain = "".join(json.dumps({"image": line["image"], "caption": line["caption"]}) + "\n" for line in JSONL)
    two = [("caption", "image"), *zip(CAPTIONS, NAMES, strict=True)]
    return {
        "negclip": negclip(tmp_path),
        "tsv": write(tmp_path, "two.tsv", "".join(f"{c}\t{n}\n" for c, n in two)),
        "jsonl": write(tmp_path, "plain.jsonl", plain),
        "jsonl with negatives": write(tmp_path, "negatives.jsonl", lines),
        "absolute": write(tmp_path, "absolute.jsonl", plain.replace('"image": "', f'"image": "{tmp_path}/images/')),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["negclip", "tsv", "jsonl", "jsonl with negatives", "absolute"])
def test_each_format_gives_the_pairs_in_order(tmp_path, root, name):
    found = read_captioned_images(formats(tmp_path)[name], root)
    assert [(pair.caption, pair.image) for pair in found.pairs] == [
        (caption, root / image) for caption, image in zip(CAPTIONS, NAMES, strict=True)
    ]
    if name == "negclip":
        assert found.pairs[5].negatives == (f"{CAPTIONS[5]} 0", f"{CAPTIONS[5]} 1")
        assert found.pairs[5].neighbours == (0, 1)
    if name == "jsonl with negatives":
        assert found.pairs[3].negatives == ("x", "y", "z")
    assert found.counts.read == 6
    assert found.missing == ()


def test_karpathys_json_joins_folder_and_name_and_keeps_its_splits(tmp_path, root):
    path = write(tmp_path, "dataset.json", json.dumps({"images": KARPATHY, "dataset": "coco"}))
    found = read_captioned_images(path, tmp_path, splits=("train", "restval"))
    assert [pair.caption for pair in found.pairs[:2]] == [CAPTIONS[1], "again 1"]
    assert len(found) == found.counts.read == 10
    assert found.pairs[0].image == root / NAMES[1]
    flickr = [{key: value for key, value in item.items() if key != "filepath"} for item in KARPATHY]
    path = write(tmp_path, "flickr.json", json.dumps({"images": flickr}))
    assert len(read_captioned_images(path, root)) == 12
    with pytest.raises(BadFile, match="at least one caption of the splits test, tarin whose image"):
        read_captioned_images(path, root, splits=("test", "tarin"))


CLIMBS = ["../secret.png", "a/../../secret.png", "OUTSIDE/secret.png", "link.png", "folder/secret.png"]


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize("name", CLIMBS)
def test_a_path_that_leaves_the_root_is_refused_whatever_on_error_says(tmp_path, root, refuses, name, on_error):
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    os.symlink(tmp_path / "secret.png", root / "link.png")
    os.symlink(tmp_path, root / "folder")
    name = name.replace("OUTSIDE", str(tmp_path))
    path = table(tmp_path, [(CAPTIONS[0], NAMES[0]), (CAPTIONS[1], name)], ("title", "filepath"))
    with refuses(name, "outside", "line 3", path, error=BadFile):
        read_captioned_images(path, root, on_error=on_error)


def test_links_inside_the_root_and_a_linked_root_are_read(tmp_path, root):
    os.symlink(NAMES[0], root / "link.png")
    os.symlink(root, tmp_path / "linked")
    path = table(tmp_path, [("a", "link.png"), ("b", f"../images/{NAMES[1]}")], ("title", "filepath"))
    found = read_captioned_images(path, tmp_path / "linked")
    assert [pair.image for pair in found.pairs] == [root / NAMES[0], root / NAMES[1]]


def test_missing_images_are_named_or_counted_and_neighbours_keep_their_pairs(tmp_path, root, refuses):
    path = negclip(tmp_path, ["gone.png", *NAMES[1:4], "x" * 300 + ".png", NAMES[5]])
    with refuses("gone.png", "line 2", path, error=BadFile):
        read_captioned_images(path, root)
    found = read_captioned_images(path, root, on_error="skip")
    assert found.missing == ("gone.png", "x" * 300 + ".png")
    assert found.counts.to_json() == {
        "read": 4,
        "blank": 0,
        "skipped": {"missing image": {"count": 2, "places": ["pairs.tsv:2", "pairs.tsv:6"]}},
    }
    named = {i: pair.caption for i, pair in enumerate(found.pairs)}
    near = {pair.caption: [named[n] for n in pair.neighbours] for pair in found.pairs}
    places = {i: [CAPTIONS.index(caption) for caption in near[CAPTIONS[i]]] for i in (1, 2, 3, 5)}
    assert places == {1: [2, 3], 2: [3], 3: [5], 5: [1]}


BAD = [
    ("empty.tsv", "", ("empty file",)),
    ("columns.tsv", "heading\timage\nx\t0.png\n", ("caption", "line 1")),
    ("image.tsv", "caption\tother\nx\t0.png\n", ("image", "line 2")),
    ("broken.jsonl", '{"image": "0.png", "caption": "x"}\n{"image"\n', ("JSON", "line 2")),
    ("negatives.jsonl", '{"image": "0.png", "caption": "x", "negatives": 3}\n', ("negatives", "line 1")),
    ("lists.tsv", "title\tfilepath\tneg_caption\tneg_image\nx\t0.png\t['a'\t[1]\n", ("list", "line 2")),
    ("rows.tsv", "title\tfilepath\nx\n", ("columns", "line 2")),
]


@pytest.mark.parametrize(("name", "text", "parts"), BAD, ids=[name for name, _, _ in BAD])
def test_a_file_that_is_not_what_it_seems_is_refused_with_its_line(tmp_path, root, refuses, name, text, parts):
    path = write(tmp_path, name, text)
    with refuses(*parts, path, error=BadFile):
        read_captioned_images(path, root)


def test_a_root_that_is_none_and_other_names_are_refused(tmp_path, root, clip, refuses):
    path = negclip(tmp_path)
    with refuses("root", "nowhere", error=BadFile):
        read_captioned_images(path, tmp_path / "nowhere")
    with refuses("on_error", "ignore"):
        read_captioned_images(path, root, on_error="ignore")
    with refuses("batch", 7, 6):
        FolderSource(clip, read_captioned_images(path, root), batch=7, seed=0)


def test_a_folder_gives_the_pairs_of_the_step_with_negatives_of_their_own(tmp_path, root, clip):
    images = read_captioned_images(negclip(tmp_path), root)
    source = FolderSource(clip, images, batch=4, seed=1, negatives=2, alternatives=True, label=word_map)
    batch = source(2, stream(0, "batch", 2))
    rows = rows_of_step(6, 4, 2, seed=1).tolist()
    assert torch.equal(batch.pixels, preprocess([root / NAMES[row] for row in rows], clip.preprocessing))
    assert torch.equal(batch.text_ids, caption_ids([CAPTIONS[row] for row in rows]))
    assert torch.equal(batch.tokens.ids, tokenize(clip, [CAPTIONS[row] for row in rows]).ids)
    assert batch.negatives.mask.sum(1).tolist() == [row % 3 for row in rows]
    for i, row in enumerate(rows):
        own = set(caption_ids(images.pairs[row].negatives).tolist()) if row % 3 else set()
        assert set(batch.negatives.ids[i][batch.negatives.mask[i]].tolist()) == own
        alternative = {caption_ids([CAPTIONS[n]]).item() for n in images.pairs[row].neighbours}
        assert batch.alternatives.text_ids[i].item() in alternative
    expected = word_map(batch.tokens, [CAPTIONS[row] for row in rows])
    assert torch.equal(batch.words, expected.words)
    assert torch.equal(batch.classes, expected.classes)
    again = source(2, stream(0, "batch", 2))
    assert torch.equal(again.negatives.ids, batch.negatives.ids)
    assert torch.equal(again.words, batch.words)
    assert not torch.equal(source(2, stream(9)).alternatives.text_ids, batch.alternatives.text_ids)


def test_a_corrupt_image_stops_with_its_name_or_the_next_pair_takes_its_place(tmp_path, root, clip, refuses):
    whole = (root / NAMES[2]).read_bytes()
    (root / NAMES[2]).write_bytes(whole[: len(whole) // 2])
    (root / NAMES[3]).write_text("no image")
    images = read_captioned_images(negclip(tmp_path), root)
    with refuses(str(root), ".png", error=BadImage):
        FolderSource(clip, images, batch=6, seed=0, workers=1)(0, stream(0))
    source = FolderSource(clip, images, batch=6, seed=0, on_error="skip")
    batch = source(0, stream(0))
    places = rows_of_step(6, 6, 0, seed=0).tolist()
    used = [4 if row in (2, 3) else row for row in places]
    assert torch.equal(batch.text_ids, caption_ids([CAPTIONS[row] for row in used]))
    assert {Path(name).name for name in source.corrupt} == {NAMES[2], NAMES[3]}
    kept = {"on_error": "skip", "found": tmp_path / "of the run" / "damaged.jsonl"}
    kept["found"].parent.mkdir()
    kept["found"].write_text('["cut by a ki')
    assert FolderSource(clip, images, batch=6, seed=0, **kept).corrupt == {}
    FolderSource(clip, images, batch=6, seed=0, **kept)(0, stream(0))
    with kept["found"].open("a") as file:
        file.write('["cut by a ki')
    again = FolderSource(clip, images, batch=6, seed=0, **kept)
    again._add("later", "why")
    assert FolderSource(clip, images, batch=6, seed=0, **kept).corrupt == source.corrupt | {"later": "why"}
    for name in NAMES:
        (root / name).write_text("no image")
    with refuses("decoded", error=BadFile):
        FolderSource(clip, images, batch=6, seed=0, on_error="skip")(0, stream(0))


def test_captions_longer_than_the_context_are_counted(tmp_path, root, clip):
    long = "cat and dog " * 12
    rows = [(long, NAMES[0], [long, "cat"], [1]), ("cat", NAMES[1], [long], [0])]
    path = table(tmp_path, rows, ("title", "filepath", "neg_caption", "neg_image"))
    source = FolderSource(clip, read_captioned_images(path, root), batch=2, seed=0)
    assert source.truncated == {"captions": 1, "negatives": 2}
    assert source(0, stream(0)).tokens.truncated.sum() == 1


def test_a_folder_trains_as_negclip_and_resumes_bit_for_bit(tmp_path, root, clip):
    images = read_captioned_images(negclip(tmp_path), root)
    source = FolderSource(clip, images, batch=3, seed=1, negatives=1, alternatives=True)
    spec = ClipTrainSpec(steps=5, batch=3, warmup=1, checkpoint_every=2)
    arguments = {"objective": ClipObjective("shared", alternatives=True), "seed": 0, "belongs_to": source.identity}
    whole = train_clip(clip, source, spec, **arguments)

    def stop(step: int) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_clip(clip, source, spec, checkpoint=tmp_path / "checkpoint", progress=stop, **arguments)
    resumed = train_clip(clip, source, spec, checkpoint=tmp_path / "checkpoint", **arguments)
    assert torch.equal(resumed.history["loss"], whole.history["loss"])
    pairs = zip(resumed.clip.model.parameters(), whole.clip.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_pairs_in_memory_come_once_per_epoch_in_an_order_of_their_own(clip, refuses):
    tokens = tokenize(clip, CAPTIONS + CAPTIONS[:1])
    data = ClipBatch(torch.zeros(7, 3, 16, 16), tokens, torch.arange(7), caption_ids(CAPTIONS + CAPTIONS[:1]))
    source = in_memory(data, 3, seed=4)
    epochs = [[source(step, stream(0)).image_ids.tolist() for step in (2 * e, 2 * e + 1)] for e in range(3)]
    for first, second in epochs:
        assert len(set(first + second)) == 6
    assert len({tuple(first + second) for first, second in epochs}) == 3
    with refuses("batch", 8, 7):
        in_memory(data, 8, seed=0)
