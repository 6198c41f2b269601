"""Retrieval between images and captions on Karpathy's test splits of COCO and Flickr30k."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.reading import (
    defects,
    file_of,
    image_ref,
    mark_duplicates,
    numbered,
    read_json,
    rows_of,
    text_of,
    unique_keys,
    usable,
    value_of,
)
from scmlab.benchmarks.source import CAPTIONS, VL_COMPO, Source
from scmlab.scm.store import BadFile

FILES = {
    "coco": ("dataset_coco.json", "coco_karpathy_test.json"),
    "flickr30k": ("dataset_flickr30k.json", "flickr30k_test.json"),
}
OFFICIAL = {"coco": {"test": 5000, CAPTIONS: 25010}, "flickr30k": {"test": 1000, CAPTIONS: 5000}}
SPLITS = ("train", "restval", "val", "test")


def load_retrieval(annotations: Path, *, dataset: str, split: str = "test") -> Benchmark:
    """Images of a split with all their captions: Karpathy's own file, or the list of image and caption made from it.

    dataset_coco.json, dataset_flickr30k.json   an object whose `images` have filename, split, sentences with raw, and
                                                for COCO filepath ("val2014")
    coco_karpathy_test.json, flickr30k_test.json   a list of image ("val2014/...", "flickr30k-images/...") and caption,
                                                   a list of captions
    One item per image, all its captions right; captions as in the file. Official code leaves a tie to the order of a
    sort; here a wrong one with the same score stands before.
    dataset   'coco' or 'flickr30k'
    split     of Karpathy's file: train, restval, val or test; a list holds one split, taken for this one
    Errors: an unknown dataset or split; a split without images; BadFile for rows that are not as said.
    """
    if dataset not in FILES:
        raise ValueError(f"`dataset` must be one of {', '.join(FILES)}; got {dataset!r}.")
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(SPLITS)}; got {split!r}.")
    path = file_of(annotations, FILES[dataset])
    data = read_json(path)
    if isinstance(data, dict):
        rows = rows_of(value_of(data, "images", path, "the object"), path)
        items = [
            _karpathy(row, path, place, dataset, split)
            for place, row in numbered(rows)
            if text_of(row, "split", path, place) == split
        ]
    else:
        items = [_listed(row, path, place, dataset, split) for place, row in numbered(rows_of(data, path))]
    if not items:
        there = ", ".join(sorted(Counter(str(row.get("split")) for row in rows)))
        raise BadFile(f"{path} must hold images of the split {split}; got {there}.")
    unique_keys(items, path)
    expected = OFFICIAL[dataset] if split == "test" else {}
    return Benchmark(f"{dataset}_retrieval", mark_duplicates(items), "retrieval", "strict", "retrieval/1", expected)


def _karpathy(row: Any, path: Path, place: str, dataset: str, split: str) -> Item:
    folder = text_of(row, "filepath", path, place) if dataset == "coco" else "flickr30k-images"
    sentences = value_of(row, "sentences", path, place)
    if not isinstance(sentences, list):
        raise BadFile(f"`sentences` of {place} in {path} must be a list; got {sentences!r:.80}.")
    captions = [text_of(sentence, "raw", path, f"a sentence of {place}") for sentence in sentences]
    return _item(f"{folder}/{text_of(row, 'filename', path, place)}", captions, path, place, dataset, split)


def _listed(row: Any, path: Path, place: str, dataset: str, split: str) -> Item:
    captions = value_of(row, "caption", path, place)
    if not isinstance(captions, list):
        raise BadFile(f"`caption` of {place} in {path} must be a list of captions; got {captions!r:.80}.")
    captions = [usable(caption, f"A caption of {place}", path) for caption in captions]
    return _item(text_of(row, "image", path, place), captions, path, place, dataset, split)


def _item(name: str, captions: list[str], path: Path, place: str, dataset: str, split: str) -> Item:
    if not captions:
        raise BadFile(f"{place} in {path} must have captions; got none.")
    return Item(
        key=name,
        images=(image_ref(dataset, name, path, place),),
        captions=tuple(captions),
        right=tuple((0, number) for number in range(len(captions))),
        category=split,
        defect=defects(captions, ()),
    )


LOADERS = {
    "coco_retrieval": Source(
        name="coco_retrieval",
        title="COCO retrieval, Karpathy's test split",
        load=partial(load_retrieval, dataset="coco"),
        files=FILES["coco"],
        origin="cs.stanford.edu/people/karpathy/deepimagesent (dataset_coco.json), or the list at "
        "storage.googleapis.com/sfr-vision-language-research/datasets; images: COCO val2014",
        licence="not stated (split); the images' own",
        roots={"coco": "the folder that holds val2014/: val2014/COCO_val2014_000000391895.jpg ..."},
        reference={"image_to_text_r1": 50.12, "text_to_image_r1": 30.45},
        cited=VL_COMPO,
    ),
    "flickr30k_retrieval": Source(
        name="flickr30k_retrieval",
        title="Flickr30k retrieval, Karpathy's test split",
        load=partial(load_retrieval, dataset="flickr30k"),
        files=FILES["flickr30k"],
        origin="cs.stanford.edu/people/karpathy/deepimagesent (dataset_flickr30k.json), or the list at "
        "storage.googleapis.com/sfr-vision-language-research/datasets; images: on request at "
        "forms.illinois.edu/sec/229675",
        licence="not stated (split); images on request, research only",
        roots={"flickr30k": "the folder that holds flickr30k-images/: flickr30k-images/1007129816.jpg ..."},
        reference={"image_to_text_r1": 78.8, "text_to_image_r1": 58.76},
        cited=VL_COMPO,
    ),
}
