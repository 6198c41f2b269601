"""Checkpoints: one safetensors file with weights, optimiser state, random states, history and what they belong to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from scmlab.scm.store import BadFile, read_tensors, write_atomically


@dataclass(frozen=True, eq=False)
class Progress:
    """Where a training stands: steps done, loss (steps done, m) so far, and the seconds that they took."""

    step: int
    history: Tensor
    seconds: float


def save_checkpoint(
    path: Path,
    *,
    belongs_to: dict,
    progress: Progress,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    generators: Sequence[torch.Generator],
) -> None:
    """Write the complete state atomically: a kill at any moment leaves the previous checkpoint whole."""
    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    tensors |= {f"generator.{i}": generator.get_state() for i, generator in enumerate(generators)}
    tensors["history"] = progress.history
    metadata = {"belongs_to": json.dumps(belongs_to, sort_keys=True), "step": str(progress.step)}
    metadata["seconds"] = repr(progress.seconds)
    content = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomically(path, save(content, metadata=metadata))


def load_checkpoint(
    path: Path,
    *,
    belongs_to: dict,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    generators: Sequence[torch.Generator],
) -> Progress:
    """Restore the state in place. Errors (BadFile): a truncated file, a checkpoint of another training."""
    tensors, metadata = read_tensors(path)
    expected = json.loads(json.dumps(belongs_to))
    found = json.loads(metadata.get("belongs_to", "{}"))
    if differing := sorted(key for key in expected | found if expected.get(key) != found.get(key)):
        key = differing[0]
        is_, wanted = found.get(key), expected.get(key)
        raise BadFile(f"`checkpoint` must belong to this training, with {key} = {wanted}; got {is_} in {path}.")
    module.load_state_dict(_under("module.", tensors))
    grouped: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimizer.", tensors).items():
        index, entry = name.split(".", 1)
        grouped.setdefault(int(index), {})[entry] = value
    optimizer.load_state_dict({"state": grouped, "param_groups": optimizer.state_dict()["param_groups"]})
    for i, generator in enumerate(generators):
        generator.set_state(tensors[f"generator.{i}"])
    return Progress(int(metadata["step"]), tensors["history"], float(metadata["seconds"]))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
