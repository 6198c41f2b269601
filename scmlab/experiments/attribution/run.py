"""run(config) -> record: attribution before and after fine-tuning, side by side where there are cores."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scmlab.experiments.attribution.checks import checks
from scmlab.experiments.attribution.config import Config
from scmlab.experiments.attribution.work import Job, data_of, plan, work
from scmlab.experiments.device import resolve
from scmlab.experiments.finetune.given import named_only
from scmlab.experiments.finetune.start import check_model
from scmlab.experiments.finetune.work import libraries
from scmlab.experiments.intervention.run import EXPLAINED
from scmlab.experiments.jobs import Note, folder_or_temporary, number_of_workers, run_jobs
from scmlab.experiments.summary import mean_and_sd

WHERE = ("setting", "control", "model")
NAMES = 20  # of damaged images that a record lists
MEANS = ("mean", "q05", "q25", "q50", "q75", "q95", "share", "words")


def total_steps(config: Config) -> int:
    """Training steps of all jobs, for the progress bar. Errors (BadFile): a model or data that cannot be read."""
    check_model(config)
    starts = 0 if config.model else config.start_steps * len(config.seeds)
    if config.captions is not None:
        data_of(config, 0, Path())
    return starts + config.tune_steps * len(config.seeds) * (len(config.models) - 1)


def run(config: Config, *, folder: Path | None = None, progress: Callable[[int], None] = lambda step: None) -> dict:
    """The record of the experiment: rows, by_seed, methods, methods_by_seed, examples, model, data, training,
    histories, checks, libraries.

    folder: where scenes, checkpoints and finished jobs are kept, so that a second call goes on where the first one
    stopped; None: nowhere. progress is called with the training steps done over all jobs (in another thread's time).
    Deterministic for a config and kind of device, whatever the number of workers.
    """
    device, jobs = resolve(config.device), plan(config)
    with folder_or_temporary(folder) as where:
        notes = where / "progress"
        options = {"device": device, "folder": where, "report": Note(notes)}
        results: dict[str, dict] = {}
        # the starts first: the other jobs go on from their checkpoints
        for stage in ([j for j in jobs if j.model == "start"], [j for j in jobs if j.model != "start"]):
            longest_first = sorted(stage, key=lambda job: -EXPLAINED.get(job.model, 1.0))
            calls = {job.name: partial(work, job, config, **options) for job in longest_first}
            workers = number_of_workers(config.workers, device)
            results |= run_jobs(calls, notes=notes, workers=workers, progress=progress)
    return _record(config, jobs, results)


def _record(config: Config, jobs: list[Job], results: dict[str, dict]) -> dict:
    by_seed = [_where(job) | entry for job in jobs for entry in results[job.name]["classes"]]
    methods = [_where(job) | entry for job in jobs for entry in results[job.name]["methods"]]
    shown = {job.model: results[job.name] for job in jobs if job.seed == config.seeds[0]}
    tuned = [(_where(job), results[job.name]["training"]) for job in jobs if job.model != "start"]
    curves = ("step", "curves")
    return {
        "experiment": "attribution",
        "config": named_only(config),
        "rows": mean_and_sd(by_seed, (*WHERE, "method", "word_class"), MEANS),
        "by_seed": by_seed,
        "methods": mean_and_sd(methods, (*WHERE, "method"), ("excess", "hinge")),
        "methods_by_seed": methods,
        "examples": [
            {"setting": model, "control": None, "model": model, **example}
            for model, result in shown.items()
            for example in result["examples"]
        ],
        "pictures": shown["start"]["pictures"],
        "model": shown["start"]["model"],
        "data": [_where(job) | _data(job, jobs, results) for job in jobs if job.model == jobs[0].model],
        "hashes": [_where(job) | {"hash": results[job.name]["hash"]} for job in jobs],
        "training": [where | {k: v for k, v in entry.items() if k not in curves} for where, entry in tuned],
        "histories": [where | {k: entry[k] for k in curves} for where, entry in tuned],
        "checks": checks(config, methods),
        "libraries": libraries(),
    }


def _data(job: Job, jobs: list[Job], results: dict[str, dict]) -> dict:
    """What was read with the job's seed; damaged are all images that any model of the seed came upon as such."""
    corrupt: dict[str, str] = {}
    for other in jobs:
        if other.seed == job.seed:
            corrupt |= results[other.name]["data"]["corrupt"]
    listed = {"corrupt_images": len(corrupt), "corrupt": dict(list(corrupt.items())[:NAMES])}
    return results[job.name]["data"] | listed


def _where(job: Job) -> dict:
    """What names the entries of a job; plain fine-tuning is the control."""
    control = "plain" if job.model == "plain" else None
    return {"setting": job.model, "control": control, "model": job.model, "seed": job.seed}
