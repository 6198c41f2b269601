"""The configuration of the experiment `benchmark` and its presets."""

import os
from dataclasses import dataclass, replace
from typing import Annotated

import tyro

from scmlab.benchmarks.aggregates import AGGREGATES
from scmlab.experiments.benchmark.digests import annotations_digest, list_digest, models_digest
from scmlab.experiments.benchmark.given import asked_benchmarks, asked_models, folders_of
from scmlab.experiments.finetune.given import check_small, images_digest
from scmlab.models.clip.spec import check_activation

TIES = ("official", "strict", "first", "half")
ON_ERROR = ("stop", "skip")

Repeated = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


@dataclass(frozen=True)
class Config:
    """Score models on benchmarks; options marked repeatable are given once for each."""

    model: Repeated = ()
    """CLIP's folder, file or hub name, or MODULE:FUNCTION; LABEL=... names it, one label for several seeds; all are
    compared with the first. None: a small CLIP trained here on scenes."""
    activation: Repeated = ()
    """quickgelu or gelu, where the model's files do not say: one for all CLIPs, or one for each."""
    tokenizer: str | None = None
    """Folder or file of merges of the tokenizer, for bare files of weights."""
    heads: tuple[int, int] | None = None
    """Heads of the image and the text transformer, for bare files of weights; none: one per 64 of width."""
    benchmark: Repeated = ()
    """Name of a benchmark, see --list; none: scenes that are drawn here."""
    annotations: Repeated = ()
    """Folder or file of its annotations; BENCHMARK=FOLDER where there are several benchmarks."""
    images: Repeated = ()
    """Folder of its images; ROOT=FOLDER where there are several image roots."""
    option: Repeated = ()
    """NAME=VALUE of a benchmark's loader, BENCHMARK.NAME=VALUE of one among several; lists have commas."""
    aggregate: Repeated = ()
    """Further ways to make numbers of the scores, such as sugarcrepe_cae/1; the official one is always there."""
    ties: str = "official"
    """What a tie counts: official, strict (wrong), first (right where the right caption is first) or half."""
    on_error: str = "stop"
    """At items whose images are missing or damaged: stop, or skip (score the others, count these)."""
    train_list: str | None = None
    """File with the names of the images that the models were trained on, one per line."""
    resamples: int = 1000
    """Bootstrap resamples of the intervals."""
    negatives: int = 1
    """Negatives by Algorithm 1 of each right caption, scored beside the benchmark's own; 0: none."""
    attributed: int = 256
    """Captions of each benchmark whose words are attributed; 0: none."""
    batch: int = 64
    """Images or captions that a model gets at once."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    cache: str | None = None
    """Folder of embeddings, kept for later runs; none: `embeddings` beside the runs."""
    seed: int = 0
    """Draws halves, resamples, Algorithm 1's negatives, attributed captions and scenes."""

    shortcut: float = 1.0
    """Of scenes drawn here: how far the pair of objects gives the relation away."""
    scenes: int = 500
    """Scenes of the benchmark that is drawn here."""
    train_scenes: int = 4096
    """Scenes that the small model is trained on."""
    start_steps: int = 300
    """Training steps of the small model."""
    width: int = 96
    """Width of the small model."""
    layers: int = 3
    """Layers of each tower of the small model."""
    patch: int = 8
    """Side of a patch of the small model in pixels."""

    model_sha256: Annotated[str, tyro.conf.Suppress] = ""
    annotations_sha256: Annotated[str, tyro.conf.Suppress] = ""
    images_sha256: Annotated[str, tyro.conf.Suppress] = ""
    train_list_sha256: Annotated[str, tyro.conf.Suppress] = ""

    def __post_init__(self) -> None:
        for name, options in {"ties": TIES, "on_error": ON_ERROR}.items():
            if (value := getattr(self, name)) not in options:
                raise ValueError(f"`{name}` must be one of {', '.join(options)}; got {value!r}.")
        for name in self.aggregate:
            if name not in AGGREGATES:
                raise ValueError(f"`aggregate` must be one of {', '.join(AGGREGATES)}; got {name!r}.")
        for name in self.activation:
            check_activation(name)
        least = {"resamples": 2, "negatives": 0, "attributed": 0, "batch": 1, "seed": 0, "scenes": 16}
        least |= {"train_scenes": 16, "start_steps": 1, "width": 32, "layers": 1, "patch": 4}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ValueError(f"`{name}` must be at least {value}; got {getattr(self, name)}.")
        if not 0 <= self.shortcut <= 1:
            raise ValueError(f"`shortcut` must be in [0, 1]; got {self.shortcut}.")
        check_small(self.width, self.patch)
        if self.heads is not None and min(self.heads) < 1:
            raise ValueError(f"`heads` must be two positive numbers; got {self.heads}.")
        if self.cache is not None and os.path.exists(self.cache) and not os.path.isdir(self.cache):
            raise ValueError(f"`cache` must be a folder; got the file {self.cache}.")
        models = asked_models(self.model, self.activation)
        asked = asked_benchmarks(self.benchmark, self.annotations, self.option)
        # other files are another run
        object.__setattr__(self, "model_sha256", models_digest(models, self.tokenizer))
        object.__setattr__(self, "annotations_sha256", annotations_digest(asked))
        object.__setattr__(self, "images_sha256", "".join(map(images_digest, folders_of(self.images))))
        object.__setattr__(self, "train_list_sha256", list_digest(self.train_list))


QUICK = Config()
TINY = replace(
    QUICK,
    resamples=20,
    attributed=16,
    scenes=24,
    train_scenes=96,
    start_steps=2,
    width=32,
    layers=1,
    patch=16,
)
FULL = replace(
    QUICK, resamples=10_000, negatives=2, attributed=2000, scenes=4000, train_scenes=32_768, start_steps=4000
)

PRESETS = {"quick": QUICK, "full": FULL, "tiny": TINY}
