"""The configuration of the experiment `finetune` and its presets."""

import math
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from scmlab.experiments.audit.source import digest
from scmlab.experiments.finetune.given import check_given, check_small, images_digest, model_digest
from scmlab.objectives.attribution import NORMALISE, OVER
from scmlab.training.clip.spec import FREEZE, PRECISIONS

NEGATIVES = ("none", "negclip", "algorithm_1")
ATTRIBUTION = ("none", "attention", "gradcam", "perturbation", "gradient")
ON_ERROR = ("stop", "skip")
LR, LR_GIVEN = 3e-4, 5e-6  # of the small model on scenes, of a given checkpoint


@dataclass(frozen=True)
class Config:
    """Fine-tune a CLIP on images with captions; without --model a small one on scenes that are written here."""

    model: str | None = None
    """Folder, file or hub name of a CLIP (transformers, open_clip); none: a small one trained here on scenes."""
    tokenizer: str | None = None
    """Folder or file of merges of the tokenizer, for a bare file of weights."""
    activation: str | None = None
    """quickgelu or gelu, where the model's files do not say."""
    heads: tuple[int, int] | None = None
    """Attention heads of image and text, for a bare file of weights that has not one per 64 of width."""
    captions: str | None = None
    """File of captions with image names (TSV, NegCLIP's too, CSV, JSONL, Karpathy's JSON); none: scenes."""
    images: str | None = None
    """Folder that the image names start from."""
    splits: tuple[str, ...] = ()
    """Of Karpathy's JSON: splits to train on; none: all."""
    held_splits: tuple[str, ...] = ()
    """Of Karpathy's JSON: splits to measure on; none: `held` images of the training splits, drawn and left out."""
    on_error: str = "stop"
    """At a broken caption, a missing or a damaged image: stop, or skip and count."""
    held: int = 500
    """Images held out to measure on, at most half of all."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    workers: int = 0
    """Threads that decode images and processes that make negatives; 0: one per CPU core."""

    negatives: str = "algorithm_1"
    """False captions: none; negclip (those of the file, and its images that look alike); algorithm_1 (made here)."""
    count: int = 2
    """False captions per caption."""
    attribution: str = "none"
    """Attribution loss: none, attention, gradcam, perturbation or gradient."""
    weight: float = 1.0
    """Weight of the attribution loss."""
    margin: float = 0.0
    """By which words of composition should score more than objects."""
    over: str = "batch"
    """The hinge of the attribution loss is over batch or over caption."""
    normalise: str = "none"
    """Scores of the attribution loss as shares of a caption: none, abs or relu."""

    steps: int = 150
    """Training steps; with `epochs` the epochs decide."""
    epochs: int = 0
    """Passes over the training pairs; 0: `steps`."""
    batch: int = 64
    """Pairs per step."""
    chunk: int | None = None
    """Most pairs embedded at a time; the gradient is that of the whole batch all the same."""
    lr: float | None = None
    """Peak learning rate; none: 5e-6 for a given model, 3e-4 for the small one."""
    warmup: int = 20
    """Steps over which the learning rate rises."""
    weight_decay: float = 0.1
    """Of AdamW, on matrices only."""
    precision: str = "float32"
    """float32, or bf16."""
    freeze: str = "none"
    """Tower that keeps its weights: none, image or text."""
    clip_norm: float = 0.0
    """Limit of the gradient's norm; 0: none."""
    interpolate: tuple[float, ...] = (0.5,)
    """Models between the start (0) and the tuned one (1) that are measured and written too."""
    seed: int = 0
    """Draws the held-out images, the negatives and the batches."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""

    attributed: int = 256
    """Held-out captions that are attributed."""
    shortcut: float = 1.0
    """Of the scenes: how far the pair of objects gives the relation away."""
    scenes: int = 4096
    """Scenes that are drawn and written, where no captions are given."""
    start_steps: int = 300
    """Training steps of the small model before it is fine-tuned."""
    width: int = 96
    """Width of the small model."""
    layers: int = 3
    """Layers of each tower of the small model."""
    patch: int = 8
    """Side of a patch of the small model in pixels."""

    captions_sha256: Annotated[str, tyro.conf.Suppress] = ""
    model_sha256: Annotated[str, tyro.conf.Suppress] = ""
    images_sha256: Annotated[str, tyro.conf.Suppress] = ""

    def __post_init__(self) -> None:
        names = {"negatives": NEGATIVES, "attribution": ATTRIBUTION, "on_error": ON_ERROR, "over": OVER}
        names |= {"normalise": NORMALISE, "precision": PRECISIONS, "freeze": FREEZE}
        for name, options in names.items():
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"`{name}` must be one of {', '.join(options)}; got {value!r}.")
        check_given(self.model, self.captions, self.images, self.activation, self.heads)
        least = {"held": 2, "workers": 0, "count": 1, "steps": 1, "epochs": 0, "batch": 2, "attributed": 1, "seed": 0}
        least |= {"scenes": 16, "start_steps": 1, "checkpoint_every": 1, "width": 32, "layers": 1, "patch": 4}
        for name, value in (least | {"warmup": 0} | ({} if self.chunk is None else {"chunk": 1})).items():
            if getattr(self, name) < value:
                raise ValueError(f"`{name}` must be at least {value}; got {getattr(self, name)}.")
        for name in ("weight", "weight_decay", "clip_norm"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"`{name}` must be non-negative and finite; got {getattr(self, name)}.")
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise ValueError(f"`lr` must be positive and finite; got {self.lr}.")
        if not math.isfinite(self.margin):
            raise ValueError(f"`margin` must be finite; got {self.margin}.")
        if self.attribution != "none" and self.weight == 0:
            raise ValueError("`weight` must be above 0 with an attribution loss; got 0.")
        if not 0 <= self.shortcut <= 1:
            raise ValueError(f"`shortcut` must be in [0, 1]; got {self.shortcut}.")
        if self.captions is None and self.batch > self.scenes:
            raise ValueError(f"`batch` must be at most `scenes` = {self.scenes}; got {self.batch}.")
        check_small(self.width, self.patch)
        if len(set(self.interpolate)) < len(self.interpolate) or not all(0 < a < 1 for a in self.interpolate):
            raise ValueError(f"`interpolate` must be different numbers between 0 and 1; got {self.interpolate}.")
        if self.held_splits and set(self.splits) & set(self.held_splits):
            raise ValueError(f"`held_splits` must not be trained on; got {self.held_splits} of {self.splits}.")
        if self.held_splits and not self.splits:
            raise ValueError("`splits` must be given with `held_splits`; got none.")
        object.__setattr__(self, "captions_sha256", digest(self.captions))  # other files are another run
        object.__setattr__(self, "model_sha256", model_digest(self.model))
        object.__setattr__(self, "images_sha256", images_digest(self.images))

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.lr if self.lr is not None else LR if self.model is None else LR_GIVEN


QUICK = Config()
TINY = replace(
    QUICK,
    held=24,
    steps=3,
    batch=16,
    warmup=1,
    scenes=96,
    start_steps=2,
    width=32,
    layers=1,
    patch=16,
    attributed=16,
)
FULL = replace(QUICK, held=1000, steps=2000, batch=256, scenes=32_768, start_steps=4000, width=128, layers=4)

PRESETS = {"quick": QUICK, "full": FULL, "tiny": TINY}
