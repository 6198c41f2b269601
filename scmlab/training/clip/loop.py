"""The loop that trains a CLIP, from scratch or from a checkpoint of others: the same for both."""

import copy
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.models.clip import Clip
from scmlab.models.clip.identity import clip_hash
from scmlab.objectives import ClipObjective
from scmlab.scm import stream
from scmlab.training.checkpoint import Progress, load_checkpoint
from scmlab.training.clip.batch import Source
from scmlab.training.clip.codes import Attribute
from scmlab.training.clip.divergence import check_finite, in_words, read_good, write_checkpoint
from scmlab.training.clip.parameters import bound_scale, build_optimizer, freeze
from scmlab.training.clip.ranks import check_alike, place
from scmlab.training.clip.spec import ClipTrainSpec
from scmlab.training.clip.step import columns, count_images, own_share, take_step

BLOCK = 10  # steps between looks at the losses, for each of which a GPU has to be waited for

History = dict[str, Float[Tensor, " steps"]]


@dataclass(frozen=True, eq=False)
class TrainedClip:
    """The trained model, in evaluation mode, what every step was like, and the seconds over all resumed parts.

    history   "loss" and its part "contrastive" (nats); with an attribution loss "attribution", "objects" and
              "compositions" (mean scores, NaN where a batch has none); "learning_rate"; "scale" (exp of the logit
              scale, before the step); "images_per_second", which alone is not reproducible
    """

    clip: Clip
    history: History
    seconds: float


def train_clip(
    clip: Clip,
    source: Source,
    spec: ClipTrainSpec,
    objective: ClipObjective | None = None,
    *,
    seed: int,
    attribute: Attribute | None = None,
    checkpoint: Path | None = None,
    belongs_to: dict | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> TrainedClip:
    """Train a copy of the model, in float32 on the device of its weights; the model itself stays as it is.

    source       of the batches; step s gets the generator of the stream (seed, "batch", s), on the CPU
    objective    plain CLIP where none is given
    attribute    the method of attribution, where the objective has an attribution loss
    checkpoint   read where it exists, written every `spec.checkpoint_every` steps and at the end
    belongs_to   plain data that decides what the source gives; it must be the same when the training is resumed, as
                 must the model, objective, spec and seed, which are compared without it
    progress     called with the number of steps done, every few steps

    The model runs in evaluation mode throughout: no dropout. Deterministic on the CPU: the same arguments and number of
    threads give the same numbers bit for bit, also after a resume. In a process group (`processes`) each process trains
    on its share of the batch with the negatives of all, and all come to the same weights; the first one writes.
    A checkpoint is never written with a loss, weights or moments that are not finite. Where the loss has risen again
    (`had_diverged`), the last checkpoint from before is kept beside the newest one, as NAME.good.SUFFIX.
    Errors: TrainingDiverged, which names the last good checkpoint, or says that its own weights gave a risen loss;
    ValueError for batches that do not fit, a checkpoint of another training or a truncated one.
    """
    objective = objective or ClipObjective()
    if (attribute is not None) != (objective.attribution > 0):
        given = "no method" if attribute is None else "a method"
        raise ValueError(
            "`attribute` must be given if and only if the objective has an attribution loss; got "
            f"{given} and the weight {objective.attribution}."
        )
    identity = _identity(clip, objective, spec, seed, attribute) | {"source": belongs_to or {}}
    trained = _start(clip, spec)
    optimizer = build_optimizer(trained, spec)
    state = {"belongs_to": identity, "module": trained.model, "optimizer": optimizer, "generators": []}
    names, good = columns(objective), None
    done = Progress(0, torch.empty(0, len(names)), 0.0)
    if checkpoint and checkpoint.exists():
        done = load_checkpoint(checkpoint, **state)
        good = read_good(checkpoint, done, identity)
    check_alike("checkpoint", done.step)
    saved = done.step
    while done.step < spec.steps:
        start = time.perf_counter()
        next_checkpoint = (done.step // spec.checkpoint_every + 1) * spec.checkpoint_every
        stop = min(done.step + BLOCK, next_checkpoint, spec.steps)
        steps = range(done.step, stop)
        rows, images = [], 0
        for step in steps:
            batch = own_share(source(step, stream(seed, "batch", step)), spec).to(trained.device)
            rows.append(take_step(trained, optimizer, batch, objective, spec, step, attribute))
            images += count_images(batch) * place()[1]
        history = torch.stack(rows).cpu()
        seconds = time.perf_counter() - start
        history[:, names.index("images_per_second")] = images / seconds
        due = stop in (next_checkpoint, spec.steps)
        history = torch.cat((done.history, history))
        losses = history[:, 0]
        check_finite(losses, in_words(good, losses, saved=saved), trained, optimizer if due else None)
        done = Progress(stop, history, done.seconds + seconds)
        if checkpoint and due:
            good, saved = write_checkpoint(checkpoint, good, progress=done, **state), done.step
        progress(done.step)
    return TrainedClip(_finish(trained, clip), dict(zip(names, done.history.T, strict=True)), done.seconds)


def _start(clip: Clip, spec: ClipTrainSpec) -> Clip:
    """A copy in float32, ready to be trained."""
    trained = dataclasses.replace(clip, model=copy.deepcopy(clip.model).float().eval())
    freeze(trained, spec.freeze)
    bound_scale(trained)
    return trained


def _finish(trained: Clip, start: Clip) -> Clip:
    """The trained model as the start was, without gradients."""
    trained.model.zero_grad(set_to_none=True)
    for parameter, before in zip(trained.model.parameters(), start.model.parameters(), strict=True):
        parameter.requires_grad_(before.requires_grad)
    return dataclasses.replace(trained, source=f"trained from {start.source}")


def _identity(
    clip: Clip, objective: ClipObjective, spec: ClipTrainSpec, seed: int, attribute: Attribute | None
) -> dict:
    """What a checkpoint belongs to. Errors: processes that would not train the same."""
    found = {
        "clip": clip_hash(clip),
        "objective": dataclasses.asdict(objective),
        "train": dataclasses.asdict(spec),
        "seed": seed,
        "attribute": attribute and getattr(attribute, "__qualname__", type(attribute).__qualname__),
        "device": clip.device.type,
    }
    for name, value in found.items():
        check_alike(name, str(value))
    return found
