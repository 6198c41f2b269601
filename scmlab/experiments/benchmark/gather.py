"""The lists of a record, which grow as one model after the other goes through the benchmarks."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.cases import Case, case_accuracy, cases, shares
from scmlab.benchmarks.halves import halves
from scmlab.benchmarks.item import Benchmark
from scmlab.benchmarks.models import Model, of_clip
from scmlab.benchmarks.overlap import Overlap, training_overlap
from scmlab.benchmarks.scoring import Scored
from scmlab.experiments.benchmark.analyses import analyses
from scmlab.experiments.benchmark.checks import checks
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.entries import (
    compared,
    counted,
    numbers_of,
    numbers_of_blind,
    of_model,
    over_seeds,
    subsets,
    tie_policies,
)
from scmlab.experiments.benchmark.given import AskedModel, asked_models
from scmlab.experiments.benchmark.items import ItemsFile
from scmlab.experiments.benchmark.opening import open_asked
from scmlab.experiments.benchmark.plan import Task, stop_at_missing, training_names
from scmlab.experiments.benchmark.recorded import about_benchmark, about_model, plain_config
from scmlab.experiments.benchmark.score import Result, algorithm_1, blind_policy, policy, score, uncoded
from scmlab.experiments.finetune.start import small_clip
from scmlab.experiments.jobs import one_thread
from scmlab.scm import stream
from scmlab.scm.store import BadFile

Report = Callable[[int], None]
NO_MODEL = {"model": None, "seed": None}


def gather(config: Config, tasks: tuple[Task, ...], where: Path, kept: Path, device: str, file: ItemsFile,
           progress: Report) -> dict:  # fmt: skip
    """The record of the tasks.

    where   the run's folder for what is made: the small model, attribution shares
    kept    folder of embeddings
    file    gets a row for each item and scorer
    """
    return _Scoring(config, tasks, where, kept, device, file, progress).record()


class _Scoring:
    """One run: the lists of the record grow as models and benchmarks are gone through."""

    def __init__(self, config: Config, tasks: tuple[Task, ...], where: Path, kept: Path, device: str, file: ItemsFile,
                 progress: Report) -> None:  # fmt: skip
        self.config, self.tasks, self.where, self.kept = config, tasks, where, kept
        self.device, self.file, self.progress = device, file, progress
        self.lists: dict[str, list[dict]] = defaultdict(list)
        self.done = 0
        self.made = [algorithm_1(task.benchmark, config) for task in tasks]
        self.cases = [_cases(task.benchmark) for task in tasks]
        self.cases_made = [None if made is None else _cases(made) for made in self.made]
        self.overlaps = [_overlap(task.benchmark, config) for task in tasks]
        self.first: dict[tuple[int, int], Result] = {}  # of the first label, by benchmark and seed

    def record(self) -> dict:
        """Everything, model by model: only one is in memory at a time. Those of the first label come first."""
        models = asked_models(self.config.model, self.config.activation) or (AskedModel("small", 0, "", None),)
        label = models[0].label
        for number, asked in enumerate(sorted(models, key=lambda one: one.label != label)):
            model = self._open(asked)
            cache = Cache(self.kept, model)
            cut: dict[str, int | None] = {}
            for place, task in enumerate(self.tasks):
                try:
                    result = self._score(place, task, asked, model, cache)
                except KeyboardInterrupt:
                    cache.write()  # whole batches, from which the next run goes on
                    raise
                cut[task.benchmark.name] = result.cut
                if number == 0:
                    self._blind(place, task, result)
                if asked.label == label:
                    self.first[place, asked.seed] = replace(result, cosines=[])
                else:
                    self._compare(place, task, label, asked, result)
            self.lists["models"].append(about_model(asked, model, cut))
        return self._record()

    def _open(self, asked: AskedModel) -> Model:
        return open_asked(asked, self.config, self.device) if asked.source else self._small()

    def _small(self) -> Model:
        config = self.config
        size = {"width": config.width, "layers": config.layers, "patch": config.patch}
        with one_thread(self.device):
            clip = small_clip(
                config.shortcut, steps=config.start_steps, scenes=config.train_scenes, batch=64, seed=config.seed,
                device=self.device, folder=self.where, report=lambda name, step: self.progress(step), **size,
            )  # fmt: skip
        self.done = config.start_steps
        return of_clip(clip, name="small")

    def _score(self, place: int, task: Task, asked: AskedModel, model: Model, cache: Cache) -> Result:
        config, of, lists = self.config, of_model(asked), self.lists
        result = score(task, self.made[place], model, cache, config, lambda step: self.progress(self.done + step))
        self.done += len(task.coverage.paths) + task.captions
        if result.unreadable and config.on_error == "stop":
            count, first = len(result.unreadable), next(iter(result.unreadable.values())).rstrip(".")
            raise BadFile(f"`images` must be readable; got {count:,} of {task.benchmark.name} that are not, such as: "
                          f"{first}; --on-error skip scores the other items.")  # fmt: skip
        scored = result.scored[policy(config, task.benchmark)]
        if scored.missing.all() and task.benchmark.roots:
            stop_at_missing(task, config)
            raise BadFile(f"`images` must give {task.benchmark.name} at least one readable image; got none.")
        lists["by_seed"] += numbers_of(task, of, result, config)
        lists["counts"].append(counted(task, of, result, config))
        lists["ties"] += tie_policies(task, None, of, result.scored)
        overlap = self.overlaps[place]
        lists["subsets"] += subsets(task, of, result, config, None if overlap is None else overlap.items)
        self._case_accuracy(place, task, of, result)
        for name, rescored in result.blind.items():
            lists["by_seed"] += numbers_of_blind(task, name, of, rescored, config)
            lists["ties"] += tie_policies(task, name, of, rescored)
            self._write(place, rescored[blind_policy(config, task.benchmark)], of, baseline=name)
        self._write(place, scored, of, cosines=result.cosines)
        for name, found in analyses(task, model, cache, config, self.where / f"{model.identity[:16]}").items():
            lists[name] += [{"setting": task.benchmark.name, "control": None, **of, **entry} for entry in found]
        return result

    def _blind(self, place: int, task: Task, result: Result) -> None:
        ties = blind_policy(self.config, task.benchmark)
        for name, rescored in uncoded(task.benchmark, self.config, result.scored["strict"].missing).items():
            self.lists["by_seed"] += numbers_of_blind(task, name, NO_MODEL, rescored, self.config)
            if name != "chance":
                self.lists["ties"] += tie_policies(task, name, NO_MODEL, rescored)
                self._write(place, rescored[ties], NO_MODEL, baseline=name)

    def _compare(self, place: int, task: Task, label: str, asked: AskedModel, result: Result) -> None:
        """With the first label's model of the same seed, or with the only one it has."""
        one = [found for (where, _), found in self.first.items() if where == place]
        start = one[0] if len(one) == 1 else self.first.get((place, asked.seed))
        if start is not None:
            different, tests = compared(task, label, asked, (start, result), self.config)
            self.lists["differences"] += different
            self.lists["mcnemar"] += tests

    def _write(self, place: int, scored: Scored, of: dict, baseline: str | None = None, cosines: Any = None) -> None:
        found = self.cases[place]
        pairs = None if found is None else [(case.operator, case.category) for case in found]
        self.file.write(scored, **of, baseline=baseline, cases=pairs, cosines=cosines)

    def _case_accuracy(self, place: int, task: Task, of: dict, result: Result) -> None:
        given = {"benchmark": (result.scored[policy(self.config, task.benchmark)], self.cases[place]),
                 "algorithm_1": (result.negatives, self.cases_made[place])}  # fmt: skip
        for source, (scored, found) in given.items():
            for one in case_accuracy(scored, found) if scored is not None and found is not None else ():
                self.lists["case_accuracy"].append(
                    {"setting": task.benchmark.name, "control": None, "source": source, **of, "where": one.where}
                    | {"operator": one.case.operator, "category": one.case.category, "scored": one.scored}
                    | {"accuracy": one.accuracy, "se": one.se}
                )

    def _record(self) -> dict:
        lists, config = self.lists, self.config
        lists["rows"] = over_seeds(lists["by_seed"])
        for place, task in enumerate(self.tasks):
            lists["cases"] += _case_shares(task.benchmark.name, "benchmark", task.benchmark, self.cases[place])
            lists["cases"] += _case_shares(task.benchmark.name, "algorithm_1", self.made[place], self.cases_made[place])
            cut = halves(task.benchmark, generator=stream(config.seed, "benchmark", "halves"))
            lists["benchmarks"].append(about_benchmark(task, policy(config, task.benchmark), cut.apart))
            if (overlap := self.overlaps[place]) is not None:
                lists["overlap"].append(_about_overlap(task.benchmark.name, overlap))
        return {
            "experiment": "benchmark",
            "config": plain_config(config),
            **lists,
            "files": {"items": "items.parquet"},
            "checks": checks(config, self.tasks, lists),
        }


def _cases(benchmark: Benchmark) -> tuple[Case, ...] | None:
    return cases(benchmark) if benchmark.rule in ("choice", "both", "group") else None


def _case_shares(setting: str, source: str, benchmark: Benchmark | None, found: tuple[Case, ...] | None) -> Iterator:
    for one in shares(benchmark, found) if benchmark is not None and found is not None else ():
        yield {"setting": setting, "control": None, "source": source, "where": one.where} | {
            "operator": one.case.operator, "category": one.case.category, "count": one.count, "of": one.of,
            "share": one.share, "se": one.se,
        }  # fmt: skip


def _overlap(benchmark: Benchmark, config: Config) -> Overlap | None:
    names = training_names(config)
    return training_overlap(benchmark, names) if names and benchmark.roots else None


def _about_overlap(setting: str, found: Overlap) -> dict:
    return {"setting": setting, "control": None, "images": found.images, "found": len(found.found),
            "items": int(found.items.sum()), "listed": found.listed, "names": list(found.found[:20])}  # fmt: skip
