"""The numbers of a record of `benchmark`, each with all that stands beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scmlab.report.benchmark_names import BLIND, CHANCE, OWN, SIMILARITY
from scmlab.report.names import DASH, decimal
from scmlab.report.record import Entry, Record, entries, number, select

Names = dict[tuple[str, Any, str], str | None]
"""Benchmark, aggregate and number -> name; None: not shown."""


@dataclass
class Line:
    """A number of a benchmark: the rows of the models by label, of the blind baselines, of chance."""

    setting: str
    name: str
    headline: bool
    models: dict[str, Entry] = field(default_factory=dict)
    blind: list[Entry] = field(default_factory=list)
    chance: float = math.nan
    published: float = math.nan

    @property
    def best(self) -> Entry:
        """The highest blind baseline; empty where there is none."""
        there = [row for row in self.blind if not math.isnan(number(row, "value"))]
        return max(there, key=lambda row: number(row, "value"), default={})


def lines(record: Record) -> dict[str, list[Line]]:
    """Benchmark -> its numbers, the headline ones first, else in the record's order."""
    found: dict[str, dict[str, Line]] = {}
    names = number_names(record)
    for row in entries(record, "rows"):
        of = found.setdefault(row["setting"], {})
        if (name := number_name(row, names)) is None:
            continue
        line = of.setdefault(name, Line(row["setting"], name, False))
        line.headline = line.headline or bool(row.get("headline"))
        if row["control"] is None:
            line.models[row["model"]] = row
            if math.isnan(line.published):
                line.published = number(row, "reference")
        elif row["control"] == CHANCE:
            line.chance = number(row, "value")
        else:
            line.blind.append(row)
    return {setting: sorted(of.values(), key=lambda line: not line.headline) for setting, of in found.items()}


def number_names(record: Record) -> Names:
    """Names of all numbers: those of a further aggregate, beside the official one, have it in brackets.

    None for a number that an earlier aggregate gives too, with the same values for all models and baselines.
    """
    values: dict[tuple, dict[Any, dict]] = {}  # benchmark and number -> aggregate -> whose -> value
    first: dict[str, Any] = {}
    for row in entries(record, "rows"):
        setting, aggregate = row["setting"], row.get("aggregate")
        first.setdefault(setting, benchmark_of(record, setting).get("aggregate") or aggregate)
        of = values.setdefault((setting, row["number"]), {}).setdefault(aggregate, {})
        of[row["control"], row["model"]] = row.get("value")
    names: Names = {}
    for (setting, name), of in values.items():
        earlier: list[dict] = []
        for aggregate, found in sorted(of.items(), key=lambda pair: pair[0] != first[setting]):
            full = name if aggregate == first[setting] else f"{name} ({aggregate})"
            names[setting, aggregate, name] = None if found in earlier else full
            earlier.append(found)
    return names


def number_name(entry: Entry, names: Names) -> str | None:
    """The entry's number, as of `number_names`."""
    key = (entry["setting"], entry.get("aggregate"), entry["number"])
    return names.get(key, entry["number"])


def labels(record: Record) -> list[str]:
    """The models, each once."""
    named = [entry["model"] for entry in entries(record, "models")]
    of_rows = [row["model"] for row in entries(record, "rows") if row["control"] is None]
    return list(dict.fromkeys([*named, *of_rows]))


def seeds_of(record: Record, label: str) -> int:
    """How many files go by the label."""
    if models := entries(record, "models"):
        return len(select(models, model=label))
    return max((row.get("seeds") or 1 for row in select(entries(record, "rows"), control=None, model=label)), default=1)


def with_seed(record: Record, entry: Entry) -> str:
    """The entry's model; with its seed where several files go by its label."""
    seed = entry.get("seed")
    several = seed is not None and seeds_of(record, entry["model"]) > 1
    return f"{entry['model']}, seed {seed}" if several else str(entry["model"])


def with_seeds(record: Record, label: str) -> str:
    """The label; with the number of its files where there are several."""
    count = seeds_of(record, label)
    return f"{label} ({count} seeds)" if count > 1 else label


def benchmark_of(record: Record, setting: str) -> Entry:
    """What was read of the benchmark; empty where the record does not say."""
    return next(iter(select(entries(record, "benchmarks"), setting=setting)), {})


def title(record: Record, setting: str) -> str:
    """'SugarCrepe (sugarcrepe)'; of a correlation also that it is one."""
    of = benchmark_of(record, setting)
    name = of.get("title")
    shown = f"{name} ({setting})" if name and name != setting else setting
    return f"{shown}, {SIMILARITY}" if of.get("rule") == "similarity" else shown


def ties_of(of: Entry) -> str:
    """'strict', or 'half, official: strict'."""
    used, official = of.get("ties"), of.get("official_ties")
    return str(used or official or DASH) + (
        f", official: {official}" if official and used not in (None, official) else ""
    )


def blind_name(row: Entry, *, owner: bool) -> str:
    """'shorter'; owner: of a model's own codes with its label."""
    name = BLIND.get(row["control"], row["control"]) if row else ""
    return f"{name}, {row['model']}" if owner and row and row["control"] in OWN else name


def score(row: Entry) -> tuple[str, str]:
    """The value, and '[low, high]' or '± sd'; a dash and '' where there is none."""
    value, low, high, sd = (number(row, key) for key in ("value", "low", "high", "sd"))
    if math.isnan(value):
        return DASH, ""
    if not math.isnan(low) and not math.isnan(high):
        return decimal(value, 2), f"[{decimal(low, 1)}, {decimal(high, 1)}]"
    return decimal(value, 2), "" if math.isnan(sd) else f"± {decimal(sd, 2)}"


def difference(row: Entry) -> tuple[str, str]:
    """'+1.25' and '[+0.4, +2.1]'; a dash and '' where there is none."""
    value, low, high = (number(row, key) for key in ("difference", "low", "high"))
    if math.isnan(value):
        return DASH, ""
    ends = "" if math.isnan(low) or math.isnan(high) else f"[{signed(low, 1)}, {signed(high, 1)}]"
    return signed(value, 2), ends


def signed(value: float, digits: int) -> str:
    """Points with their sign; 0 without."""
    text = decimal(value, digits)
    return f"+{text}" if value > 0 and float(text) else text


def probability(value: float) -> str:
    """p with two digits; '< 0.0001' below that."""
    return (
        DASH
        if math.isnan(value)
        else "< 0.0001"
        if value < 0.0001
        else f"{value:.2g}"
        if value < 0.1
        else f"{value:.2f}"
    )


def whole(values: Sequence[int | None]) -> str:
    """A count; 'least to most' where files of one label differ."""
    there = [value for value in values if value is not None]
    if not there:
        return DASH
    return f"{there[0]:,}" if len(set(there)) == 1 else f"{min(there):,} to {max(there):,}"
