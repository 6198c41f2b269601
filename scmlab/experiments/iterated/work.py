"""One job from start to end: train one CLIP as `intervention` does, let it and what is made of it choose."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scmlab.experiments.intervention.data import scene_spec
from scmlab.experiments.intervention.history import at_end
from scmlab.experiments.intervention.work import Job, build, libraries, train
from scmlab.experiments.iterated.config import TRAINING, Config
from scmlab.experiments.iterated.measure import measure
from scmlab.experiments.jobs import kept


def work(job: Job, config: Config, *, device: str, folder: Path, report: Callable[[str, int], None]) -> dict:
    """Train and measure; with its result in `folder` from an earlier run, return that.

    report(job name, steps done) is called as training goes on.
    Errors: a result in `folder` that belongs to another configuration.
    """
    decides = {name: getattr(config, name) for name in (*TRAINING, "longest", "test") if name != "checkpoint_every"}
    settings = {"job": asdict(job), "config": decides, "libraries": libraries()}

    def compute() -> dict:
        spec = scene_spec(job.shortcut, "relation", config.training.synonyms)
        start = build(config.training, device, job.seed)
        trained = train(job, config.training, spec, start, folder, report)
        choices = measure(trained.clip, spec, config, seed=job.seed)
        return {"training": at_end(trained, config.batch), "choices": choices}

    result = kept(folder / f"{job.name}.json", settings, compute, device=device, keys=("training", "choices"))
    report(job.name, config.steps)
    return result
