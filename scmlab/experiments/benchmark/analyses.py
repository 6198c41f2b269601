"""What a similarity rests on in a benchmark's captions: shares of word classes, cosines with a caption's words."""

from pathlib import Path

from scmlab.benchmarks.attributed import attribution_shares
from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.models import Model
from scmlab.benchmarks.words import word_cosines
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.plan import Task
from scmlab.experiments.jobs import kept
from scmlab.scm import stream


def analyses(task: Task, model: Model, cache: Cache, config: Config, folder: Path) -> dict[str, list[dict]]:
    """Lists "attribution" (of a CLIP of this library alone: others show no weights) and "words"; kept in the folder.

    Nothing where no captions are to be attributed, and for pairs of captions without an image.
    """
    if not config.attributed or task.benchmark.rule == "similarity":
        return {}
    found = {"words": word_cosines(model, task.benchmark, cache, batch=config.batch)}
    if model.clip is not None:

        def compute() -> dict:
            entries = attribution_shares(
                model.clip,
                task.benchmark,
                task.coverage.paths,
                number=config.attributed,
                generator=stream(config.seed, "benchmark", "attributed"),
            )
            return {"entries": entries}

        settings = {"benchmark": task.benchmark.name, "annotations": config.annotations_sha256,
                    "images": config.images_sha256, "option": config.option, "number": config.attributed,
                    "seed": config.seed, "model": model.identity}  # fmt: skip
        device = str(model.clip.device)
        path = folder / f"{task.benchmark.name}.json"
        found["attribution"] = kept(path, settings, compute, device=device, keys=("entries",))["entries"]
    return found
