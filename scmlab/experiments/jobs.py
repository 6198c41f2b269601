"""Jobs of an experiment: side by side where there are cores, each result kept in a file, their progress added up."""

import json
import math
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import torch
from joblib import Parallel, delayed

from scmlab.experiments.provenance import versions
from scmlab.scm.store import BadFile, read_json, write_atomically

INTERVAL = 0.5  # seconds between two looks at the jobs' notes


def run_jobs(
    calls: Mapping[str, Callable[[], dict]], *, notes: Path, workers: int, progress: Callable[[int], None]
) -> dict[str, dict]:
    """name -> result of each call, in processes side by side, started in the given order: the longest first.

    Calls must be picklable, and must not depend on the order: the number of workers then changes no number. progress
    is called, in another thread's time, with the steps done over all jobs, which each reports to a `Note` on `notes`.
    """
    notes.mkdir(parents=True, exist_ok=True)
    with _Watch(notes, progress):
        parallel = Parallel(n_jobs=max(1, min(workers, len(calls))), return_as="generator")
        return dict(zip(calls, parallel(delayed(call)() for call in calls.values()), strict=True))


def number_of_workers(workers: int, device: str) -> int:
    """`workers`, or where that is 0 one per CPU core, and one in all on a GPU."""
    return workers or (1 if device.startswith("cuda") else joblib.cpu_count())


def kept(
    path: Path, settings: Mapping[str, Any], compute: Callable[[], dict], *, device: str, keys: tuple[str, ...] = ()
) -> dict:
    """The job's result: that in the file where there is one, else computed and written. On the CPU it has one thread.

    settings: all that decides the result (plain data), to which the device and the versions of code and libraries are
    added. keys: what a whole file must have. Errors (BadFile): a broken file, results of other settings or code.
    """
    belongs_to = plain({**settings, "device": device, "versions": versions()})
    if path.exists():
        result = read_json(path, ("belongs_to", *keys))
        if result["belongs_to"] != belongs_to:
            raise BadFile(f"A job's file must hold results of this configuration and code; got others in {path}.")
        return result
    with one_thread(device):
        result = plain(compute()) | {"belongs_to": belongs_to}
    write_atomically(path, json.dumps(result).encode())
    return result


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On the CPU one thread: the same sums in the same order whatever the number of cores, which other jobs use."""
    threads = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def plain(data: Any) -> Any:
    """As JSON gives it back: lists for tuples, and None for nan and infinity, which it lacks."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


@contextmanager
def folder_or_temporary(folder: Path | None) -> Iterator[Path]:
    """The folder, or for None one that is gone afterwards."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


@dataclass(frozen=True)
class Note:
    """Notes how far a job is in a file of its own: the way from worker processes to the progress bar."""

    folder: Path

    def __call__(self, name: str, step: int) -> None:
        """Replace the job's note."""
        (self.folder / name).write_text(str(step))


class _Watch:
    """While open, reports the sum of the notes in a folder every INTERVAL seconds."""

    def __init__(self, folder: Path, progress: Callable[[int], None]) -> None:
        self.folder, self.progress = folder, progress
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.thread.join()

    def _poll(self) -> None:
        last = False
        while not last:
            last = self.closed.wait(INTERVAL)
            self.progress(sum(int(note.read_text() or 0) for note in self.folder.iterdir()))
