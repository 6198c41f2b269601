"""The model that is fine-tuned: a given one, or a small one trained here on scenes."""

import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from scmlab.experiments.audit.source import named
from scmlab.experiments.intervention.config import QUICK
from scmlab.experiments.intervention.data import scene_spec
from scmlab.experiments.intervention.work import Job, build, train
from scmlab.models.clip import Clip, load_clip
from scmlab.scm.store import BadFile


@runtime_checkable  # so that annotations with it can be enforced
class Given(Protocol):
    """The part of a configuration that says which model is given."""

    model: str | None
    tokenizer: str | None
    activation: str | None
    heads: tuple[int, int] | None


@contextmanager
def warnings_said() -> Iterator[None]:
    """What loading a model warns of inside, on stderr as a line each, in the words of the command line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        said = re.sub(r"activation='(\w+)'", r"--activation \1", str(warning.message))
        print(f"scmlab: {said}", file=sys.stderr)


def check_model(config: Given) -> None:
    """Load the given model, before anything is written, and say on stderr what it does not say itself.

    Errors (BadFile): under the names of the options.
    """
    if config.model is None:
        return
    with warnings_said():
        _load(config)


def given_clip(config: Given, device: str) -> Clip:
    """The given model, on the device; `check_model` has said what is to be said of it. Errors: as there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _load(config).to(device)


def described(config: Given, clip: Clip) -> dict:
    """What a record says of the model before fine-tuning: where it comes from, by name; activation; size."""
    given = config.model is not None and Path(clip.source).exists()
    return {
        "source": Path(clip.source).name if given else clip.source,
        "activation": clip.activation,
        "parameters": sum(p.numel() for p in clip.model.parameters()),
    }


def _load(config: Given) -> Clip:
    try:
        return load_clip(config.model, tokenizer=config.tokenizer, activation=config.activation, heads=config.heads)
    except BadFile as error:
        said = str(error).replace("`source`", "`model`").replace("`heads=(image, text)`", "`--heads IMAGE TEXT`")
        raise named(BadFile(said), "model") from None


def small_clip(
    shortcut: float,
    *,
    steps: int,
    scenes: int,
    batch: int,
    width: int,
    layers: int,
    patch: int,
    seed: int,
    device: str,
    folder: Path,
    report: Callable[[str, int], None],
) -> Clip:
    """A small CLIP trained plainly on scenes, as the experiment `intervention` does.

    Its checkpoint is in `folder`: a second call goes on from there, or reads the finished model.
    """
    size = {"width": width, "layers": layers, "patch": patch}
    config = replace(QUICK, scenes=scenes, steps=steps, batch=min(batch, scenes), checkpoint_every=200, **size)
    job = Job(shortcut, "plain", seed)
    start = build(config, device, seed)
    trained = train(job, config, scene_spec(shortcut, "relation"), start, folder, report).clip
    return replace(trained, source="small CLIP trained on scenes")
