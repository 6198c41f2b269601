"""run(config) -> record: one model fine-tuned, measured before and after on images that it was not trained on."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scmlab.experiments.device import resolve
from scmlab.experiments.finetune.checks import checks
from scmlab.experiments.finetune.config import Config
from scmlab.experiments.finetune.given import named_only
from scmlab.experiments.finetune.start import check_model
from scmlab.experiments.finetune.work import Place, data_of, libraries, settings, steps_of, work
from scmlab.experiments.jobs import folder_or_temporary, kept, number_of_workers
from scmlab.models.clip import BadImage
from scmlab.scm.store import BadFile

KEYS = ("measured", "data", "model", "written", "training")


def total_steps(config: Config) -> int:
    """Training steps, for the progress bar. Errors (BadFile): a model, captions or images that cannot be read."""
    if config.captions is None:
        return config.start_steps + (config.epochs * (config.scenes // config.batch) or config.steps)
    check_model(config)
    return steps_of(config, data_of(config, Path()))


def run(config: Config, *, folder: Path | None = None, progress: Callable[[int], None] = lambda step: None) -> dict:
    """The record of the experiment: rows, data, model, written, training, histories, checks, libraries.

    folder: where the scenes, the checkpoint, the negatives and the models are written, so that a second call goes on
    where the first one stopped; None: nowhere. Deterministic for a config, its files and kind of device, whatever the
    number of workers. Errors (BadFile): what is given cannot be read, an image among them.
    """
    device = resolve(config.device)
    done: dict[str, int] = {}

    def report(name: str, steps: int) -> None:
        done[name] = steps
        progress(sum(done.values()))

    with folder_or_temporary(folder) as where:
        place = Place(device, where, number_of_workers(config.workers, "cpu"), report)
        try:
            compute = partial(work, config, place)
            result = kept(where / "finetune.json", settings(config), compute, device=device, keys=KEYS)
        except BadImage as error:
            raise BadFile(str(error)) from None
    return _record(config, result, written=folder is not None)


def _record(config: Config, result: dict, *, written: bool) -> dict:
    rows = [_where(name) | entry for name, entries in result["measured"].items() for entry in entries]
    training = {"setting": "tuned", "control": None, "seed": config.seed} | result["training"]
    where = {key: training[key] for key in ("setting", "control", "seed")}
    return {
        "experiment": "finetune",
        "config": named_only(config),
        "rows": rows,
        "data": result["data"],
        "model": result["model"],
        "written": result["written"] if written else [],
        "training": [{k: v for k, v in training.items() if k not in ("step", "curves")}],
        "histories": [where | {"step": training["step"], "curves": training["curves"]}],
        "checks": checks(config, rows, result["written"]),
        "libraries": libraries(),
    }


def _where(name: str) -> dict:
    """What names a model's entries: the start stands as control beside the tuned model."""
    return {"setting": "tuned", "control": "start"} if name == "start" else {"setting": name, "control": None}
