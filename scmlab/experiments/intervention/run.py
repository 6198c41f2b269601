"""run(config) -> record: all trainings, side by side where there are cores, and what each does on both laws."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from scmlab.experiments.device import resolve
from scmlab.experiments.intervention.checks import checks
from scmlab.experiments.intervention.config import Config
from scmlab.experiments.intervention.work import Job, libraries, plan, work
from scmlab.experiments.jobs import Note, folder_or_temporary, number_of_workers, run_jobs
from scmlab.experiments.summary import mean_and_sd

WHERE = ("setting", "control", "shortcut", "method", "law")
EDIT = (*WHERE, "operator", "category")
MEANS = ("accuracy", "image_accuracy", "ties", "text_moves", "image_moves", "blind_both", "blind_text", "blind_image")
EXPLAINED = {"cae_perturbation": 8.0, "cae_gradcam": 3.0, "cae_gradient": 2.5, "cae_attention": 1.3}
COST = EXPLAINED | {"algorithm_1": 2.0, "negclip": 1.4}  # of a training step, in those of plain


def total_steps(config: Config) -> int:
    """Training steps of all jobs, for the progress bar."""
    return config.steps * len(plan(config))


def run(config: Config, *, folder: Path | None = None, progress: Callable[[int], None] = lambda step: None) -> dict:
    """The record of the experiment: rows, by_seed, codes, codes_by_seed, training, histories, checks, libraries.

    folder: where checkpoints and finished jobs are kept, so that a second call goes on where the first one stopped;
    None: nowhere. progress is called with the training steps done over all jobs (in another thread's time).
    Deterministic for a config and kind of device, whatever the number of workers.
    """
    device, jobs = resolve(config.device), plan(config)
    with folder_or_temporary(folder) as folder:
        notes = folder / "progress"
        longest_first = sorted(jobs, key=lambda job: -COST.get(job.method, 1.0))
        where = {"device": device, "folder": folder, "report": Note(notes)}
        calls = {job.name: partial(work, job, config, **where) for job in longest_first}
        workers = number_of_workers(config.workers, device)
        results = run_jobs(calls, notes=notes, workers=workers, progress=progress)
    return _record(config, jobs, results)


def _record(config: Config, jobs: list[Job], results: dict[str, dict]) -> dict:
    by_seed = [_where(job) | entry for job in jobs for entry in results[job.name]["accuracies"]]
    codes = [_where(job) | entry for job in jobs for entry in results[job.name]["codes"]]
    rows = mean_and_sd(by_seed, EDIT, MEANS)
    measures = [key for key in codes[0] if key not in (*WHERE, "seed")]
    trainings = [(_where(job), results[job.name]["training"]) for job in jobs]
    curves = ("step", "curve")
    return {
        "experiment": "intervention",
        "config": json.loads(json.dumps(asdict(config))),  # as it is read back: lists, not tuples
        "rows": rows,
        "by_seed": by_seed,
        "codes": mean_and_sd(codes, WHERE, measures),
        "codes_by_seed": codes,
        "training": [where | {k: v for k, v in entry.items() if k not in curves} for where, entry in trainings],
        "histories": [where | {k: entry[k] for k in curves} for where, entry in trainings],
        "checks": checks(config, rows),
        "libraries": libraries(),
    }


def _where(job: Job) -> dict:
    """What names the entries of a job. The shortcut is the setting, the way of training stands as control beside it."""
    control = None if job.method == "plain" else job.method
    return {
        "setting": f"shortcut {job.shortcut:g}",
        "control": control,
        "shortcut": job.shortcut,
        "method": job.method,
        "seed": job.seed,
    }
