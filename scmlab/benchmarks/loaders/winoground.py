"""Winoground and ColorSwap: two images and two captions of the same words."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.loaders.parquet_images import COLORSWAP, WINOGROUND, image_name
from scmlab.benchmarks.reading import (
    defects,
    file_of,
    frozen,
    image_ref,
    known,
    mark_duplicates,
    numbered,
    read_json,
    read_jsonl,
    read_parquet,
    rows_of,
    text_of,
    unique_keys,
    value_of,
)
from scmlab.benchmarks.source import ALL, VL_COMPO, Source
from scmlab.scm.store import BadFile

COLUMNS = ("id", "image_0", "image_1", "caption_0", "caption_1", "tag", "secondary_tag", "num_main_preds",
           "collapsed_tag")  # fmt: skip
FINE = ("Ambiguously Correct", "Complex Reasoning", "Non Minimal", "Unusual Image", "Unusual Text",
        "Visually Difficult")  # fmt: skip
COLORSWAP_COLUMNS = ("id", "caption_1", "caption_2", "image_1", "image_2")
SPLITS = ("train", "test")


def load_winoground(annotations: Path, *, fine_tags: Path | None = None, subset: Path | None = None) -> Benchmark:
    """Winoground: test*.parquet of today's release, or examples.jsonl of the older one; or its folder.

    Images are named as in the file, with .png. Today's release holds them inside the Parquet file: `extract_images`
    writes them out once. category: the collapsed tag (Object, Relation, Both); tags: tag, secondary_tag,
    num_main_preds and, with `fine_tags`, "fine:NAME" = 1 for each fine tag and "fine:none" = 1 for none.
    fine_tags   new_tag_assignments.json of ajd12342/why-winoground-hard: id -> list of fine tags
    subset      JSON list of ids: only these items, such as the 171 without a fine tag that some tables use
    Source: facebook/winoground; scores are text, image and group, all strict.
    Errors: BadFile for rows, tags or ids that are not as said.
    """
    path = _newest(annotations, ("examples.jsonl", "data/examples.jsonl"), "test")
    rows = read_parquet(path, COLUMNS) if path.suffix == ".parquet" else rows_of(read_jsonl(path), path)
    tags = _fine_tags(fine_tags) if fine_tags else None
    items = [_winoground(row, path, place, tags) for place, row in numbered(rows)]
    unique_keys(items, path)
    if tags is not None and set(tags) != {item.key for item in items}:
        missing = sorted(set(tags) ^ {item.key for item in items}, key=lambda key: (len(key), key))
        raise BadFile(f"{fine_tags} must hold the ids of {path}; {missing[0]} is in one of them only.")
    expected = {ALL: 400}
    if subset:
        chosen, expected = _subset(subset), {}
        if unknown := sorted(chosen - {item.key for item in items}):
            raise BadFile(f"{subset} must hold ids of {path}; got {unknown[0]}.")
        items = [item for item in items if item.key in chosen]
    return Benchmark("winoground", mark_duplicates(items), "group", "strict", "winoground/1", expected)


def load_colorswap(annotations: Path, *, splits: Sequence[str] = SPLITS) -> Benchmark:
    """ColorSwap: train.json and test.json (lists of id, caption_1, caption_2, image_1, image_2), or as Parquet.

    category: the split. Images are named as in the file, below the folder that holds images/. Scored as Winoground.
    splits   which of train and test; the other need not be there
    Source: Top34051/colorswap. Errors: an unknown split; BadFile for rows that are not as said.
    """
    items: list[Item] = []
    chosen = known("splits", splits, SPLITS)
    if os.path.isfile(annotations):
        chosen = tuple(split for split in chosen if annotations.name.startswith(split))
        if not chosen:
            raise BadFile(f"`annotations` must be a file of {' or '.join(splits)}, by its name; got {annotations}.")
    for split in chosen:
        path = _newest(annotations, (f"{split}.json", f"data/{split}.json"), split)
        parquet = path.suffix == ".parquet"
        rows = read_parquet(path, COLORSWAP_COLUMNS) if parquet else rows_of(read_json(path), path)
        made = [_colorswap(row, path, place, split) for place, row in numbered(rows)]
        unique_keys(made, path)
        items += made
    expected = {ALL: 1000} if len(chosen) == len(SPLITS) else {}
    return Benchmark("colorswap", mark_duplicates(items), "group", "strict", "winoground/1", expected)


def _newest(annotations: Path, names: tuple[str, ...], split: str) -> Path:
    """The Parquet file of the split where there is one, else the file of these names."""
    found = sorted(annotations.glob(f"{split}*.parquet")) + sorted(annotations.glob(f"data/{split}*.parquet"))
    if len(found) > 1:
        raise BadFile(f"`annotations` must hold one Parquet file of {split}; got {', '.join(map(str, found))}.")
    return found[0] if found else file_of(annotations, (*names, f"{split}-*.parquet"))


def _winoground(row: Any, path: Path, place: str, tags: Mapping[str, tuple[str, ...]] | None) -> Item:
    key = str(value_of(row, "id", path, place))
    text = partial(text_of, row, path=path, place=f"item {key}")
    images = [image_name(row, column, key, path) for column in WINOGROUND]
    captions = (text("caption_0"), text("caption_1"))
    said: dict[str, str | float] = {name: text(name) for name in ("tag", "secondary_tag")}
    predicates = value_of(row, "num_main_preds", path, f"item {key}")
    if predicates not in (1, 2):
        raise BadFile(f"`num_main_preds` of item {key} in {path} must be 1 or 2; got {predicates!r:.80}.")
    said["num_main_preds"] = float(predicates)
    for name in (tags or {}).get(key, ()) or (("none",) if tags is not None else ()):
        said[f"fine:{name}"] = 1.0
    return Item(
        key=key,
        images=tuple(image_ref("winoground", name, path, f"item {key}") for name in images),
        captions=captions,
        right=((0, 0), (1, 1)),
        category=text("collapsed_tag"),
        tags=frozen(said),
        defect=defects(captions[:1], captions[1:]),
    )


def _colorswap(row: Any, path: Path, place: str, split: str) -> Item:
    key = str(value_of(row, "id", path, place))
    text = partial(text_of, row, path=path, place=f"item {key}")
    images = [image_name(row, column, key, path) for column in COLORSWAP]
    captions = (text("caption_1"), text("caption_2"))
    more = {name: row[name] for name in ("image_source", "caption_source") if isinstance(row.get(name), str)}
    return Item(
        key=f"{split}/{key}",
        images=tuple(image_ref("colorswap", name, path, f"item {key}") for name in images),
        captions=captions,
        right=((0, 0), (1, 1)),
        category=split,
        tags=frozen(more),
        defect=defects(captions[:1], captions[1:]),
    )


def _fine_tags(path: Path) -> dict[str, tuple[str, ...]]:
    data = read_json(path)
    if not isinstance(data, dict) or not data:
        raise BadFile(f"{path} must be an object of lists of tags by id; got {type(data).__name__}.")
    for key, names in data.items():
        if not isinstance(names, list) or any(name not in FINE for name in names):
            raise BadFile(f"The tags of {key} in {path} must be a list of {', '.join(FINE)}; got {names!r:.80}.")
    return {key: tuple(names) for key, names in data.items()}


def _subset(path: Path) -> set[str]:
    ids = rows_of(read_json(path), path)
    if any(isinstance(key, (dict, list, bool)) for key in ids) or len(set(map(str, ids))) < len(ids):
        raise BadFile(f"{path} must be a list of different ids; got an id twice or something else.")
    return set(map(str, ids))


LOADERS = {
    "winoground": Source(
        name="winoground",
        title="Winoground",
        load=load_winoground,
        files=("data/test-*.parquet, or examples.jsonl of the older release",),
        origin="huggingface.co/datasets/facebook/winoground (gated: accept its terms), images inside or images.zip",
        licence="research only, no redistribution (images of Getty Images)",
        roots={"winoground": "images/: ex_0_img_0.png, ex_0_img_1.png ..., no folders below"},
        reference={"text": 31.25, "image": 11.0, "group": 8.75},
        cited=VL_COMPO,
    ),
    "colorswap": Source(
        name="colorswap",
        title="ColorSwap",
        load=load_colorswap,
        files=("train.json", "test.json"),
        origin="github.com/Top34051/colorswap (its README links the archive), or the Parquet files on Hugging Face",
        licence="MIT (code)",
        roots={"colorswap": "the folder that holds images/: images/img_0_1.png ..."},
    ),
}
