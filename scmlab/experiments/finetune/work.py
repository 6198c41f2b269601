"""From the files to the numbers: read, measure, fine-tune, write the models, measure again."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import torch

from scmlab.attribution import METHODS, word_map
from scmlab.experiments.finetune.config import Config
from scmlab.experiments.finetune.data import Data, read_data, write_scenes
from scmlab.experiments.finetune.measure import (
    HeldOut,
    false_captions,
    images_of,
    measure,
    names_of,
    read_held_out,
    texts_of,
)
from scmlab.experiments.finetune.start import described, given_clip, small_clip
from scmlab.experiments.intervention.history import at_end, curves
from scmlab.language import NegativeOptions, read_hard_negatives
from scmlab.language.negatives import make_negatives
from scmlab.models.clip import Clip, clip_hash, load_clip, save_clip
from scmlab.objectives import ClipObjective
from scmlab.scm.store import BadFile, write_atomically
from scmlab.training.clip import (
    CaptionedImages,
    ClipTrainSpec,
    FolderSource,
    TrainedClip,
    count_truncated,
    image_ids,
    interpolate,
    train_clip,
)

LIBRARIES = ("transformers", "tokenizers", "textblob", "pillow")
LAYOUTS = ("huggingface", "open_clip")


@dataclass(frozen=True)
class Place:
    """Where a run works: device, folder of its files, threads; report(name, steps done)."""

    device: str
    folder: Path
    workers: int
    report: Callable[[str, int], None]


def libraries() -> dict[str, str]:
    """Versions of what only experiments with CLIP use."""
    return {name: version(name) for name in LIBRARIES}


def data_of(config: Config, folder: Path) -> Data:
    """The pairs that are given, or scenes written to `folder`/scenes; with the negatives of the file."""
    captions, images = config.captions, config.images
    if captions is None:
        number = config.scenes + config.held
        captions, images = write_scenes(folder / "scenes", shortcut=config.shortcut, number=number, seed=config.seed)
    return read_data(
        captions,
        images,
        held=config.held,
        seed=config.seed,
        splits=config.splits,
        held_splits=config.held_splits,
        on_error=config.on_error,
    )


def steps_of(config: Config, data: Data) -> int:
    """Training steps. Errors (BadFile): fewer training pairs than a batch, no negatives in the file."""
    if config.batch > len(data.train):
        raise BadFile(f"`batch` must be at most the training pairs, {len(data.train)}; got {config.batch}.")
    if config.negatives == "negclip" and not any(pair.negatives for pair in data.train.pairs):
        raise BadFile("`captions` must hold negatives for `negatives` negclip; got none: choose algorithm_1 or none.")
    return config.epochs * (len(data.train) // config.batch) or config.steps


def start_of(config: Config, place: Place) -> Clip:
    """The model before it is fine-tuned; the small one is written and read back as any other."""
    if config.model is not None:
        return given_clip(config, place.device)
    trained = small_clip(
        config.shortcut,
        steps=config.start_steps,
        scenes=config.scenes,
        batch=128,
        width=config.width,
        layers=config.layers,
        patch=config.patch,
        seed=config.seed,
        device=place.device,
        folder=place.folder,
        report=place.report,
    )
    save_clip(trained, place.folder / "start")
    return replace(load_clip(place.folder / "start").to(place.device), source=trained.source)


def objective(config: Config, images: CaptionedImages) -> ClipObjective:
    """The loss; the images that look alike are used where the file names them."""
    return ClipObjective(
        negatives="none" if config.negatives == "none" else "shared",
        alternatives=config.negatives == "negclip" and any(pair.neighbours for pair in images.pairs),
        attribution=config.weight if config.attribution != "none" else 0.0,
        margin=config.margin,
        over=config.over,
        normalise=config.normalise,
    )


def with_negatives(config: Config, train: CaptionedImages, place: Place) -> CaptionedImages:
    """The training pairs with `count` negatives of Algorithm 1 in the place of the file's; made once, kept in files."""
    source, output = place.folder / "train_captions.jsonl", place.folder / "train_negatives.jsonl"
    lines = [json.dumps({"caption": pair.caption}, ensure_ascii=False) for pair in train.pairs]
    write_atomically(source, ("\n".join(lines) + "\n").encode())
    made = make_negatives(
        source, output, NegativeOptions(count=config.count), seed=config.seed, workers=place.workers, quiet=True
    )
    of_row = {of.row: of.negatives for of in read_hard_negatives(output)} if made.written else {}
    pairs = tuple(
        replace(pair, negatives=tuple(one.edited for one in of_row.get(row, ())))
        for row, pair in enumerate(train.pairs)
    )
    return replace(train, pairs=pairs)


