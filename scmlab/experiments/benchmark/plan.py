"""What is scored, read and looked for before any model is opened."""

import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scmlab.benchmarks.aggregates import AGGREGATES, Aggregate
from scmlab.benchmarks.images import Coverage, parse_roots, resolve
from scmlab.benchmarks.item import Benchmark
from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.loaders.scenes import export_scene_benchmark, load_scenes
from scmlab.benchmarks.overlap import read_training_list
from scmlab.benchmarks.scoring import score_items
from scmlab.benchmarks.source import Source, differences
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.given import MADE, AskedBenchmark, asked_benchmarks, loader_options
from scmlab.experiments.intervention.data import scene_spec
from scmlab.scm import stream
from scmlab.scm.store import BadFile

OTHER_ITEMS = ("seed", "split", "subset")
"""Options of loaders that choose other items, or other shuffles, than published numbers are of."""


@dataclass(frozen=True, eq=False)
class Task:
    """A benchmark with the files of its images; aggregates: the official one, then those asked for that fit it."""

    benchmark: Benchmark
    source: Source
    coverage: Coverage
    aggregates: tuple[Aggregate, ...]

    @property
    def captions(self) -> int:
        """Different captions."""
        return len({caption for item in self.benchmark.items for caption in item.captions})


@functools.lru_cache(maxsize=1)
def tasks_of(config: Config) -> tuple[Task, ...]:
    """The benchmarks that are asked for, read, their images looked for; none where scenes are drawn instead.

    Errors (BadFile, ValueError): files that are not the benchmark's; an aggregate that fits none of them; an empty list
    of training images; missing images, unless they are to be skipped.
    """
    asked = asked_benchmarks(config.benchmark, config.annotations, config.option)
    training_names(config)
    read = [BENCHMARKS[one.name].load(one.annotations, **dict(one.options)) for one in asked]
    for benchmark in read:
        if not benchmark.items:
            raise BadFile(f"`annotations` of {benchmark.name} must hold at least one item; got none.")
    roots = sorted({root for benchmark in read for root in benchmark.roots})
    folders = parse_roots(roots, config.images) if asked else _none(config)
    tasks = tuple(_task(benchmark, folders, config, _source(one)) for one, benchmark in zip(asked, read, strict=True))
    for name in config.aggregate:
        if not any(name == one.name for task in tasks for one in task.aggregates):
            names = ", ".join(config.benchmark) or "none, scenes are drawn instead"
            raise ValueError(f"`aggregate` must fit one of the benchmarks asked for ({names}); got {name}.")
    for task in tasks:
        stop_at_missing(task, config)
    return tasks


def training_names(config: Config) -> list[str]:
    """The names in the list of training images; none without one. Errors (BadFile): an empty list, no text."""
    if config.train_list is None:
        return []
    if not (names := read_training_list(Path(config.train_list))):
        raise BadFile(f"`train_list` must hold names of images, one per line; got none in {config.train_list}.")
    return names


def scenes_task(config: Config, folder: Path) -> Task:
    """Scenes drawn and written into the folder, once, and read as any other benchmark."""
    where = folder / MADE
    if not (where / "benchmark.json").exists():
        shutil.rmtree(where, ignore_errors=True)  # what a killed run left
        spec = scene_spec(config.shortcut, "relation")
        export_scene_benchmark(spec, where, config.scenes, generator=stream(config.seed, "benchmark", "scenes"))
    return _task(load_scenes(where), {MADE: where}, config, BENCHMARKS[MADE])


def announced(task: Task) -> Iterator[str]:
    """What is there, and what is not as in the official release: one sentence each."""
    items = len(task.benchmark.items)
    yield f"{task.benchmark.name}: {items:,} items, {task.captions:,} different captions."
    yield from (f"{task.benchmark.name}: {difference.sentence}" for difference in differences(task.benchmark))
    if task.benchmark.roots:
        yield from task.coverage.sentences


def stop_at_missing(task: Task, config: Config) -> None:
    """Errors (BadFile): items without all their images, where they are not to be skipped."""
    if config.on_error == "skip" and (task.coverage.whole or not task.benchmark.roots):
        return
    if not task.coverage.complete:
        said = " ".join(task.coverage.sentences)
        if all(root.found == root.wanted for root in task.coverage.roots):
            empty = task.coverage.items - task.coverage.whole
            raise BadFile(f"Every item of {task.benchmark.name} must have an image with pixels; {empty:,} have a box "
                          "without area: --on-error skip scores the others and counts these.")  # fmt: skip
        others = ", or --on-error skip to score the others" if task.coverage.whole else ""
        raise BadFile(f"`images` must hold all images of {task.benchmark.name}. {said} Give the right folder{others}.")


def _source(asked: AskedBenchmark) -> Source:
    """What is known of it; without published numbers where an option has other items than those of the numbers."""
    source, known = BENCHMARKS[asked.name], loader_options(asked.name)
    changed = any(name in OTHER_ITEMS and value != known[name].default for name, value in asked.options)
    return replace(source, reference={}, cited="") if changed else source


def _task(benchmark: Benchmark, folders: dict[str, Path], config: Config, source: Source) -> Task:
    coverage = resolve(benchmark, {root: folders[root] for root in benchmark.roots if root in folders})
    names = dict.fromkeys((benchmark.aggregate, *config.aggregate))
    fitting = tuple(AGGREGATES[name] for name in names if _fits(AGGREGATES[name], benchmark))
    return Task(benchmark, source, coverage, fitting)


def _fits(aggregate: Aggregate, benchmark: Benchmark) -> bool:
    """The official one, another version of it, or plain accuracy; with what the benchmark's items say of themselves."""
    if aggregate.name == benchmark.aggregate:
        return True
    family = benchmark.aggregate.partition("/")[0]
    related = aggregate.name == "accuracy/1" or aggregate.name.startswith((benchmark.name, family))
    if not related or aggregate.rule != benchmark.rule:
        return False
    nothing = score_items(benchmark, [None] * len(benchmark.items))
    return bool(aggregate.prepare(nothing)(np.ones(len(nothing))))


def _none(config: Config) -> dict[str, Path]:
    if config.images:
        raise ValueError(f"`images` must be left out without a benchmark; got {config.images[0]}.")
    return {}
