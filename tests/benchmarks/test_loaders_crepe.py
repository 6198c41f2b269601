import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.loaders.crepe import (
    CORPORA,
    FOLDERS,
    NEGATIVES,
    SPLITS,
    load_crepe_productivity,
    load_crepe_systematicity,
)
from scmlab.benchmarks.scoring import score_items
from scmlab.benchmarks.source import differences
from scmlab.scm.store import BadFile

FIVE = [f"a dog near {number} trees" for number in range(5)]


def row(**changes: object) -> dict:
    return {
        "": 0,
        "region_id": 374,
        "image_id": 2,
        "x": 346,
        "y": 329,
        "width": 452,
        "height": 269,
        "caption": 'a dog, near a "tree"',
        "hard_negs": FIVE,
        "valid_hard_negs_atom": FIVE[:2],
        "valid_hard_negs_comp": FIVE[:3],
        "valid_hard_negs_combined": FIVE,
    } | changes


def table(path: Path, *rows: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def productivity(folder: Path, kind: str = "atom", size: int = 4, *rows: dict) -> Path:
    name = f"prod_hard_negatives/{kind}/prod_vg_hard_negs_{kind}_complexity_{size}.csv"
    return table(folder / name, *(rows or (row(),)))


def load(folder: Path, *rows: dict):
    productivity(folder, "atom", 4, *rows)
    return load_crepe_productivity(folder, negatives=["atom"], complexities=[4])


def test_all_files_of_productivity_are_read(tmp_path):
    for kind in NEGATIVES:
        for size in range(4, 13):
            productivity(tmp_path, kind, size)
    benchmark = load_crepe_productivity(tmp_path)
    assert (benchmark.rule, benchmark.aggregate, benchmark.roots) == ("choice", "crepe/1", ("vg",))
    assert [item.category for item in benchmark.items] == [
        f"{kind}/{size}" for kind in NEGATIVES for size in range(4, 13)
    ]
    assert load_crepe_productivity(tmp_path / "prod_hard_negatives") == benchmark
    assert differences(benchmark) == ()  # the number of items is not known


def test_a_row_becomes_a_choice_among_six_with_its_crop(tmp_path):
    (item,) = load(tmp_path).items
    assert item.captions == ('a dog, near a "tree"', *FIVE)
    assert item.images[0].box == (346.0, 329.0, 452.0, 269.0)
    assert str(item.images[0].path) == "2.jpg"
    assert (item.key, item.right, item.defect) == ("atom/4/0", ((0, 0),), "")
    assert FOLDERS == ("", "VG_100K", "VG_100K_2")


def test_a_tie_among_six_is_right_as_the_official_sort_leaves_it(tmp_path):
    ranks = torch.argsort(torch.full((1, 6), 0.25), descending=True)
    assert int(torch.where(ranks == 0)[1]) == 0
    assert load(tmp_path).ties == "first"


def test_defects_are_marked_and_kept(tmp_path):
    rows = (
        row(),
        row(),
        row(hard_negs=FIVE[:4]),
        row(hard_negs=[]),
        row(hard_negs=[*FIVE[:4], 'a dog, near a "tree"']),
        row(width=0),
    )
    assert [item.defect for item in load(tmp_path, *rows).items] == [
        "",
        "duplicate of atom/4/0",
        "4 negatives instead of 5",
        "0 negatives instead of 5",
        "positive equals negative",
        "empty box",
    ]


def test_a_row_without_negatives_is_scored_as_the_first_of_one(tmp_path):
    benchmark = load(tmp_path, row(hard_negs=[]), row())
    assert score_items(benchmark, [np.zeros((1, 1)), np.zeros((1, 6)) + np.eye(1, 6, 1)]).correct.tolist() == [1, 0]


@pytest.mark.parametrize("corpus", CORPORA)
def test_systematicity_has_two_kinds_of_negatives_of_any_number(tmp_path, corpus):
    for split in SPLITS:
        name = f"syst_hard_negatives/syst_vg_hard_negs_{split}_in_{corpus}.csv"
        table(tmp_path / name, row(), row(image_id="3.0", valid_hard_negs_atom=[]))  # duplicates are those of a file
    benchmark = BENCHMARKS[f"crepe_systematicity_{corpus}"].load(tmp_path)
    assert benchmark.name == f"crepe_systematicity_{corpus}"
    found = [(item.category, len(item.captions), item.defect) for item in benchmark.items]
    assert found == [
        ("atom/seen_compounds", 3, ""),
        ("atom/seen_compounds", 1, "no negatives"),
        ("atom/unseen_compounds", 3, ""),
        ("atom/unseen_compounds", 1, "no negatives"),
        ("comp/seen_compounds", 4, ""),
        ("comp/seen_compounds", 4, ""),
        ("comp/unseen_compounds", 4, ""),
        ("comp/unseen_compounds", 4, ""),
    ]
    combined = BENCHMARKS[f"crepe_systematicity_{corpus}"].load(tmp_path, negatives=["combined"], splits=SPLITS[:1])
    assert [(item.category, len(item.captions)) for item in combined.items] == [("combined/seen_compounds", 6)] * 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_id": "../2"}, "`image_id` of item 1"),
        ({"image_id": "VG_100K/2"}, "must be the number of an image"),
        ({"image_id": "²"}, "`image_id` of item 1"),
        ({"x": "left"}, "`x` of item 1"),
        ({"height": "nan"}, "`height` of item 1"),
        ({"hard_negs": "a dog"}, "must be a list of captions; got 'a dog'"),
        ({"hard_negs": "['a', 5]"}, "`hard_negs` of item 1"),
        ({"hard_negs": "[__import__('os').getcwd()]"}, "must be a list of captions"),
        ({"hard_negs": "[" * 3000}, "`hard_negs` of item 1"),
        ({"caption": "a\x07dog"}, "`caption` of item 1"),
    ],
)
def test_bad_rows_are_refused_with_file_and_place(tmp_path, refuses, changes, said):
    with refuses(said, "complexity_4.csv", error=BadFile):
        load(tmp_path, row(), row(**changes))


def test_bad_files_and_options_are_refused(tmp_path, refuses):
    path = productivity(tmp_path)
    with refuses("has no swap/prod_vg_hard_negs_swap_complexity_4.csv", error=BadFile):
        load_crepe_productivity(tmp_path, complexities=[4])
    with refuses("`complexities` must be different ones of 4, 5", "got 3"):
        load_crepe_productivity(tmp_path, complexities=[3, 4])
    with refuses("`negatives` must be different ones of atom, swap, negate; got comp"):
        load_crepe_productivity(tmp_path, negatives=["comp"])
    with refuses("`corpus` must be", "got coco"):
        load_crepe_systematicity(tmp_path, corpus="coco")
    path.write_text("image_id,x,y,width,height,caption\n2,1,2,3,4,a dog\n")
    with refuses("must have a column hard_negs", error=BadFile):
        load_crepe_productivity(tmp_path, negatives=["atom"], complexities=[4])
    path.write_text("image_id,x,y,width,height,caption,hard_negs\n")
    with refuses("must hold rows", error=BadFile):
        load_crepe_productivity(tmp_path, negatives=["atom"], complexities=[4])