def tune(config: Config, start: Clip, data: Data, place: Place) -> tuple[TrainedClip, FolderSource]:
    """The fine-tuned model, and where its batches came from, which knows what could not be used."""
    train = with_negatives(config, data.train, place) if config.negatives == "algorithm_1" else data.train
    goal, steps = objective(config, train), steps_of(config, data)
    source = FolderSource(
        start,
        train,
        config.batch,
        config.seed,
        negatives=config.count if goal.negatives != "none" else 0,
        alternatives=goal.alternatives,
        label=word_map if goal.attribution else None,
        on_error=config.on_error,
        workers=place.workers,
        found=place.folder / "damaged.jsonl",
    )
    spec = ClipTrainSpec(
        steps=steps,
        batch=config.batch,
        chunk=config.chunk,
        learning_rate=config.rate,
        weight_decay=config.weight_decay,
        warmup=min(config.warmup, steps),
        precision=config.precision,
        freeze=config.freeze,
        clip_norm=config.clip_norm,
        checkpoint_every=config.checkpoint_every,
    )
    trained = train_clip(
        start,
        source,
        spec,
        goal,
        seed=config.seed,
        attribute=METHODS[config.attribution] if goal.attribution else None,
        checkpoint=place.folder / "tuned.safetensors",
        belongs_to=_portable(source.identity, train),
        progress=lambda step: place.report("tune", step),
    )
    return trained, source


def _portable(identity: dict, train: CaptionedImages) -> dict:
    """What decides the batches, without the place of the folder: a moved run goes on."""
    return identity | {
        "pairs": [len(train), image_ids([f"{pair.caption} {pair.line}" for pair in train.pairs]).sum().item()]
    }


def work(config: Config, place: Place) -> dict:
    """Everything, as plain data. Errors (BadFile): what cannot be read; TrainingDiverged."""
    data = data_of(config, place.folder)
    steps_of(config, data)  # what cannot be trained on is refused first
    start = start_of(config, place)
    held, corrupt = read_held_out(start, data.held.pairs, config.on_error)
    negatives = false_captions(held.captions, held.image_of, seed=config.seed)
    measured = {"start": measure(start, held, negatives, config.attributed)}
    trained, source = tune(config, start, data, place)
    models = {"tuned": trained.clip} | {
        f"interpolated {a:g}": interpolate(start, trained.clip, a) for a in config.interpolate
    }
    measured |= {name: measure(clip, held, negatives, config.attributed) for name, clip in models.items()}
    corrupt |= source.corrupt
    return {
        "measured": measured,
        "data": data.counts
        | {
            "corrupt_images": len(corrupt),
            "corrupt": dict(list(names_of(corrupt, Path(config.images or "")).items())[:20]),
            "truncated": source.truncated | {"held-out captions": count_truncated(start, held.captions)},
            "without_negatives": sum(not pair.negatives for pair in source.images.pairs) if source.negatives else None,
            "alternatives": source.alternatives,
        },
        "model": {
            **described(config, start),
            "start_hash": clip_hash(start),
            "tuned_hash": clip_hash(trained.clip),
        },
        "written": _write(models, held, place.folder),
        "training": _training(config, trained),
    }


def _write(models: dict[str, Clip], held: HeldOut, folder: Path) -> list[dict]:
    """Each model in both layouts, read back: the largest difference of a held-out code from that in memory."""
    found = []
    for name, clip in models.items():
        some = held.pixels[:8], held.captions[:8]
        codes = torch.cat((images_of(clip, some[0]), texts_of(clip, some[1])))
        for layout in LAYOUTS:
            path = folder / "models" / f"{name.replace(' ', '_')}_{layout}"
            again = load_clip(save_clip(clip, path, layout)).to(clip.device)
            other = torch.cat((images_of(again, some[0]), texts_of(again, some[1])))
            found.append(
                {
                    "model": name,
                    "layout": layout,
                    "folder": str(path.relative_to(folder.parent)),
                    "difference": (codes - other).abs().max().item(),
                }
            )
    return found


def _training(config: Config, trained: TrainedClip) -> dict:
    steps, found = curves(trained, ("contrastive", "attribution"))
    scale = trained.history["scale"][-1].item()
    return at_end(trained, config.batch) | {"scale": scale, "step": steps, "curves": found}


def settings(config: Config) -> dict:
    """What decides the result, as plain data."""
    elsewhere = ("device", "workers", "checkpoint_every", "model", "tokenizer", "captions", "images")
    return {key: value for key, value in asdict(config).items() if key not in elsewhere} | {"libraries": libraries()}
