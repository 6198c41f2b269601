"""What the numbers rest on beside the options: hashes of the files that are given."""

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.models import is_python
from scmlab.experiments.benchmark.given import AskedBenchmark, AskedModel
from scmlab.experiments.finetune.given import model_digest
from scmlab.language.identity import fingerprint

READ = (".json", ".jsonl", ".csv", ".tsv", ".txt", ".yaml", ".yml", ".parquet", ".ipynb")
"""Endings of files of annotations."""


def models_digest(models: Sequence[AskedModel], tokenizer: str | None) -> str:
    """SHA-256 over the models' files in order, and of Python's own over the file of the module; '' for none."""
    found = [model_digest(one.source) + _module_digest(one.source) for one in models]
    return _joined([*found, model_digest(tokenizer)]) if found else ""


def _module_digest(source: str) -> str:
    """SHA-256 of the module's file, where it has one: what it loads is not seen."""
    if not is_python(source):
        return ""
    try:
        found = importlib.util.find_spec(source.partition(":")[0])
        return fingerprint(Path(found.origin))["sha256"] if found and found.has_location and found.origin else ""
    except (ImportError, AttributeError, ValueError, OSError):  # said when it is imported
        return ""


def annotations_digest(asked: Sequence[AskedBenchmark]) -> str:
    """SHA-256 over names and content of all files that may be annotations; '' without any."""
    given = [one.annotations for one in asked]
    given += [value for one in asked for _, value in one.options if isinstance(value, Path)]
    given += [
        path
        for one in asked
        if one.annotations.is_file()
        for name in BENCHMARKS[one.name].beside
        if (path := one.annotations.parent / name).is_file()
    ]
    return _joined([line for path in given for line in _lines(path)]) if given else ""


def list_digest(path: str | None) -> str:
    """SHA-256 of the list of training images; '' for none. Errors: no such file."""
    if path is None:
        return ""
    if not Path(path).is_file():
        raise ValueError(f"`train_list` must be a file with one name per line; got {path}, where there is none.")
    return _joined(_lines(Path(path)))


def _lines(path: Path) -> Iterator[str]:
    files = [path] if path.is_file() else sorted(_below(path))
    for file in files:
        try:
            yield f"{os.path.relpath(file, path)} {fingerprint(file)['sha256']}"
        except OSError as error:
            raise ValueError(f"`annotations` must be files that can be read; got {file} ({error.strerror}).") from None


def _below(folder: Path) -> Iterator[Path]:
    """Images that lie beside the annotations are not looked at one by one."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(where, name) for name in names if name.lower().endswith(READ))


def _joined(lines: Sequence[str] | Iterator[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
