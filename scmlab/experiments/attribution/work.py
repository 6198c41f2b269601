"""One job: the model before fine-tuning, or one way of fine-tuning it, measured on held-out images."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from scmlab.attribution import METHODS, word_map
from scmlab.experiments.attribution.config import Config
from scmlab.experiments.attribution.measure import entries, examples, pictures
from scmlab.experiments.finetune.data import Data, read_data, write_scenes
from scmlab.experiments.finetune.measure import names_of, read_held_out
from scmlab.experiments.finetune.start import described, given_clip, small_clip
from scmlab.experiments.finetune.work import libraries
from scmlab.experiments.intervention.history import at_end, curves
from scmlab.experiments.jobs import kept
from scmlab.models.clip import BadImage, Clip, clip_hash
from scmlab.objectives import ClipObjective
from scmlab.scm.store import BadFile
from scmlab.training.clip import ClipTrainSpec, FolderSource, TrainedClip, count_truncated, train_clip

ELSEWHERE = ("seeds", "methods", "device", "workers", "checkpoint_every", "model", "tokenizer", "captions", "images")
KEYS = ("classes", "methods", "data", "model", "hash")


@dataclass(frozen=True)
class Job:
    """A model of a seed: start, plain, or cae_ with the method of its loss."""

    model: str
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.model}_{self.seed}"


def plan(config: Config) -> list[Job]:
    """All models, in the order of the record."""
    return [Job(model, seed) for model in config.models for seed in config.seeds]


def data_of(config: Config, seed: int, folder: Path) -> Data:
    """The pairs that are given, divided alike for all seeds; or scenes of this seed, in `folder`."""
    captions, images = config.captions, config.images
    if captions is None:
        number = config.scenes + config.held
        captions, images = write_scenes(folder / f"scenes_{seed}", shortcut=config.shortcut, number=number, seed=seed)
    of_seed = seed if config.captions is None else 0
    data = read_data(captions, images, held=config.held, seed=of_seed, on_error=config.on_error)
    if config.batch > len(data.train):
        raise BadFile(f"`batch` must be at most the training pairs, {len(data.train)}; got {config.batch}.")
    return data


def start_of(config: Config, seed: int, folder: Path, device: str, report: Callable[[str, int], None]) -> Clip:
    """The model before fine-tuning."""
    if config.model is not None:
        return given_clip(config, device)
    return small_clip(
        config.shortcut,
        steps=config.start_steps,
        scenes=config.scenes,
        batch=config.start_batch,
        width=config.width,
        layers=config.layers,
        patch=config.patch,
        seed=seed,
        device=device,
        folder=folder,
        report=report,
    )


def work(job: Job, config: Config, *, device: str, folder: Path, report: Callable[[str, int], None]) -> dict:
    """Train where it has to be and measure; with its result in `folder` from an earlier run, return that.

    Errors (BadFile): what is given cannot be read, an image among them; a result of another configuration.
    """
    decides = {key: value for key, value in asdict(config).items() if key not in ELSEWHERE}
    settings = {"job": asdict(job), "config": json.loads(json.dumps(decides)), "libraries": libraries()}

    def compute() -> dict:
        data = data_of(config, job.seed, folder)
        start = start_of(config, job.seed, folder, device, report)
        held, corrupt = read_held_out(start, data.held.pairs, config.on_error)
        trained = None if job.model == "start" else tune(job, config, start, data, folder, report, corrupt)
        clip = start if trained is None else trained.clip
        by_class, by_method = entries(clip, held)
        found = {
            "classes": by_class,
            "methods": by_method,
            "data": _data(config, start, data, corrupt),
            "model": described(config, start),
            "hash": clip_hash(clip),
        }
        if trained is not None:
            found["training"] = _training(config, trained)
        if job.seed == config.seeds[0]:
            found["examples"] = examples(clip, held, config.examples)
            found["pictures"] = pictures(held, config.examples, clip.preprocessing)
        return found

    try:
        result = kept(folder / f"{job.name}.json", settings | {"shows": job.seed == config.seeds[0]}, compute,
                      device=device, keys=KEYS)  # fmt: skip
    except BadImage as error:
        raise BadFile(str(error)) from None
    if job.model != "start":
        report(f"tuned {job.name}", config.tune_steps)
    return result


def tune(
    job: Job,
    config: Config,
    start: Clip,
    data: Data,
    folder: Path,
    report: Callable[[str, int], None],
    corrupt: dict[str, str],
) -> TrainedClip:
    """The model fine-tuned in the job's way; damaged training images are added to `corrupt`."""
    method = job.model.removeprefix("cae_") if job.model != "plain" else None
    source = FolderSource(
        start,
        data.train,
        config.batch,
        job.seed,
        label=word_map if method else None,
        on_error=config.on_error,
        workers=1,
        corrupt=corrupt,
        found=folder / f"{job.name}.damaged.jsonl",
    )
    spec = ClipTrainSpec(
        steps=config.tune_steps,
        batch=config.batch,
        learning_rate=config.rate,
        warmup=min(10, config.tune_steps),
        checkpoint_every=config.checkpoint_every,
    )
    extra = {"margin": config.margin, "over": config.over, "normalise": config.normalise}
    return train_clip(
        start,
        source,
        spec,
        ClipObjective(attribution=config.weight, **extra) if method else ClipObjective(),
        seed=job.seed,
        attribute=METHODS[method] if method else None,
        checkpoint=folder / f"{job.name}.safetensors",
        belongs_to={"captions": config.captions_sha256, "scenes": config.scenes, "held": config.held},
        progress=lambda step: report(f"tuned {job.name}", step),
    )


def _data(config: Config, clip: Clip, data: Data, corrupt: dict[str, str]) -> dict:
    """What was read, which images were damaged, and how many captions the context cuts."""
    parts = {"training captions": data.train.pairs, "held-out captions": data.held.pairs}
    cut = {name: count_truncated(clip, [pair.caption for pair in pairs]) for name, pairs in parts.items()}
    return data.counts | {"corrupt": names_of(corrupt, Path(config.images or "")), "truncated": cut}


def _training(config: Config, trained: TrainedClip) -> dict:
    steps, found = curves(trained, ("contrastive", "attribution"))
    return at_end(trained, config.batch, part=5) | {"step": steps, "curves": found}
