"""Lists of the record: every number of every aggregate, for models and for what is blind."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scmlab.benchmarks.aggregates import Aggregate
from scmlab.benchmarks.scoring import Scored, counts, flawed
from scmlab.benchmarks.statistics import bootstrap, bootstrap_difference, mcnemar
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.given import AskedModel
from scmlab.experiments.benchmark.plan import Task
from scmlab.experiments.benchmark.score import POLICIES, Rescored, Result, blind_policy, policy
from scmlab.experiments.summary import mean_and_sd
from scmlab.scm import stream

Of = Mapping[str, Any]
"""What names an entry's model: model, seed."""

PARTS = {"group": ("text", "image", "group")}
"""Rule -> parts that two models are compared on, beside the whole."""


def headline(aggregate: Aggregate, numbers: Sequence[str]) -> tuple[str, ...]:
    """The numbers to show first: those that the aggregate says, else those that are not of one category alone."""
    said = tuple(name for name in aggregate.headline if name in numbers)
    return said or tuple(name for name in numbers if "/" not in name) or tuple(numbers)


def of_model(model: AskedModel) -> dict:
    """What names a model's entries."""
    return {"model": model.label, "seed": model.seed}


def numbers_of(task: Task, of: Of, result: Result, config: Config) -> Iterator[dict]:
    """A model's numbers with their intervals."""
    scored = result.scored[policy(config, task.benchmark)]
    where = {"setting": task.benchmark.name, "control": None, **of}
    for aggregate in task.aggregates:
        generator = stream(config.seed, "benchmark", "bootstrap")
        found = bootstrap(scored, aggregate, generator=generator, resamples=config.resamples)
        first = headline(aggregate, list(found))
        official = aggregate.name == (task.source.aggregate or task.benchmark.aggregate)
        for name, interval in found.items():
            yield where | {
                "aggregate": aggregate.name,
                "number": name,
                "headline": name in first,
                "scored": int((~scored.missing).sum()),
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "se": interval.error,
                "reference": task.source.reference.get(name) if official else None,
            }


def numbers_of_blind(task: Task, name: str, of: Of, rescored: Rescored, config: Config) -> Iterator[dict]:
    """A baseline's numbers, on the items that the model was scored on.

    Where a tie is right for the model that argmax looks at, what cannot tell captions apart would get them all: a
    baseline's ties then count by chance.
    """
    scored = rescored[blind_policy(config, task.benchmark)]
    for aggregate in task.aggregates:
        found = aggregate(scored)
        first = headline(aggregate, list(found))
        for number, value in found.items():
            yield {
                "setting": task.benchmark.name,
                "control": name,
                **of,
                "aggregate": aggregate.name,
                "number": number,
                "headline": number in first,
                "scored": int((~scored.missing).sum()),
                "value": value,
            } | dict.fromkeys(("low", "high", "se", "reference"))


def over_seeds(entries: Sequence[dict]) -> list[dict]:
    """Entries of one label as one: the interval of a single model, the deviation of several; scored: the fewest."""
    by = ("setting", "control", "model", "aggregate", "number", "headline", "reference")
    known = [entry | {"value": None if _is_nan(entry["value"]) else entry["value"]} for entry in entries]
    merged = mean_and_sd(known, by, ("value",))
    single = {_where(entry): entry for entry in sorted(entries, key=lambda entry: -entry["scored"])}
    for row in merged:
        row["sd"], row["scored"] = row.pop("value_sd"), single[_where(row)]["scored"]
        one = single[_where(row)] if row["seeds"] == 1 else {}
        row |= {key: one.get(key) for key in ("low", "high", "se")}
    return merged


def _where(entry: dict) -> tuple:
    return tuple(entry[key] for key in ("setting", "control", "model", "aggregate", "number"))


def _is_nan(value: float | None) -> bool:
    return value is None or math.isnan(value)


def counted(task: Task, of: Of, result: Result, config: Config) -> dict:
    """How many items are scored, missing, hang on a tie, are defective, duplicates; how many images are unreadable."""
    scored = result.scored[policy(config, task.benchmark)]
    unreadable = len(result.unreadable) + sum(root.unreadable for root in task.coverage.roots)
    return {"setting": task.benchmark.name, "control": None, **of, **counts(scored), "unreadable": unreadable}


def tie_policies(task: Task, control: str | None, of: Of, rescored: Rescored) -> Iterator[dict]:
    """The official aggregate's first numbers by every tie policy."""
    aggregate = task.aggregates[0]
    found = {ties: aggregate(rescored[ties]) for ties in POLICIES}
    for name in headline(aggregate, list(found["strict"])):
        values = {ties: found[ties][name] for ties in POLICIES}
        yield {"setting": task.benchmark.name, "control": control, **of, "number": name, **values}


def subsets(task: Task, of: Of, result: Result, config: Config, trained: Any) -> Iterator[dict]:
    """The official aggregate's first numbers without flawed items, and without those of training images."""
    scored = result.scored[policy(config, task.benchmark)]
    without = {"without defective or duplicate items": flawed(task.benchmark)}
    without |= {} if trained is None else {"without training images": trained}
    for name, rows in without.items():
        if not rows.any():
            continue
        left = scored.without(rows)
        found = task.aggregates[0](left)
        for number in headline(task.aggregates[0], list(found)):
            yield {
                "setting": task.benchmark.name,
                "control": None,
                **of,
                "subset": name,
                "scored": int((~left.missing).sum()),
                "number": number,
                "value": found[number],
            }


def compared(
    task: Task, label: str, model: AskedModel, pair: tuple[Result, Result], config: Config
) -> tuple[list[dict], list[dict]]:
    """(differences with their intervals, McNemar's tests) of the model from the label's of the same seed."""
    first, second = (result.scored[policy(config, task.benchmark)] for result in pair)
    where = {"setting": task.benchmark.name, "control": None, "model": model.label, "against": label}
    where["seed"] = model.seed
    different = []
    for aggregate in task.aggregates:
        generator = stream(config.seed, "benchmark", "bootstrap")
        found = bootstrap_difference(first, second, aggregate, generator=generator, resamples=config.resamples)
        names = headline(aggregate, list(found))
        different += [
            where
            | {"aggregate": aggregate.name, "number": name, "headline": name in names}
            | {"difference": interval.value, "low": interval.low, "high": interval.high, "se": interval.error}
            for name, interval in found.items()
        ]
    return different, [where | test for test in _tests(first, second, task.benchmark.rule)]


def _tests(first: Scored, second: Scored, rule: str) -> Iterator[dict]:
    """Fractional credit, and correlations, are neither right nor wrong: there is no test of them."""
    if rule == "similarity" or first.ties == "half":
        return
    for part in PARTS.get(rule, ("correct",)):
        test = mcnemar(first, second, part=part)
        yield {"part": part, **vars(test)}
