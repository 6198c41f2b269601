"""The one training loop: an ensemble of encoder pairs, its members trained together and independent of each other."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.models import EncoderSpec
from scmlab.objectives import Objective, loss
from scmlab.scm import content_hash, stream
from scmlab.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from scmlab.training.members import Member, Pair, build_pair, draw_pairs
from scmlab.training.spec import TrainSpec, learning_rate, uses_bfloat16


class TrainingDiverged(RuntimeError):  # noqa: N818 - says what happened
    """A loss or weights that are not finite; the message names the step, the member and the last good checkpoint."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The trained encoders, every member's loss at every step, and the seconds of training over all resumed parts."""

    pair: Pair
    history: Float[Tensor, "steps m"]
    seconds: float


def train(
    members: Sequence[Member],
    image: EncoderSpec,
    text: EncoderSpec,
    objective: Objective,
    spec: TrainSpec,
    *,
    device: str | torch.device = "cpu",
    checkpoint: Path | None = None,
    checkpoint_every: int = 1000,
    on_block: Callable[[int], None] = lambda step: None,
) -> Trained:
    """Train one pair of encoders per member on fresh samples of the member's own world.

    The loss is summed over members: parameters are separate, so each member's gradient is its own, Adam is
    elementwise, and clipping is per member. Member i is therefore the model that it would be alone (equal up to the
    rounding of batched products); its data and weights come from streams of its own seed. Deterministic on the CPU:
    the same arguments give the same numbers bit for bit, also after a resume from `checkpoint`, which is read when it
    exists and written every `checkpoint_every` steps (rounded up to whole blocks) and at the end. On CUDA the backward
    passes of attention and of the entropy estimate may sum in another order each time.
    on_block is called with the number of steps done.
    Errors: TrainingDiverged; ValueError for a checkpoint of another training or a truncated one.
    """
    device = torch.device(device)
    pair = build_pair(members, image, text, device=device)
    optimizer = torch.optim.AdamW(pair.parameters(), lr=spec.lr, weight_decay=spec.weight_decay, fused=True)
    generators = [stream(m.seed, "train", device=device) for m in members]
    state = {"module": pair, "optimizer": optimizer, "generators": generators}
    progress = Progress(0, torch.empty(0, len(members)), 0.0)
    if checkpoint:
        state["belongs_to"] = _identity(members, image, text, objective, spec) | {"device": device.type}
        if checkpoint.exists():
            progress = load_checkpoint(checkpoint, **state)
    saved = progress.step
    while progress.step < spec.steps:
        start = time.perf_counter()
        steps = range(progress.step, min(progress.step + spec.block, spec.steps))
        images, texts = draw_pairs(members, len(steps) * objective.batches * spec.batch, generators=generators)
        batches = zip(images.chunk(len(steps), 1), texts.chunk(len(steps), 1), strict=True)
        losses = [
            _step(pair, optimizer, objective, spec, step, *batch) for step, batch in zip(steps, batches, strict=True)
        ]
        done = torch.stack(losses).cpu()
        _check_finite(done, pair, steps, members, checkpoint if saved else None, saved)
        seconds = progress.seconds + time.perf_counter() - start
        progress = Progress(steps.stop, torch.cat((progress.history, done)), seconds)
        if checkpoint and (progress.step - saved >= checkpoint_every or progress.step == spec.steps):
            save_checkpoint(checkpoint, progress=progress, **state)
            saved = progress.step
        on_block(progress.step)
    return Trained(pair, progress.history, progress.seconds)


def _step(
    pair: Pair,
    optimizer: torch.optim.Optimizer,
    objective: Objective,
    spec: TrainSpec,
    step: int,
    images: Tensor,
    texts: Tensor,
) -> Tensor:
    device = images.device
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(spec, step)
    with torch.autocast(device.type, torch.bfloat16, enabled=uses_bfloat16(spec, device)):
        codes = pair(images, texts)
    losses = loss(objective, *(code.float() for code in codes))
    optimizer.zero_grad()
    losses.sum().backward()
    if spec.clip:
        clip_members([p.grad for p in pair.parameters()], spec.clip)
    optimizer.step()
    return losses.detach()


def clip_members(gradients: Sequence[Tensor], limit: float) -> None:
    """Scale each member's gradient, over all its parameters, to a 2-norm of at most `limit`; in place.

    gradients: tensors (m, ...). A member's scaling does not see the others.
    """
    norm = torch.stack([g.flatten(1).norm(dim=1) for g in gradients]).norm(dim=0)
    factor = (limit / norm.clamp_min(limit)).nan_to_num(1.0)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))


def _check_finite(
    losses: Tensor, pair: Pair, steps: range, members: Sequence[Member], checkpoint: Path | None, saved: int
) -> None:
    whole = torch.stack([p.detach().flatten(1).abs().amax(1).isfinite() for p in pair.parameters()]).all(0)
    if not losses.isfinite().all():
        row, column = (~losses.isfinite()).nonzero()[0].tolist()
        what = f"The loss must stay finite; got {losses[row, column].item()} at"
    elif not whole.all():  # the last step of a block can overflow without a later loss to show it
        row, column = len(steps) - 1, (~whole).nonzero()[0].item()
        what = "The weights must stay finite; got NaN or infinity after"
    else:
        return
    last = f"the last good checkpoint is {checkpoint} at step {saved}" if checkpoint else "no checkpoint was written"
    raise TrainingDiverged(f"{what} step {steps[row]} of member {column} (seed {members[column].seed}); {last}.")


def _identity(members: Sequence[Member], image: EncoderSpec, text: EncoderSpec, objective: Objective, spec: TrainSpec):
    return {
        "members": [[m.seed, content_hash(m.scm, m.world)] for m in members],
        "image": dataclasses.asdict(image),
        "text": dataclasses.asdict(text),
        "objective": dataclasses.asdict(objective),
        "train": dataclasses.asdict(spec),
    }
