"""What a record says of a training: its loss at the end, and its curves in few points."""

from collections.abc import Sequence

import torch

from scmlab.training.clip import TrainedClip

POINTS = 50  # of a curve, each the mean over its share of the steps


def at_end(trained: TrainedClip, batch: int, *, part: int = 20) -> dict:
    """steps, batch, seconds, and the contrastive loss: its mean over the last 1/part of the steps, at least one."""
    losses = trained.history["contrastive"]
    return {
        "steps": len(losses),
        "batch": batch,
        "seconds": trained.seconds,
        "loss": losses[-max(1, len(losses) // part) :].mean().item(),
        "loss_name": "InfoNCE (nats)",
    }


def curves(trained: TrainedClip, names: Sequence[str]) -> tuple[list[int], dict[str, list[float]]]:
    """(steps done at each point, name -> its curve) of those numbers that the training has."""
    points = min(POINTS, len(trained.history["loss"]))
    steps = torch.tensor([len(chunk) for chunk in trained.history["loss"].chunk(points)]).cumsum(0).tolist()
    known = {name: trained.history[name].chunk(points) for name in names if name in trained.history}
    return steps, {name: [chunk.mean().item() for chunk in chunks] for name, chunks in known.items()}
