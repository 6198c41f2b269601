"""One job from start to end: draw scenes, train one CLIP, measure it on both laws, return plain data."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

from scmlab.attribution import METHODS
from scmlab.experiments.intervention.config import Config, Method
from scmlab.experiments.intervention.data import VOCABULARY, objective, scene_spec, source, vocabulary
from scmlab.experiments.intervention.history import at_end, curves
from scmlab.experiments.intervention.measure import accuracies, gap, laws, prompts, shares
from scmlab.experiments.jobs import kept
from scmlab.models.clip import Clip, ClipSpec, build_clip, train_tokenizer
from scmlab.scm import stream
from scmlab.scm.scenes import SceneSpec, sample_scenes
from scmlab.training.clip import ClipTrainSpec, TrainedClip, train_clip

CONTEXT = 32  # tokens; the longest caption of the scenes has fewer
HEAD = 32  # width of a head
LIBRARIES = ("transformers", "tokenizers", "textblob")
ELSEWHERE = ("arms", "device", "workers", "checkpoint_every")  # fields of the config that do not decide a job's result


@dataclass(frozen=True)
class Job:
    """One training; its number of the seed draws scenes, weights and batches."""

    shortcut: float
    method: Method
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.method}_{self.shortcut:g}_{self.seed}"


def plan(config: Config) -> list[Job]:
    """All trainings, in the order of the record."""
    return [Job(shortcut, method, seed) for shortcut, method, seeds in config.arms for seed in range(seeds)]


def libraries() -> dict[str, str]:
    """Versions of what only experiments with CLIP use."""
    return {name: version(name) for name in LIBRARIES}


def work(job: Job, config: Config, *, device: str, folder: Path, report: Callable[[str, int], None]) -> dict:
    """Train and measure; with its result in `folder` from an earlier run, return that.

    report(job name, steps done) is called as training goes on.
    Errors: a result in `folder` that belongs to another configuration.
    """
    decides = {field.name: getattr(config, field.name) for field in fields(config) if field.name not in ELSEWHERE}
    settings = {"job": asdict(job), "config": decides, "libraries": libraries()}

    def compute() -> dict:
        spec = scene_spec(job.shortcut, config.binding, config.synonyms)
        start = build(config, device, job.seed)
        trained = train(job, config, spec, start, folder, report)
        return {"training": _training(config, trained), **measure(trained.clip, spec, config, seed=job.seed)}

    result = kept(folder / f"{job.name}.json", settings, compute, device=device, keys=("training", "accuracies"))
    report(job.name, config.steps)
    return result


def build(config: Config, device: str, seed: int) -> Clip:
    """A CLIP with weights of this seed, and the tokenizer that all runs share."""
    spec = scene_spec(0.0, config.binding, config.synonyms)
    tokenizer = train_tokenizer(vocabulary(spec), vocabulary=VOCABULARY, context=CONTEXT)
    tower = (config.width, config.layers, config.width // HEAD)
    shape = ClipSpec(spec.image_size, config.patch, *tower, *tower, CONTEXT, config.width, "gelu")  # one kernel
    return build_clip(shape, tokenizer, generator=stream(seed, "weights")).to(device)


def train(
    job: Job, config: Config, spec: SceneSpec, start: Clip, folder: Path, report: Callable[[str, int], None]
) -> TrainedClip:
    """The CLIP of a job; a training that was interrupted goes on from its checkpoint in `folder`."""
    return train_clip(
        start,
        source(config, job.method, spec, start, seed=job.seed),
        ClipTrainSpec(
            steps=config.steps,
            batch=config.batch,
            learning_rate=config.lr,
            weight_decay=config.weight_decay,
            warmup=min(config.warmup, config.steps),
            checkpoint_every=config.checkpoint_every,
        ),
        objective(config, job.method),
        seed=job.seed,
        attribute=METHODS[job.method.removeprefix("cae_")] if job.method.startswith("cae_") else None,
        checkpoint=folder / f"{job.name}.safetensors",
        belongs_to={
            "job": asdict(job),
            "binding": config.binding,
            "scenes": config.scenes,
            "negatives": config.negatives,
            "paired": config.paired,
        },
        progress=lambda step: report(job.name, step),
    )


def measure(clip: Clip, spec: SceneSpec, config: Config, *, seed: int) -> dict:
    """Everything that is measured of a trained CLIP, on held-out scenes of both laws."""
    found: dict[str, list] = {"accuracies": [], "codes": []}
    for law, do in laws(config.binding).items():
        scenes = sample_scenes(spec, config.test, generator=stream(seed, "test scenes", law), do=do)
        found["accuracies"] += accuracies(clip, spec, scenes, law, seed=seed)
        some = scenes[: config.attributed]
        found["codes"].append(
            {
                "law": law,
                **gap(clip, spec, scenes),
                **prompts(clip, spec, some, config.paraphrases, seed=seed),
                **shares(clip, spec, some),
            }
        )
    return found


def _training(config: Config, trained: TrainedClip) -> dict:
    steps, found = curves(trained, ("contrastive",))
    scale = trained.history["scale"][-1].item()
    return at_end(trained, config.batch) | {"scale": scale, "step": steps, "curve": found["contrastive"]}
