"""The configuration of the experiment `attribution` and its presets."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from scmlab.experiments.audit.source import digest
from scmlab.experiments.finetune.config import ON_ERROR
from scmlab.experiments.finetune.given import check_given, check_small, images_digest, model_digest
from scmlab.objectives.attribution import NORMALISE, OVER

METHODS = ("attention", "gradcam", "perturbation", "gradient")
LR, LR_GIVEN = 3e-4, 5e-6  # of the small model on scenes, of a given checkpoint


@dataclass(frozen=True)
class Config:
    """Attribution of a CLIP before and after fine-tuning: plainly, as control, and with each attribution loss."""

    model: str | None = None
    """Folder, file or hub name of a CLIP (transformers, open_clip); none: small ones trained here on scenes."""
    tokenizer: str | None = None
    """Folder or file of merges of the tokenizer, for a bare file of weights."""
    activation: str | None = None
    """quickgelu or gelu, where the model's files do not say."""
    heads: tuple[int, int] | None = None
    """Attention heads of image and text, for a bare file of weights that has not one per 64 of width."""
    captions: str | None = None
    """File of captions with image names (TSV, CSV, JSONL, Karpathy's JSON); none: scenes."""
    images: str | None = None
    """Folder that the image names start from."""
    on_error: str = "stop"
    """At a broken caption, a missing or a damaged image: stop, or skip and count."""
    methods: tuple[str, ...] = METHODS
    """Attribution losses: attention, gradcam, perturbation, gradient. All four measure every model."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """One set of scenes, small model and order of batches per seed; of a given model one order of batches."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    workers: int = 0
    """Processes side by side; 0: one per CPU core, and one in all on a GPU."""

    tune_steps: int = 40
    """Steps of fine-tuning."""
    batch: int = 64
    """Pairs per step of fine-tuning."""
    lr: float | None = None
    """Its peak learning rate; none: 5e-6 for a given model, 3e-4 for the small ones."""
    weight: float = 1.0
    """Weight of the attribution loss."""
    margin: float = 0.0
    """By which words of composition should score more than objects."""
    over: str = "batch"
    """The hinge is over batch or over caption."""
    normalise: str = "none"
    """Scores in the loss as shares of a caption: none, abs or relu."""
    checkpoint_every: int = 100
    """Steps between checkpoints."""

    held: int = 256
    """Held-out images whose captions are attributed, at most half of all."""
    examples: int = 3
    """Held-out pairs shown word by word and as heat maps."""
    shortcut: float = 1.0
    """Of the scenes: how far the pair of objects gives the relation away."""
    scenes: int = 4096
    """Scenes that are drawn and written per seed, where no captions are given."""
    start_steps: int = 300
    """Training steps of the small models before they are fine-tuned."""
    start_batch: int = 128
    """Scenes per step of that training."""
    width: int = 96
    """Width of the small models."""
    layers: int = 3
    """Layers of each tower of the small models."""
    patch: int = 8
    """Side of a patch of the small models in pixels."""

    captions_sha256: Annotated[str, tyro.conf.Suppress] = ""
    model_sha256: Annotated[str, tyro.conf.Suppress] = ""
    images_sha256: Annotated[str, tyro.conf.Suppress] = ""

    def __post_init__(self) -> None:
        for name, options in {"on_error": ON_ERROR, "over": OVER, "normalise": NORMALISE}.items():
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"`{name}` must be one of {', '.join(options)}; got {value!r}.")
        if not self.methods or len(set(self.methods)) < len(self.methods) or not set(self.methods) <= set(METHODS):
            raise ValueError(f"`methods` must be some of {', '.join(METHODS)}, each once; got {self.methods}.")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"`seeds` must be different non-negative integers, at least one; got {self.seeds}.")
        check_given(self.model, self.captions, self.images, self.activation, self.heads)
        least = {"workers": 0, "tune_steps": 1, "batch": 2, "checkpoint_every": 1, "held": 2, "examples": 1}
        least |= {"scenes": 16, "start_steps": 1, "start_batch": 2, "width": 32, "layers": 1, "patch": 4}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ValueError(f"`{name}` must be at least {value}; got {getattr(self, name)}.")
        for name in ("start_batch", "batch"):
            if self.captions is None and getattr(self, name) > self.scenes:
                raise ValueError(f"`{name}` must be at most `scenes` = {self.scenes}; got {getattr(self, name)}.")
        if not 0 < self.weight < math.inf or not math.isfinite(self.margin):
            raise ValueError(
                f"`weight` must be positive and `margin` finite, as both; got {self.weight} and {self.margin}."
            )
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise ValueError(f"`lr` must be positive and finite; got {self.lr}.")
        if not 0 <= self.shortcut <= 1:
            raise ValueError(f"`shortcut` must be in [0, 1]; got {self.shortcut}.")
        check_small(self.width, self.patch)
        object.__setattr__(self, "captions_sha256", digest(self.captions))  # other files are another run
        object.__setattr__(self, "model_sha256", model_digest(self.model))
        object.__setattr__(self, "images_sha256", images_digest(self.images))

    @property
    def rate(self) -> float:
        """The learning rate of fine-tuning."""
        return self.lr if self.lr is not None else LR if self.model is None else LR_GIVEN

    @property
    def models(self) -> tuple[str, ...]:
        """What is measured: before, after plain fine-tuning, after fine-tuning with each attribution loss."""
        return ("start", "plain", *(f"cae_{method}" for method in self.methods))


QUICK = Config()
TINY = replace(
    QUICK,
    seeds=(0, 1),
    tune_steps=2,
    batch=8,
    held=16,
    examples=2,
    scenes=48,
    start_steps=2,
    start_batch=16,
    width=32,
    layers=1,
    patch=16,
)
FULL = replace(
    QUICK,
    tune_steps=500,
    batch=128,
    held=2000,
    scenes=16_384,
    start_steps=4000,
    start_batch=256,
    width=128,
    layers=4,
)

PRESETS = {"quick": QUICK, "full": FULL, "tiny": TINY}
