"""One model on one benchmark: its scores by the official rule, and those of what is blind, on the same items."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scmlab.benchmarks.blind import blind_scores, blind_similarities, blind_ties, caption_codes, chance, names_for
from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.cases import algorithm_1_benchmark
from scmlab.benchmarks.embed import embed
from scmlab.benchmarks.item import Benchmark
from scmlab.benchmarks.models import Model
from scmlab.benchmarks.ranks import Gallery
from scmlab.benchmarks.scoring import Scored, score_by_policy, score_items
from scmlab.benchmarks.similarities import Cosines, similarities, text_similarities
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.plan import Task
from scmlab.language.algorithm_1 import NegativeOptions
from scmlab.scm import stream

POLICIES = ("strict", "first", "half")

Rescored = Mapping[str, Scored]
"""Tie policy -> scores by it."""


@dataclass(frozen=True, eq=False)
class Result:
    """A model's scores of a benchmark.

    cosines    what was scored
    scored     by every tie policy
    blind      baselines that need the model's codes of the captions
    negatives  scores of Algorithm 1's negatives for the same captions; None without any
    unreadable file -> why it could not be used
    cut        captions longer than what the model reads; None where it does not say
    """

    cosines: Cosines | Gallery
    scored: Rescored
    blind: Mapping[str, Rescored]
    negatives: Scored | None
    unreadable: Mapping[str, str]
    cut: int | None


def policy(config: Config, benchmark: Benchmark) -> str:
    """The tie policy that is asked for."""
    return benchmark.ties if config.ties == "official" else config.ties


def blind_policy(config: Config, benchmark: Benchmark) -> str:
    """That of the baselines."""
    return blind_ties(policy(config, benchmark))


def score(
    task: Task, made: Benchmark | None, model: Model, cache: Cache, config: Config, report: Callable[[int], None]
) -> Result:
    """Embed what the cache lacks, and score.

    made     Algorithm 1's benchmark of the same images and captions
    report   called with the number of images and captions done
    """
    done = {"image": 0, "text": 0}

    def progress(kind: str, count: int, total: int) -> None:
        done[kind] = count
        report(sum(done.values()))

    benchmark, paths = task.benchmark, task.coverage.paths
    found = embed(benchmark, model, paths, cache, batch=config.batch, progress=progress)
    cosines = similarities(benchmark, found)
    texts = text_similarities(benchmark, found) if benchmark.rule == "both" else None
    scored = score_by_policy(benchmark, cosines, texts=texts)
    codes = caption_codes(benchmark, found)
    coded = [name for name in names_for(benchmark, codes=True) if name not in names_for(benchmark, codes=False)]
    missing = scored["strict"].missing
    blind = {name: baseline(benchmark, name, config, missing, codes) for name in coded}
    negatives = None
    if made is not None:
        also = embed(made, model, paths, cache, batch=config.batch)
        negatives = score_items(made, similarities(made, also))
    unreadable = {f"{image.root}/{image.path}": why for image, why in found.unreadable.items()}
    return Result(cosines, scored, blind, negatives, unreadable, found.cut)


def baseline(
    benchmark: Benchmark, name: str, config: Config, missing: np.ndarray, codes: np.ndarray | None = None
) -> Rescored:
    """A blind baseline by every tie policy, on the items that the model was scored on."""
    generator = stream(config.seed, "benchmark", "halves")
    scores = blind_scores(benchmark, name, generator=generator, codes=codes)
    cosines = blind_similarities(benchmark, scores, missing)
    return {ties: scored.without(missing) for ties, scored in score_by_policy(benchmark, cosines).items()}


def uncoded(benchmark: Benchmark, config: Config, missing: np.ndarray) -> dict[str, Rescored]:
    """The baselines that need no model, and chance where there is one."""
    found = {name: baseline(benchmark, name, config, missing) for name in names_for(benchmark, codes=False)}
    if benchmark.rule != "similarity":
        found["chance"] = dict.fromkeys(POLICIES, chance(benchmark, missing).without(missing))
    return found


def algorithm_1(benchmark: Benchmark, config: Config) -> Benchmark | None:
    """The same images and right captions with Algorithm 1's negatives; None where none are asked for or made."""
    if not config.negatives or benchmark.rule == "similarity":
        return None
    made = algorithm_1_benchmark(benchmark, seed=config.seed, options=NegativeOptions(count=config.negatives))
    return made if made.items else None
