"""CREPE: a region of a Visual Genome image, its caption and several hard negatives."""

import ast
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.loaders.regions import box_of, empty_box
from scmlab.benchmarks.loaders.tables import read_csv
from scmlab.benchmarks.reading import defects, image_ref, in_folder, known, mark_duplicates, numbered, text_of
from scmlab.benchmarks.source import Source
from scmlab.scm.store import BadFile

ROOT = "vg"
FOLDERS = ("", "VG_100K", "VG_100K_2")
"""Folders below the root in which an image may lie: the files name it by its number alone."""

NEGATIVES = ("atom", "swap", "negate")
COMPLEXITIES = tuple(range(4, 13))
CORPORA = ("cc12m", "yfcc", "laion")
SPLITS = ("seen_compounds", "unseen_compounds")
_BOX = ("x", "y", "width", "height")


def load_crepe_productivity(
    annotations: Path,
    *,
    negatives: Sequence[str] = NEGATIVES,
    complexities: Sequence[int] = COMPLEXITIES,
) -> Benchmark:
    """Productivity: captions of 4 to 12 atoms against five negatives each, from prod_hard_negatives/.

    The right caption is captions[0]; the image is cropped to x, y, width, height; category "NEGATIVES/COMPLEXITY",
    "atom/4". The images are named by number: they may lie in the root, in VG_100K/ or in VG_100K_2/ below it.
    negatives      atom (another atom), swap (two atoms change places), negate
    complexities   of 4 to 12
    Source: RAIVNLab/CREPE, R@1 of the caption among six. A tie: the official code sorts, the right caption standing
    first, and that sort keeps the order of six equal scores: it is right.
    Errors: unknown options; BadFile for a folder without the files, and rows that are not as said.
    """
    kinds = known("negatives", negatives, NEGATIVES)
    sizes = known("complexities", [str(size) for size in complexities], [str(size) for size in COMPLEXITIES])
    names = {
        f"{kind}/{size}": f"{kind}/prod_vg_hard_negs_{kind}_complexity_{size}.csv" for kind in kinds for size in sizes
    }
    folder = _folder(annotations, "prod_hard_negatives", list(names.values()))
    items = [
        item for category, name in names.items() for item in _items(folder / name, category, "hard_negs", expected=5)
    ]
    return Benchmark("crepe_productivity", tuple(items), "choice", "first", "crepe/1")


def load_crepe_systematicity(
    annotations: Path, *, corpus: str, negatives: Sequence[str] = ("atom", "comp"), splits: Sequence[str] = SPLITS
) -> Benchmark:
    """Systematicity: compounds seen or unseen in what a model was trained on, from syst_hard_negatives/.

    Meant for models trained on that corpus alone; for others seen and unseen say nothing. Category "NEGATIVES/SPLIT",
    "atom/seen_compounds"; the number of negatives varies. All else as of `load_crepe_productivity`.
    corpus      cc12m, yfcc or laion
    negatives   atom, comp (compounds), combined (those of both)
    splits      seen_compounds, unseen_compounds
    """
    known("corpus", [corpus], CORPORA)
    kinds = known("negatives", negatives, ("atom", "comp", "combined"))
    names = {split: f"syst_vg_hard_negs_{split}_in_{corpus}.csv" for split in known("splits", splits, SPLITS)}
    folder = _folder(annotations, "syst_hard_negatives", list(names.values()))
    items = [
        item
        for kind in kinds
        for split, name in names.items()
        for item in _items(folder / name, f"{kind}/{split}", f"valid_hard_negs_{kind}", expected=None)
    ]
    return Benchmark(f"crepe_systematicity_{corpus}", tuple(items), "choice", "first", "crepe/1")


def _folder(annotations: Path, name: str, files: list[str]) -> Path:
    below = (annotations / above / name for above in ("", "data", "crepe"))
    return in_folder(next(filter(Path.is_dir, below), annotations), files)


def _items(path: Path, category: str, column: str, expected: int | None) -> tuple[Item, ...]:
    rows = read_csv(path, ("image_id", *_BOX, "caption", column))
    if not rows:
        raise BadFile(f"{path} must hold rows; got only a header.")
    return mark_duplicates([_item(row, path, place, category, column, expected) for place, row in numbered(rows)])


def _item(row: dict[str, str], path: Path, place: str, category: str, column: str, expected: int | None) -> Item:
    text = partial(text_of, row, path=path, place=place)
    right, wrong = text("caption"), _list(text(column), column, path, place)
    box = box_of({key: _number(text(key)) for key in _BOX}, _BOX, path, place)
    number = text("image_id").removesuffix(".0")
    if not (number.isascii() and number.isdigit()):
        raise BadFile(f"`image_id` of {place} in {path} must be the number of an image; got {number!r:.80}.")
    unlike = expected is not None and len(wrong) != expected
    found = [
        defects((right,), wrong),
        f"{len(wrong)} negatives instead of {expected}" if unlike else "" if wrong else "no negatives",
        empty_box(box),
    ]
    return Item(
        key=f"{category}/{place.removeprefix('item ')}",
        images=(image_ref(ROOT, f"{number}.jpg", path, place, box),),
        captions=(right, *wrong),
        right=((0, 0),),
        category=category,
        defect="; ".join(filter(None, found)),
    )


def _list(value: str, column: str, path: Path, place: str) -> list[str]:
    """The texts of a list written as Python; nothing is run."""
    try:
        texts = ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadFile(f"`{column}` of {place} in {path} must be a list of captions; got {value!r:.80}.")
    return [text_of({column: text}, column, path, place) for text in texts]


def _number(value: str) -> float | str:
    """The number, or the text itself where it is none."""
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value


IMAGES = {ROOT: "Visual Genome: holds VG_100K/ and VG_100K_2/, or all images"}
ORIGIN = "github.com/RAIVNLab/CREPE; images: Visual Genome"
LICENCE = "not known; the images' own"

LOADERS = {
    "crepe_productivity": Source(
        name="crepe_productivity",
        title="CREPE: productivity",
        load=load_crepe_productivity,
        files=("prod_hard_negatives/{atom,swap,negate}/prod_vg_hard_negs_{...}_complexity_{4..12}.csv",),
        origin=ORIGIN,
        licence=LICENCE,
        roots=IMAGES,
    ),
    **{
        f"crepe_systematicity_{corpus}": Source(
            name=f"crepe_systematicity_{corpus}",
            title=f"CREPE: systematicity, for models trained on {corpus}",
            load=partial(load_crepe_systematicity, corpus=corpus),
            files=tuple(f"syst_hard_negatives/syst_vg_hard_negs_{split}_in_{corpus}.csv" for split in SPLITS),
            origin=ORIGIN,
            licence=LICENCE,
            roots=IMAGES,
        )
        for corpus in CORPORA
    },
}
