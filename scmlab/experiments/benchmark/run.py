"""run(config) -> record: every model on every benchmark, one after the other, and what is blind beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.gather import gather
from scmlab.experiments.benchmark.items import items_file
from scmlab.experiments.benchmark.opening import check_models
from scmlab.experiments.benchmark.plan import announced, scenes_task, tasks_of
from scmlab.experiments.device import resolve
from scmlab.experiments.jobs import folder_or_temporary, plain

Report = Callable[[int], None]


def total_steps(config: Config) -> int:
    """Images and captions to embed, and training steps, for the progress bar.

    Errors (BadFile, ValueError): files that cannot be scored; models that cannot be opened.
    """
    check_models(config)
    return _steps(config)


def _steps(config: Config) -> int:
    """Of scenes that are not drawn yet an estimate."""
    each = [len(task.coverage.paths) + task.captions for task in tasks_of(config)] or [6 * config.scenes]
    return max(1, len(config.model)) * sum(each) + (0 if config.model else config.start_steps)


def announce(config: Config) -> Iterator[str]:
    """What is there and what is not, before anything is scored."""
    for task in tasks_of(config):
        yield from announced(task)


def run(config: Config, *, folder: Path | None = None, progress: Report = lambda step: None) -> dict:
    """The record of the experiment: benchmarks, models, rows and all that stands beside them, checks.

    folder   the run's jobs: scenes, the small model's checkpoint; items.parquet is written beside it, embeddings into
             `config.cache`, else into `embeddings` beside the run. A second call embeds only what is not there yet.
             None: nothing is kept
    Deterministic for a config, its files, kind of device and number of threads, up to codes in the cache that another
    batch gave, whose last bits may differ. Errors (BadFile): files that cannot be scored.
    """
    device = resolve(config.device)
    with folder_or_temporary(folder) as where:
        where.mkdir(parents=True, exist_ok=True)
        tasks = tasks_of(config) or (scenes_task(config, where),)
        kept = Path(config.cache) if config.cache else (where if folder is None else where.parent.parent) / "embeddings"
        with items_file(where.parent / "items.parquet" if folder else where / "items.parquet") as file:
            record = plain(gather(config, tasks, where, kept, device, file, progress))
        progress(_steps(config))
        return record
