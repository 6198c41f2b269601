"""One step of the optimiser on a batch, and its row in the history."""

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.models.clip import Clip
from scmlab.objectives import ClipObjective
from scmlab.training.clip.batch import ClipBatch
from scmlab.training.clip.codes import Attribute
from scmlab.training.clip.gradient import accumulate
from scmlab.training.clip.parameters import bound_scale
from scmlab.training.clip.ranks import place
from scmlab.training.clip.spec import ClipTrainSpec, clip_learning_rate


def columns(objective: ClipObjective) -> tuple[str, ...]:
    """Names of the numbers of a step."""
    explained = ("attribution", "objects", "compositions") if objective.attribution else ()
    return ("loss", "contrastive", *explained, "learning_rate", "scale", "images_per_second")


def take_step(
    clip: Clip,
    optimizer: torch.optim.Optimizer,
    batch: ClipBatch,
    objective: ClipObjective,
    spec: ClipTrainSpec,
    step: int,
    attribute: Attribute | None,
) -> Float[Tensor, " columns"]:
    """One step of the optimiser; the row of the history, without its images per second."""
    rate, scale = clip_learning_rate(spec, step), clip.model.logit_scale.detach().exp()
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    parts = accumulate(clip, batch, objective, spec, attribute=attribute)
    if spec.clip_norm:
        torch.nn.utils.clip_grad_norm_(clip.model.parameters(), spec.clip_norm)
    optimizer.step()
    bound_scale(clip)
    parts |= {"learning_rate": torch.tensor(rate), "scale": scale, "images_per_second": torch.tensor(0.0)}
    return torch.stack([parts[name].float().to(clip.device) for name in columns(objective)])


def own_share(batch: ClipBatch, spec: ClipTrainSpec) -> ClipBatch:
    """This process's pairs of a batch, which may be all that the source gave. Errors: another number of pairs."""
    rank, ranks = place()
    share, rest = divmod(spec.batch, ranks)
    if rest:
        raise ValueError(f"`batch` must be a multiple of the {ranks} processes; got {spec.batch}.")
    if len(batch) == share:
        return batch
    if len(batch) != spec.batch:
        raise ValueError(f"`source` must give `batch` = {spec.batch} pairs; got {len(batch)}.")
    return batch[slice(rank * share, (rank + 1) * share)]


def count_images(batch: ClipBatch) -> int:
    """Images of the batch, with its edits and alternatives."""
    edited = 0 if batch.edited is None else len(batch.edited.pixels)
    return len(batch) + edited + (0 if batch.alternatives is None else count_images(batch.alternatives))
