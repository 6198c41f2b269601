"""Rules of the experiment `benchmark` that need no model: published numbers, ties of what is blind, empty boxes."""

from dataclasses import replace
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np
import pytest
from PIL import Image

from scmlab.benchmarks.aggregates import AGGREGATES
from scmlab.benchmarks.images import resolve
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.scoring import score_items
from scmlab.experiments.benchmark.config import TINY
from scmlab.experiments.benchmark.entries import numbers_of, numbers_of_blind
from scmlab.experiments.benchmark.plan import Task, stop_at_missing
from scmlab.experiments.benchmark.score import POLICIES, Result

NONE = {"model": None, "seed": None}


def task(tmp_path, name="coco_order", aggregate="order/1", ties="first", boxes=(None, None)):
    """Two items of two captions of one length each; the images are there."""
    for number in range(2):
        Image.new("RGB", (4, 4)).save(tmp_path / f"{number}.png")
    items = tuple(
        Item(str(number), (ImageRef("coco", PurePosixPath(f"{number}.png"), box),), ("a b", "b a"), ((0, 0),), "order")
        for number, box in enumerate(boxes)
    )
    benchmark = Benchmark(name, items, "choice", ties, aggregate)
    coverage = resolve(benchmark, {"coco": tmp_path})
    return Task(benchmark, BENCHMARKS[name], coverage, (AGGREGATES[aggregate],))


def rescored(benchmark, cosines):
    return {ties: score_items(benchmark, cosines, ties=ties) for ties in POLICIES}


@pytest.mark.parametrize(
    ("name", "aggregate", "published"),
    [("coco_order", "order/1", 47.6), ("coco_order", "order_parser/1", None), ("coco_order", "order_given/1", None)],
)
def test_a_published_number_stands_beside_its_own_aggregate_alone(tmp_path, name, aggregate, published):
    asked = task(tmp_path, name, aggregate)
    cosines = [np.float32([[1, 0]]), np.float32([[0, 1]])]
    result = Result(cosines, rescored(asked.benchmark, cosines), MappingProxyType({}), None, MappingProxyType({}), 0)
    found = {row["number"]: row["reference"] for row in numbers_of(asked, NONE, result, TINY)}
    assert found["accuracy"] == published


@pytest.mark.parametrize(("asked", "value"), [("official", 50.0), ("first", 50.0), ("strict", 0.0), ("half", 50.0)])
def test_captions_that_all_tie_are_chance_for_what_is_blind_where_a_tie_is_right(tmp_path, asked, value):
    given = task(tmp_path)
    tied = rescored(given.benchmark, [np.zeros((1, 2))] * 2)
    (found,) = (
        row
        for row in numbers_of_blind(given, "shorter", NONE, tied, replace(TINY, ties=asked))
        if row["number"] == "accuracy"
    )
    assert found["value"] == value


def test_an_empty_box_is_not_taken_for_a_missing_file(tmp_path, refuses):
    given = task(tmp_path, boxes=(None, (0.0, 0.0, 0.0, 4.0)))
    with refuses("have a box without area", "1 have", "--on-error skip"):
        stop_at_missing(given, TINY)
    stop_at_missing(given, replace(TINY, on_error="skip"))
