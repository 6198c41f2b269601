"""The configuration of the experiment `identifiability` and its presets."""

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

FIXED_BY_THE_LITERATURE = ("covariance", "tokens", "text_encoder", "width", "depth", "accuracy")


@dataclass(frozen=True)
class Config:
    """Sample, train, measure, show: what contrastive encoders identify, and what breaks with each assumption."""

    family: Literal["models", "daunhawer"] = "models"
    """models: sentence, tokens, discrete tokens, with Darmois rows and controls; daunhawer: the settings of Daunhawer
    et al. 2023, Table 1, with shared and separate mixing."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One world, initialisation and data stream per seed."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    workers: int = 0
    """Processes that train settings side by side; 0: one per CPU core, and one in all on a GPU."""

    dim: int = 3
    """Dimension of every latent block, and of the code."""
    tokens: int = 4
    """Tokens of a text in the continuous token model."""
    density: Literal["normal", "uniform", "mixture"] = "normal"
    """Density of z_inv."""
    covariance: Literal["identity", "wishart"] = "identity"
    """Statistical dependence inside blocks."""
    mixing: Literal["coupling", "leaky_mlp"] = "coupling"
    """The maps from latents to observations."""
    text_encoder: Literal["mlp", "transformer", "bag"] = "mlp"
    """Encoder of the token texts; the sentence model's is an MLP."""

    steps: int = 2000
    """Training steps, the same for settings and controls."""
    batch: int = 256
    """Pairs per step (per batch: the within-modality loss draws two)."""
    lr: float = 4e-3
    """Peak learning rate."""
    width: int = 128
    """Hidden width of the encoders."""
    depth: int = 3
    """Hidden layers of the encoders."""
    checkpoint_every: int = 500
    """Steps between checkpoints."""

    points: int = 2048
    """Pairs for the regressions: half to fit, half to score."""
    leak_points: int = 8192
    """Pairs for the leaks, which need no regression."""

    kept: float = 0.97
    """Expected of a setting without a control: r2(z_inv) at least this."""
    pure: float = 0.96
    """Expected of a setting without a control: r2_back at least this."""
    leak: float = 0.03
    """Expected of a setting without a control: each leak at most this, and the margin of the equivalence test."""
    accuracy: float = 0.99
    """Expected of discrete tokens: share of scenes decoded without an error."""

    def __post_init__(self) -> None:
        for name in ("dim", "tokens", "steps", "width", "depth", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {getattr(self, name)}.")
        fixed = {f.name: f.default for f in fields(self) if f.name in FIXED_BY_THE_LITERATURE}
        for name, default in fixed.items():
            if self.family == "daunhawer" and (value := getattr(self, name)) != default:
                raise ValueError(
                    f"`{name}` must stay {default!r} for `family` daunhawer, which fixes it; got {value!r}."
                )
        if self.dim < 2 and self.family == "models":
            raise ValueError(f"`dim` must be at least 2, since one control takes a coordinate away; got {self.dim}.")
        if self.workers < 0:
            raise ValueError(f"`workers` must be >= 0; got {self.workers}.")
        if self.batch < 2:
            raise ValueError(f"`batch` must be at least 2, since a pair alone has no negatives; got {self.batch}.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"`seeds` must be different non-negative integers, at least one; got {self.seeds}.")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"`lr` must be positive and finite; got {self.lr}.")
        for name, least in (("points", 64), ("leak_points", 64)):
            if getattr(self, name) < least:
                raise ValueError(f"`{name}` must be at least {least}; got {getattr(self, name)}.")
        if not 0 < self.leak <= 1:
            raise ValueError(f"`leak` must be a margin in (0, 1]; got {self.leak}.")
        for name in ("kept", "pure", "accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must be in [0, 1]; got {getattr(self, name)}.")


QUICK = Config()
TINY = replace(QUICK, seeds=(0,), steps=20, batch=64, width=16, depth=1, points=128, leak_points=256)
FULL = replace(
    QUICK,
    family="daunhawer",
    dim=5,
    mixing="leaky_mlp",
    steps=30_000,
    batch=6144,
    lr=1e-4,
    points=40_960,
    leak_points=40_960,
    checkpoint_every=5000,
)

PRESETS = {"quick": QUICK, "full": FULL, "tiny": TINY}
