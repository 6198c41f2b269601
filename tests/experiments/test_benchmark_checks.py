"""Each check of the experiment `benchmark` fails on lists that break it."""

from math import nan
from pathlib import PurePosixPath

import pytest

from scmlab.benchmarks.aggregates import AGGREGATES
from scmlab.benchmarks.images import Coverage
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.known import BENCHMARKS
from scmlab.experiments.benchmark.checks import checks
from scmlab.experiments.benchmark.config import TINY
from scmlab.experiments.benchmark.plan import Task


def row(value, *, low=None, control=None, model="one", seeds=1):
    return {"setting": "sugarcrepe", "control": control, "model": model, "aggregate": "sugarcrepe/1", "number": "all",
            "headline": True, "value": value, "low": low, "seeds": seeds}  # fmt: skip


def checked(rows, *, missing=0, first=60.0, expected=1):
    """Name of a check -> (held, measured)."""
    image = ImageRef("coco_val2017", PurePosixPath("1.jpg"))
    item = Item("add_obj/0", (image,), ("a cat", "a dog"), ((0, 0),), "add_obj")
    benchmark = Benchmark("sugarcrepe", (item,), "choice", "strict", "sugarcrepe/1", {"add_obj": expected})
    task = Task(benchmark, BENCHMARKS["sugarcrepe"], Coverage({image: None}, (), 1, 0), (AGGREGATES["sugarcrepe/1"],))
    tie = {"setting": "sugarcrepe", "control": None, "model": "one", "number": "all", "strict": 60.0, "first": first}
    lists = {"rows": rows, "counts": [{"setting": "sugarcrepe", "missing": missing}], "ties": [tie]}
    return {one["name"]: (one["held"], one["measured"]) for one in checks(TINY, (task,), lists)}


def blind(value, **more):
    return row(value, **({"control": "shorter", "model": None} | more))


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        ([row(60.0, low=55.0), blind(50.0)], True),
        ([row(60.0, low=49.0), blind(50.0)], False),
        ([row(60.0, low=50.0), blind(50.0)], False),
        ([row(60.0, low=nan), blind(50.0)], False),
        ([row(60.0, low=55.0), blind(50.0), blind(58.0, control="typical", model="one")], False),
        ([row(60.0, low=55.0), blind(50.0), blind(58.0, control="typical", model="other")], True),
        ([row(60.0, low=55.0), blind(50.0), blind(59.0, control="chance")], False),
        ([row(60.0, seeds=2), blind(59.0)], True),
        ([row(60.0, seeds=2), blind(61.0)], False),
    ],
)
def test_a_model_is_beyond_blind_where_its_interval_is_above_every_baseline_of_its_own(rows, held):
    assert checked(rows)["one: beyond blind"][0] is held


def test_ties_missing_images_and_other_numbers_of_items_are_each_seen():
    rows = [row(60.0, low=55.0), blind(50.0)]
    good = checked(rows)
    assert all(held for held, _ in good.values())
    assert set(good) == {"number of items", "images", "one: beyond blind", "one: ties"}
    assert checked(rows, first=60.6)["one: ties"] == (False, "at most 0.60")
    assert checked(rows, first=60.5)["one: ties"][0]
    assert checked(rows, missing=1)["images"] == (False, "0 of 1 items")
    assert checked(rows, expected=2)["number of items"] == (False, "1; add_obj: 1, not 2")
