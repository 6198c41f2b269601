"""SugarCrepe, its unrefined data, and SugarCrepe++: one COCO image, right captions and a hard negative."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item, Rule
from scmlab.benchmarks.reading import (
    defects,
    image_ref,
    in_folder,
    known,
    mark_duplicates,
    numbered,
    read_json,
    rows_of,
    text_of,
    unique_keys,
    value_of,
)
from scmlab.benchmarks.source import VL_COMPO, Source
from scmlab.scm.store import BadFile

ROOT = "coco_val2017"

REFINED = {
    "add_obj": 2062,
    "add_att": 692,
    "replace_obj": 1652,
    "replace_att": 788,
    "replace_rel": 1406,
    "swap_obj": 245,
    "swap_att": 666,
}
"""Items of the release in which swap_obj lacks one of the keys 0..245; older tables count 246."""

UNREFINED = {
    "add_obj": 3967,
    "add_att": 1789,
    "replace_obj": 3124,
    "replace_att": 1703,
    "replace_rel": 3177,
    "swap_obj": 1413,
    "swap_att": 2305,
}

PLUS_PLUS = {name: count for name, count in REFINED.items() if not name.startswith("add")}

Rows = Callable[[Any, Path], Iterable[tuple[str, Any]]]


def load_sugarcrepe(annotations: Path, *, categories: Sequence[str] = tuple(REFINED)) -> Benchmark:
    """SugarCrepe from its folder data/: one object per category, key -> filename, caption, negative_caption.

    The right caption is captions[0]; captions are as in the file, spaces around them included. Keys have gaps.
    categories   which files; the others need not be there
    Source: RAIVNLab/sugar-crepe: right where the score of the caption is above that of the negative; a tie is wrong.
    Errors: an unknown category; BadFile for a folder without the files, and rows that are not as said.
    """
    return _load("sugarcrepe", "choice", "sugarcrepe/1", REFINED, annotations, categories)


def load_sugarcrepe_unrefined(annotations: Path, *, categories: Sequence[str] = tuple(UNREFINED)) -> Benchmark:
    """The candidates before adversarial filtering, from data_unrefined/; all else as of `load_sugarcrepe`."""
    return _load("sugarcrepe_unrefined", "choice", "sugarcrepe/1", UNREFINED, annotations, categories)


def load_sugarcrepe_pp(annotations: Path, *, categories: Sequence[str] = tuple(PLUS_PLUS)) -> Benchmark:
    """SugarCrepe++ from its folder data/: one list per category of id, filename, caption, caption2, negative_caption.

    Captions are (caption, caption2, negative). Right where both positives are above the negative (ITT). The text-only
    measure (TOT) needs no more than these captions: with s the cosine of two captions, it is right where
    s(0, 1) > s(0, 2) and s(0, 1) > s(1, 2). Ties are wrong in both.
    Source: Sri-Harsha/scpp. Errors: as of `load_sugarcrepe`.
    """
    return _load("sugarcrepe_pp", "both", "sugarcrepe_pp/1", PLUS_PLUS, annotations, categories)


def _load(
    name: str, rule: Rule, aggregate: str, official: Mapping[str, int], annotations: Path, categories: Sequence[str]
) -> Benchmark:
    chosen = known("categories", categories, tuple(official))
    folder = in_folder(annotations, [f"{category}.json" for category in chosen])
    items: list[Item] = []
    for category in chosen:
        path = folder / f"{category}.json"
        made = [_item(category, key, row, path, rule) for key, row in _rows(read_json(path), path, rule)]
        unique_keys(made, path)
        items += made
    expected = {category: official[category] for category in chosen}
    return Benchmark(name, mark_duplicates(items), rule, "strict", aggregate, expected)


def _rows(data: Any, path: Path, rule: Rule) -> Iterable[tuple[str, Any]]:
    """Rows with their keys: of an object (SugarCrepe), of a list (SugarCrepe++)."""
    if rule == "both":
        return [(str(value_of(row, "id", path, place)), row) for place, row in numbered(rows_of(data, path))]
    if not isinstance(data, dict) or not data:
        what = "a list, as SugarCrepe++ has" if isinstance(data, list) and data else "no object with entries"
        raise BadFile(f"{path} must be an object of rows by key; got {what}.")
    return data.items()


def _item(category: str, key: str, row: Any, path: Path, rule: Rule) -> Item:
    place = f"item {key}"
    text = partial(text_of, row, path=path, place=place)
    right = (text("caption"), text("caption2")) if rule == "both" else (text("caption"),)
    wrong = text("negative_caption")
    return Item(
        key=f"{category}/{key}",
        images=(image_ref(ROOT, text("filename"), path, place),),
        captions=(*right, wrong),
        right=tuple((0, place) for place in range(len(right))),
        category=category,
        defect=defects(right, (wrong,)),
    )


COCO = {ROOT: "val2017/ of COCO: 000000000139.jpg ..., no folders below"}

LOADERS = {
    "sugarcrepe": Source(
        name="sugarcrepe",
        title="SugarCrepe",
        load=load_sugarcrepe,
        files=tuple(f"{name}.json" for name in REFINED),
        origin="github.com/RAIVNLab/sugar-crepe, folder data/; images: COCO val2017",
        licence="MIT (annotations); the images' own",
        roots=COCO,
        reference={
            "replace_obj": 90.92,
            "replace_att": 80.08,
            "replace_rel": 69.20,
            "swap_obj": 61.22,
            "swap_att": 63.96,
            "add_obj": 77.21,
            "add_att": 68.79,
        },
        cited=VL_COMPO,
    ),
    "sugarcrepe_unrefined": Source(
        name="sugarcrepe_unrefined",
        title="SugarCrepe before its adversarial filter",
        load=load_sugarcrepe_unrefined,
        files=tuple(f"{name}.json" for name in UNREFINED),
        origin="github.com/RAIVNLab/sugar-crepe, folder data_unrefined/; images: COCO val2017",
        licence="MIT (annotations); the images' own",
        roots=COCO,
    ),
    "sugarcrepe_pp": Source(
        name="sugarcrepe_pp",
        title="SugarCrepe++",
        load=load_sugarcrepe_pp,
        files=tuple(f"{name}.json" for name in PLUS_PLUS),
        origin="github.com/Sri-Harsha/scpp, folder data/; images: COCO val2017",
        licence="CC-BY-4.0 (annotations); the images' own",
        roots=COCO,
    ),
}
