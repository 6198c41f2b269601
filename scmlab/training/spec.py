"""How to train, as data, and the learning-rate schedule."""

import math
from dataclasses import dataclass
from typing import Literal

import torch

from scmlab.scm.equations import is_count


@dataclass(frozen=True)
class TrainSpec:
    """How long and how fast.

    steps, batch   number of steps, pairs per step
    lr, warmup     peak learning rate, and the share of the steps in which it is reached
    clip           limit of each member's gradient norm (0: none)
    weight_decay   decoupled, as in AdamW
    block          steps whose data are drawn at once; part of the random law, since it orders the draws
    precision      'float32', 'bfloat16' (autocast of the encoders), or 'auto': bfloat16 where a CUDA device has it
    """

    steps: int = 2000
    batch: int = 512
    lr: float = 2e-3
    warmup: float = 0.05
    clip: float = 2.0
    weight_decay: float = 0.0
    block: int = 16
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        for name in ("steps", "block"):
            if not is_count(value := getattr(self, name), 1):
                raise ValueError(f"`{name}` must be an integer >= 1; got {value}.")
        if not is_count(self.batch, 2):
            raise ValueError(f"`batch` must be an integer >= 2, since a pair alone has no negatives; got {self.batch}.")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"`lr` must be positive and finite; got {self.lr}.")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"`warmup` must be a share of the steps in [0, 1]; got {self.warmup}.")
        for name in ("clip", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"`{name}` must be finite and >= 0; got {getattr(self, name)}.")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"`precision` must be auto, float32 or bfloat16; got {self.precision!r}.")


def learning_rate(spec: TrainSpec, step: int) -> float:
    """Linear warm-up over the first share of the steps, then half a cosine down to 0."""
    warm = spec.warmup * spec.steps
    if step < warm:
        return spec.lr * (step + 1) / (warm + 1)
    return spec.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / (spec.steps - warm)))


def uses_bfloat16(spec: TrainSpec, device: torch.device) -> bool:
    """Whether the encoders run under bfloat16 autocast on this device."""
    if spec.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return spec.precision == "bfloat16"
