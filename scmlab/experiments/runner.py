"""The outer layer of every experiment: a folder per run, resume, record, report, and what the terminal shows."""

import functools
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import scmlab
from scmlab.experiments.device import resolve
from scmlab.report import terminal_table, write_report
from scmlab.scm.store import write_atomically

NOT_IDENTITY = ("workers", "checkpoint_every")  # fields that cannot change a number


@dataclass(frozen=True)
class Output:
    """Where a run goes and what it prints."""

    out: Path
    quiet: bool = False
    json: bool = False


def run_experiment(name: str, module: ModuleType, preset: str, config: Any, output: Output) -> dict:
    """Run, or show a finished run; returns the record. Files: out/name/ID/{config,record}.json, figures, report.html.

    ID is a hash of the experiment, its config, the device and the package's code: a second call resumes an
    interrupted run and shows a finished one. Errors: a device that is not there; a folder that cannot be written.
    """
    console = Console(stderr=output.json, quiet=output.quiet)
    identity = {key: value for key, value in asdict(config).items() if key not in NOT_IDENTITY}
    identity |= {"experiment": name, "device": resolve(config.device), "code": code_hash()}
    run_id = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
    folder = output.out / name / run_id
    done = folder / "record.json"
    if done.exists():
        record = json.loads(done.read_text())
        console.print(f"This run was finished on {record['date']}; shown again, not repeated.")
    else:
        _make_folder(folder)
        write_atomically(folder / "config.json", json.dumps(asdict(config), indent=2).encode())
        start = time.monotonic()
        with _bar(console, name, module.total_steps(config)) as advance:
            record = module.run(config, folder=folder / "jobs", progress=advance)
        wall = round(time.monotonic() - start, 1)
        record |= {"id": run_id, "preset": preset, "wall_seconds": wall} | environment(config)
        write_atomically(done, json.dumps(record, indent=1).encode())
    write_report(record, folder)
    for table in terminal_table(record):
        console.print(table)
    held = sum(check["held"] for check in record["checks"])
    console.print(f"{held} of {len(record['checks'])} expectations held; {record['wall_seconds']:.0f} s.")
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True)
    if output.json:
        print(json.dumps(record))
    return record


def environment(config: Any) -> dict:
    """What the numbers depend on besides the config: versions, device, machine; and the date."""
    device = resolve(config.device)
    packages = ("torch", "numpy", "scipy", "scikit-learn")
    versions = {name: version(name) for name in packages} | {"python": platform.python_version()}
    gpu = [torch.cuda.get_device_name(device)] if device.startswith("cuda") else []
    return {
        "versions": {"scmlab": f"{scmlab.__version__}+{code_hash()[:12]}"} | versions,
        "device": device,
        "machine": ", ".join([*gpu, _processor(), f"{len(os.sched_getaffinity(0))} cores", platform.system()]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@functools.cache
def code_hash() -> str:
    """SHA-256 over the package's sources: results of other code get another folder."""
    root = Path(scmlab.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
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
