"""The outer layer of every experiment: a folder per run, resume, record, report, and what the terminal shows."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scmlab.experiments.device import resolve
from scmlab.experiments.provenance import code_hash, environment, versions
from scmlab.report import terminal_table, write_report
from scmlab.scm.store import read_json, write_atomically

WIDTH = 120  # of tables that no terminal shows
NOT_IDENTITY = ("workers", "checkpoint_every", "cache")  # fields that cannot change a number


@dataclass(frozen=True)
class Output:
    """Where a run goes and what it prints."""

    out: Path
    quiet: bool = False
    json: bool = False


@dataclass(frozen=True)
class Run:
    """One run that is asked for: everything checked that can be before it starts."""

    name: str
    module: ModuleType
    preset: str
    config: Any
    output: Output
    device: str
    steps: int
    id: str

    @property
    def folder(self) -> Path:
        """out/name/ID."""
        return self.output.out / self.name / self.id


def prepare(name: str, module: ModuleType, preset: str, config: Any, output: Output) -> Run:
    """Check the device and the plan, make the folder. Errors (ValueError): what was asked for cannot be.

    ID is a hash of the experiment, its config, the device, the package's code and the versions of its libraries:
    the same call again resumes an interrupted run and shows a finished one.
    """
    device, steps = resolve(config.device), module.total_steps(config)
    identity = {key: value for key, value in asdict(config).items() if key not in NOT_IDENTITY}
    identity |= {"experiment": name, "device": device, "versions": versions(), "code": code_hash()}
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    free = {name: getattr(config, name) for name in NOT_IDENTITY if hasattr(config, name)}
    as_preset = replace(module.PRESETS[preset], **free)
    preset += "" if config == as_preset else ", changed"
    run = Run(name, module, preset, config, output, device, steps, digest[:12])
    _make_folder(run.folder)
    return run


def execute(run: Run) -> dict:
    """Run it, or show it when it is finished; returns the record.

    Files in the run's folder: config.json, jobs (checkpoints and finished parts), record.json, figures, report.html.
    """
    stream = sys.stderr if run.output.json else sys.stdout
    console = Console(file=stream, quiet=run.output.quiet, width=None if stream.isatty() else WIDTH)
    done = run.folder / "record.json"
    if done.exists():
        record = read_json(done, ("date", "rows", "checks", "wall_seconds"))
        console.print(f"This run was finished on {record['date']}; shown again, not repeated.")
    else:
        record = _carry_out(run, console)
        write_atomically(done, json.dumps(record, indent=1).encode())
    write_report(record, run.folder)
    for table in terminal_table(record):
        console.print(table)
    held = sum(check["held"] for check in record["checks"])
    console.print(f"{held} of {len(record['checks'])} expectations held; {record['wall_seconds']:.0f} s.")
    console.print(f"Report: {run.folder / 'report.html'}", soft_wrap=True)
    if run.output.json:
        print(json.dumps(record))
    return record


def run_experiment(name: str, module: ModuleType, preset: str, config: Any, output: Output) -> dict:
    """`execute` what `prepare` checked."""
    return execute(prepare(name, module, preset, config, output))


def _carry_out(run: Run, console: Console) -> dict:
    jobs = run.folder / "jobs"
    resumed, start = jobs.exists(), time.monotonic()
    write_atomically(run.folder / "config.json", json.dumps(asdict(run.config), indent=2).encode())
    for sentence in getattr(run.module, "announce", lambda config: ())(run.config):
        console.print(sentence, highlight=False, soft_wrap=True)
    with _bar(console, run.name, run.steps) as advance:
        record = run.module.run(run.config, folder=jobs, progress=advance)
    wall = round(time.monotonic() - start, 1)
    record |= {"id": run.id, "preset": run.preset, "wall_seconds": wall, "resumed": resumed}
    return record | environment(run.device)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"`out` must be a folder that can be written; got {folder} ({error.strerror}).") from None


@contextmanager
def _bar(console: Console, name: str, total: int) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(name, total=total, rate="")

        def advance(step: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=step, rate=f"{speed:.0f} steps/s" if speed else "")

        yield advance


def fail(message: str, status: int) -> None:
    """One sentence on stderr, and the exit status."""
    print(f"scmlab: {message}", file=sys.stderr)
    raise SystemExit(status)
