"""run(config) -> record: all jobs, side by side where there are cores, and what they show together."""

import json
import statistics
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib
from joblib import Parallel, delayed

from scmlab.experiments.device import resolve
from scmlab.experiments.identifiability.checks import checks
from scmlab.experiments.identifiability.config import Config
from scmlab.experiments.identifiability.measure import Sizes
from scmlab.experiments.identifiability.plan import Job, plan
from scmlab.experiments.identifiability.work import work

MEANS = ("r2", "r2_linear", "r2_back", "leak", "oracle", "r2_permuted", "accuracy", "leak_total")
INTERVAL = 0.5  # seconds between two looks at the jobs' notes


def total_steps(config: Config) -> int:
    """Training steps of all jobs, for the progress bar."""
    return sum(job.train.steps for job in plan(config) if job.train)


def run(config: Config, *, folder: Path | None = None, progress: Callable[[int], None] = lambda step: None) -> dict:
    """The record of the experiment: rows, by_seed, codes, training, histories, scatter, checks, structural_equations.

    folder: where checkpoints and finished jobs are kept, so that a second call goes on where the first one stopped;
    None: nowhere. progress is called with the training steps done over all jobs (in another thread's time).
    Deterministic for a config and kind of device, whatever the number of workers.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return run(config, folder=Path(temporary), progress=progress)
    device = resolve(config.device)
    jobs = plan(config)
    workers = config.workers or (1 if device.startswith("cuda") else joblib.cpu_count())
    sizes = Sizes(config.points, config.leak_points)
    notes = folder / "progress"
    notes.mkdir(parents=True, exist_ok=True)
    call = delayed(work)
    settings = {"device": device, "checkpoint_every": config.checkpoint_every, "folder": folder, "report": Note(notes)}
    longest_first = sorted(jobs, key=_cost, reverse=True)
    with _Watch(notes, progress):
        parallel = Parallel(n_jobs=min(workers, len(jobs)), return_as="generator")
        calls = (call(job, config.seeds, sizes, **settings) for job in longest_first)
        results = dict(zip((job.name for job in longest_first), parallel(calls), strict=True))
    return _record(config, jobs, results)


def _record(config: Config, jobs: list[Job], results: dict[str, dict]) -> dict:
    def entries(kind: str) -> list[dict]:
        return [
            {"setting": job.setting, "control": job.control} | entry
            for job in jobs
            for entry in results[job.name][kind]
        ]

    by_seed, codes = entries("rows"), entries("codes")
    first = [e for e in entries("scatter") if e["seed"] == config.seeds[0] and e["control"] is None]
    return {
        "experiment": "identifiability",
        "config": json.loads(json.dumps(asdict(config))),  # as it is read back: lists, not tuples
        "rows": _mean_and_sd(by_seed, ("side", "block"), MEANS),
        "by_seed": by_seed,
        "codes": _mean_and_sd(codes, ("side", "dimensions"), ("variance", "effective_rank")),
        "training": entries("training"),
        "histories": entries("histories"),
        "estimates": entries("estimates"),
        "scatter": first,
        "checks": checks(config, jobs, results),
        "structural_equations": {job.name: results[job.name]["equations"] for job in jobs},
    }


def _mean_and_sd(entries: list[dict], also: tuple[str, ...], keys: tuple[str, ...]) -> list[dict]:
    """Entries merged over seeds: the mean of each key, its standard deviation (n - 1) as key_sd, and their number."""
    grouped: dict[tuple, list[dict]] = {}
    for entry in entries:
        grouped.setdefault(tuple(entry[name] for name in ("setting", "control", *also)), []).append(entry)
    merged = []
    for where, group in grouped.items():
        row = dict(zip(("setting", "control", *also), where, strict=True)) | {"seeds": len(group)}
        for key in keys:
            values = [entry[key] for entry in group]
            known = all(value is not None for value in values)
            row[key] = statistics.fmean(values) if known else None
            row[f"{key}_sd"] = statistics.stdev(values) if known and len(values) > 1 else None
        merged.append(row)
    return merged


def _cost(job: Job) -> float:
    if job.train is None:
        return 0.0
    return job.train.steps * job.objective.batches * (4.0 if job.text.kind == "transformer" else 1.0)


@dataclass(frozen=True)
class Note:
    """Notes how far a job is in a file of its own: the way from worker processes to the progress bar."""

    folder: Path

    def __call__(self, name: str, step: int) -> None:
        """Replace the job's note."""
        (self.folder / name).write_text(str(step))


class _Watch:
    """While open, reports the sum of the notes in a folder every INTERVAL seconds."""

    def __init__(self, folder: Path, progress: Callable[[int], None]) -> None:
        self.folder, self.progress = folder, progress
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.thread.join()

    def _poll(self) -> None:
        last = False
        while not last:
            last = self.closed.wait(INTERVAL)
            self.progress(sum(int(note.read_text() or 0) for note in self.folder.iterdir()))
