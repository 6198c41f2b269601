"""What a score must be to be compared with published ones, and to be worth more than a blind scorer's."""

import math
from collections.abc import Iterator, Mapping, Sequence

from scmlab.benchmarks.source import ALL, UNKNOWN, differences
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.plan import Task

TIE_POINTS = 0.5  # percentage points that the policy for ties may move a number


def checks(config: Config, tasks: Sequence[Task], lists: Mapping[str, list[dict]]) -> list[dict]:
    """One entry per expectation: setting, control, name, expected, measured, held."""
    return [one for task in tasks for one in (*_files(task, lists), *_beyond(task, lists), *_ties(task, lists))]


def expected_items(task: Task) -> int | None:
    """Items of the official release; None where it is not known."""
    expected = {name: number for name, number in task.benchmark.expected.items() if name != "captions"}
    if ALL in expected:
        return expected[ALL]
    return sum(expected.values()) if expected and UNKNOWN not in expected.values() else None


def _files(task: Task, lists: Mapping[str, list[dict]]) -> Iterator[dict]:
    name, items = task.benchmark.name, len(task.benchmark.items)
    if task.benchmark.expected:
        other = differences(task.benchmark)
        official = expected_items(task)
        expected = "as in the official release" + (f": {official:,}" if official is not None else "")
        measured = f"{items:,}" + "".join(f"; {one.category}: {one.found:,}, not {one.expected:,}" for one in other[:3])
        yield _entry(name, "number of items", expected, measured, not other)
    if task.benchmark.roots:
        missing = max(entry["missing"] for entry in lists["counts"] if entry["setting"] == name)
        yield _entry(name, "images", "of all items", f"{items - missing:,} of {items:,} items", not missing)


def _beyond(task: Task, lists: Mapping[str, list[dict]]) -> Iterator[dict]:
    """Each model's first numbers above every baseline's: with the whole interval, or the mean of several seeds."""
    name, aggregate = task.benchmark.name, task.aggregates[0].name
    if task.benchmark.rule == "similarity":
        return
    of = [row for row in lists["rows"] if (row["setting"], row["aggregate"]) == (name, aggregate) and row["headline"]]
    for label in dict.fromkeys(row["model"] for row in of if row["control"] is None):
        held, what, said = True, "the 95 % interval", []
        for row in of:
            if row["control"] is not None or row["model"] != label:
                continue
            blind = {other["control"]: other["value"] for other in of
                     if other["control"] is not None and other["number"] == row["number"]
                     and other["model"] in (None, label) and other["value"] is not None}  # fmt: skip
            if not blind or row["value"] is None:
                continue
            best = max(blind, key=lambda key: blind[key])
            if several := row["seeds"] > 1:
                what = "the mean over seeds"
            low = row["value"] if several else row["low"]
            held &= not math.isnan(low) and low > blind[best]
            start = "" if several else f" (from {low:.1f})"
            said.append(f"{row['number']} {row['value']:.1f}{start}, {best} {blind[best]:.1f}")
        if said:
            yield _entry(name, f"{label}: beyond blind", f"{what} above every blind baseline", "; ".join(said), held)


def _ties(task: Task, lists: Mapping[str, list[dict]]) -> Iterator[dict]:
    of = [entry for entry in lists["ties"] if entry["setting"] == task.benchmark.name and entry["control"] is None]
    for label in dict.fromkeys(entry["model"] for entry in of):
        moved = [abs(entry["first"] - entry["strict"]) for entry in of if entry["model"] == label
                 and not math.isnan(entry["first"] - entry["strict"])]  # fmt: skip
        if moved:
            yield _entry(task.benchmark.name, f"{label}: ties", f"move no number by more than {TIE_POINTS:g} points",
                         f"at most {max(moved):.2f}", max(moved) <= TIE_POINTS)  # fmt: skip


def _entry(setting: str, name: str, expected: str, measured: str, held: bool) -> dict:
    where = {"setting": setting, "control": None, "name": name}
    return where | {"expected": expected, "measured": measured, "held": bool(held)}
