"""VALSE: a caption against its foil, in eleven pieces on images of five collections."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.reading import (
    defects,
    frozen,
    image_ref,
    in_folder,
    known,
    mark_duplicates,
    read_json,
    text_of,
    value_of,
)
from scmlab.benchmarks.source import VL_COMPO, Source
from scmlab.scm.store import BadFile

PIECES = {
    "existence": ("existence", 534, 505),
    "plurals": ("plurals", 1000, 851),
    "counting-hard": ("counting", 1000, 868),
    "counting-small-quant": ("counting", 1000, 900),
    "counting-adversarial": ("counting", 756, 691),
    "relations": ("relations", 614, 535),
    "action-replacement": ("actions", 779, 648),
    "actant-swap": ("actions", 1042, 949),
    "coreference-standard": ("coreference", 916, 708),
    "coreference-hard": ("coreference", 141, 104),
    "foil-it": ("foil-it", 1000, 943),
}
"""Piece -> its phenomenon, its items, those of them that are valid."""

VALID = 2  # of three annotators

_SOURCES = (
    (re.compile(r"v7w_\d+\.jpg"), "visual7w", ""),
    (re.compile(r"\d{12}\.jpg"), "coco_val2017", ""),
    (re.compile(r"COCO_train2014_\d+\.jpg"), "coco", "train2014/"),
    (re.compile(r"COCO_val2014_\d+\.jpg"), "coco", "val2014/"),
    (re.compile(r"VisualDialog_val2018_\d+\.jpg"), "visdial_val2018", ""),
    (re.compile(r"[a-zA-Z]+_\d+\.jpg"), "swig", ""),
)


def load_valse(annotations: Path, *, pieces: Sequence[str] = tuple(PIECES)) -> Benchmark:
    """VALSE's valid items from its folder data/: an object per piece, key -> image_file, caption, foil, mturk.

    The right caption is captions[0]. Valid, as the official evaluation counts: at least two of three annotators took
    the caption, and not the foil, to describe the image (mturk.caption >= 2). In which collection an image lies is
    read off its name. tags: phenomenon, and mturk (votes for the caption).
    pieces   which files; the others need not be there
    Source: Heidelberg-NLP/VALSE, acc_r: right where the caption's score is above the foil's; a tie is wrong. The
    other official measures (acc, p_c, p_f) need a model that says of one pair whether it fits.
    Errors: an unknown piece; BadFile for a folder without the files, and rows that are not as said.
    """
    return _load("valse", annotations, pieces, VALID)


def load_valse_all(annotations: Path, *, pieces: Sequence[str] = tuple(PIECES)) -> Benchmark:
    """All items of VALSE, also those that annotators did not confirm; all else as of `load_valse`."""
    return _load("valse_all", annotations, pieces, 0)


def _load(name: str, annotations: Path, pieces: Sequence[str], least: int) -> Benchmark:
    chosen = known("pieces", pieces, tuple(PIECES))
    folder = in_folder(annotations, [f"{piece}.json" for piece in chosen])
    items: list[Item] = []
    for piece in chosen:
        path = folder / f"{piece}.json"
        data = read_json(path)
        if not isinstance(data, dict) or not data:
            raise BadFile(f"{path} must be an object of rows by key; got {type(data).__name__} without such rows.")
        rows = (_item(piece, key, row, path) for key, row in data.items())
        items += mark_duplicates([item for item in rows if item.tags["mturk"] >= least])
    expected = {piece: PIECES[piece][2 if least else 1] for piece in chosen}
    return Benchmark(name, tuple(items), "choice", "strict", "valse/1", expected)


def _item(piece: str, key: str, row: Any, path: Path) -> Item:
    place = f"item {key}"
    text = partial(text_of, row, path=path, place=place)
    votes = value_of(value_of(row, "mturk", path, place), "caption", path, f"mturk of {place}")
    if isinstance(votes, bool) or not isinstance(votes, int | float) or not 0 <= votes <= 3:
        raise BadFile(f"`mturk.caption` of {place} in {path} must be the votes of three annotators; got {votes!r:.80}.")
    right, wrong = text("caption"), text("foil")
    root, name = source_of(text("image_file"), path, place)
    return Item(
        key=f"{piece}/{key}",
        images=(image_ref(root, name, path, place),),
        captions=(right, wrong),
        right=((0, 0),),
        category=piece,
        tags=frozen({"phenomenon": PIECES[piece][0], "mturk": float(votes)}),
        defect=defects((right,), (wrong,)),
    )


def source_of(name: str, path: Path, place: str) -> tuple[str, str]:
    """(image root, path below it) of an image by its name alone. Errors: BadFile for a name of no known collection."""
    for pattern, root, folder in _SOURCES:
        if pattern.fullmatch(name):
            return root, f"{folder}{name}"
    raise BadFile(
        f"`image_file` of {place} in {path} must be named as in Visual7W, COCO, Visual Dialog or SWiG; "
        f"got {name!r:.80}."
    )


IMAGES = {
    "visual7w": "images of Visual7W: v7w_2407890.jpg ..., no folders below (existence, counting)",
    "coco_val2017": "val2017/ of COCO: 000000000139.jpg ..., no folders below (plurals, relations)",
    "swig": "images_512/ of SWiG: exercising_255.jpg ..., no folders below (actions)",
    "coco": "holds train2014/ and val2014/ of COCO (coreference-standard, foil-it)",
    "visdial_val2018": "VisualDialog_val2018/ of Visual Dialog: VisualDialog_val2018_000000185565.jpg ..., no folders "
    "below (coreference-hard)",
}
ORIGIN = "github.com/Heidelberg-NLP/VALSE, folder data/; images: Visual7W, COCO 2014 and 2017, SWiG, Visual Dialog"

LOADERS = {
    "valse": Source(
        name="valse",
        title="VALSE",
        load=load_valse,
        files=tuple(f"{piece}.json" for piece in PIECES),
        origin=ORIGIN,
        licence="MIT (annotations); the images' own",
        roots=IMAGES,
        reference={
            "existence": 69.3,
            "plurals": 57.6,
            "counting-hard": 64.5,
            "counting-small-quant": 61.9,
            "counting-adversarial": 58.2,
            "relations": 66.0,
            "action-replacement": 77.8,
            "actant-swap": 71.8,
            "coreference-standard": 54.9,
            "coreference-hard": 51.9,
            "foil-it": 90.1,
        },
        cited=VL_COMPO,
    ),
    "valse_all": Source(
        name="valse_all",
        title="VALSE with the items that annotators did not confirm",
        load=load_valse_all,
        files=tuple(f"{piece}.json" for piece in PIECES),
        origin=ORIGIN,
        licence="MIT (annotations); the images' own",
        roots=IMAGES,
    ),
}
