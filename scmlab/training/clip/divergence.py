"""When a training has diverged, and which of its checkpoints is from before."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.models.clip import Clip
from scmlab.scm.store import read_tensors
from scmlab.training.checkpoint import Progress, save_checkpoint
from scmlab.training.clip.ranks import place
from scmlab.training.loop import TrainingDiverged

WINDOW = 5  # steps whose mean loss is compared: few, so that a rise is seen at once


@dataclass(frozen=True)
class Good:
    """A checkpoint written before the loss rose: its file, its step, the mean loss of the `WINDOW` steps before it."""

    path: Path
    step: int
    loss: float


def had_diverged(losses: Float[Tensor, " steps"]) -> bool:
    """Whether the mean loss of the last `WINDOW` steps is more than halfway back from its lowest to the first step's.

    The loss of the first step is that of the start, which no update has touched; where no mean was ever below it,
    a mean above it is enough. With fewer steps the window is all of them.
    """
    return bool(_means(losses)[-1] > _halfway(losses))


def _means(losses: Float[Tensor, " steps"]) -> Float[Tensor, " windows"]:
    return losses.double().unfold(0, min(WINDOW, len(losses)), 1).mean(1)


def _halfway(losses: Float[Tensor, " steps"]) -> Float[Tensor, ""]:
    first = losses[0].double()
    return (first + torch.minimum(first, _means(losses).min())) / 2


def check_finite(
    losses: Float[Tensor, " steps"], last: str, clip: Clip, optimizer: torch.optim.Optimizer | None
) -> None:
    """Errors: TrainingDiverged for a loss, or with an optimizer weights or moments, that are not finite.

    losses   of all steps so far
    last     which checkpoint is good, in words
    """
    if not losses.isfinite().all():
        step = int((~losses.isfinite()).nonzero()[0])
        what = f"The loss must stay finite; got {losses[step].item()} at step {step}"
    elif optimizer and not all(bool(tensor.isfinite().all()) for tensor in _state(clip, optimizer)):
        what = f"The weights and their moments must stay finite; got NaN or infinity after step {len(losses) - 1}"
    else:
        return
    raise TrainingDiverged(f"{what}; {last}.")


def _state(clip: Clip, optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    yield from clip.model.parameters()
    for moments in optimizer.state.values():
        yield from (moment for moment in moments.values() if isinstance(moment, Tensor))


def in_words(good: Good | None, losses: Float[Tensor, " steps"], *, saved: int) -> str:
    """Which checkpoint is good, if its own weights are: the loss at its step is the first one that they gave.

    losses   of all steps so far
    saved    the step of the last checkpoint of all, 0 where there is none
    """
    if good is None:
        return "no checkpoint is from before the loss rose" if saved else "no checkpoint was written"
    said = f"{good.path} at step {good.step}, after a mean loss of {good.loss:.3g}"
    if good.step < len(losses) and not losses[good.step] <= _halfway(losses[: good.step]):
        return f"the last checkpoint is {said}, and the first loss of its weights is {losses[good.step].item():.3g}"
    return f"the last good checkpoint is {said}"


def write_checkpoint(checkpoint: Path, good: Good | None, *, progress: Progress, **state: object) -> Good | None:
    """Write the checkpoint; which one is good then.

    Where the loss has risen, the good one that it would replace is kept beside it under the name NAME.good.SUFFIX. The
    first process writes, all know the same.
    """
    risen, spare, writes = had_diverged(progress.history[:, 0]), _spare(checkpoint), place()[0] == 0
    if risen and good and good.path == checkpoint:
        if writes:
            _keep(checkpoint, spare)
        good = Good(spare, good.step, good.loss)
    if writes:
        save_checkpoint(checkpoint, progress=progress, **state)
    if risen:
        return good
    if writes:
        spare.unlink(missing_ok=True)
    return _good(checkpoint, progress)


def read_good(checkpoint: Path, done: Progress, belongs_to: dict) -> Good | None:
    """Which checkpoint is good where a training goes on from `checkpoint`; one kept by another training is none."""
    if not had_diverged(done.history[:, 0]):
        return _good(checkpoint, done)
    if not _spare(checkpoint).exists():
        return None
    tensors, metadata = read_tensors(_spare(checkpoint))
    if json.loads(metadata.get("belongs_to", "{}")) != json.loads(json.dumps(belongs_to)):
        return None
    return _good(_spare(checkpoint), Progress(int(metadata["step"]), tensors["history"], float(metadata["seconds"])))


def _good(path: Path, progress: Progress) -> Good:
    return Good(path, progress.step, progress.history[-WINDOW:, 0].mean().item())


def _spare(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.stem}.good{checkpoint.suffix}")


def _keep(checkpoint: Path, spare: Path) -> None:
    """The same file under a second name; writing the first name anew leaves it as it is."""
    spare.unlink(missing_ok=True)
    try:
        os.link(checkpoint, spare)
    except OSError:  # not every file system can
        shutil.copyfile(checkpoint, spare)
