"""What a record says of its benchmarks, models and options: names of files, not their places."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from scmlab.benchmarks.images import RootCoverage
from scmlab.benchmarks.models import Model
from scmlab.benchmarks.scoring import defect_kinds
from scmlab.benchmarks.source import differences
from scmlab.experiments.benchmark.checks import expected_items
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.given import AskedModel, file_name
from scmlab.experiments.benchmark.plan import Task


def plain_config(config: Config) -> dict:
    """The configuration as it is read back; of a folder or file its name, as records are read elsewhere too."""
    found = json.loads(json.dumps(asdict(config)))
    for name in ("model", "annotations", "images", "option"):
        found[name] = [_named(text) for text in found[name]]
    for name in ("tokenizer", "train_list", "cache"):
        found[name] = found[name] and _named(found[name])
    return {key: value for key, value in found.items() if value != ""}  # no hashes of what was not given


def _named(text: str) -> str:
    """The last name of a path, with the label before it."""
    if os.path.exists(text) or "=" not in text:
        return file_name(text)
    label, _, path = text.partition("=")
    return f"{label}={file_name(path)}"


def _hint(root: RootCoverage) -> str:
    """Without the folder's place: from the folder above on."""
    if root.folder is None:
        return root.hint
    above = str(Path(root.folder).parent)
    below = f"in {above.rstrip(os.sep)}{os.sep}"
    return root.hint.replace(f"in {above},", "in the folder above,").replace(below, "in ")


def about_model(asked: AskedModel, model: Model, cut: Mapping[str, int | None]) -> dict:
    """Label, file, activation, identity, and how many captions of each benchmark it cuts."""
    source = file_name(asked.source)
    return {
        "model": asked.label,
        "seed": asked.seed,
        "source": source or "trained here on scenes",
        "activation": model.activation,
        "identity": model.identity,
        "truncated": dict(cut),
    }


def about_benchmark(task: Task, ties: str, apart: str) -> dict:
    """What was read, how it is scored, and how it differs from the official release."""
    benchmark, source, aggregate = task.benchmark, task.source, task.aggregates[0]
    return {
        "setting": benchmark.name,
        "control": None,
        "title": source.title,
        "rule": benchmark.rule,
        "ties": ties,
        "official_ties": benchmark.ties,
        "aggregate": aggregate.name,
        "says": aggregate.says,
        "licence": source.licence,
        "origin": source.origin,
        "cited": source.cited,
        "items": len(benchmark.items),
        "images": sum(root.wanted for root in task.coverage.roots),
        "captions": task.captions,
        "expected": expected_items(task),
        "defects": defect_kinds(benchmark),
        "differences": [one.sentence for one in differences(benchmark)],
        "roots": [
            {"root": root.root, "wanted": root.wanted, "found": root.found, "missing": root.missing,
             "unreadable": root.unreadable, "first": list(root.first), "hint": _hint(root)}
            for root in task.coverage.roots
        ],
        "halves": apart,
    }  # fmt: skip
