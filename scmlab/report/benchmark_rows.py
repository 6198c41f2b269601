"""Rows of numbers that terminal and page of `benchmark` both show."""

from collections.abc import Sequence

from scmlab.report.benchmark_lines import (
    Line,
    benchmark_of,
    blind_name,
    difference,
    number_name,
    number_names,
    probability,
    whole,
    with_seed,
)
from scmlab.report.names import decimal
from scmlab.report.record import Entry, Record, entries, number, select
from scmlab.report.report import Cell, Row

MOST = 14  # numbers of a benchmark in the terminal, and on the page where none is a headline
COUNTS = (
    "items",
    "official",
    "scored",
    "missing",
    "unreadable images",
    "tied",
    "defective",
    "duplicates",
    "cut captions",
)
TESTS = ("both", "only first", "only second", "neither", "left out", "p")


def beside(line: Line, *, owner: bool) -> tuple[str, str, str, str]:
    """Best blind baseline, which it is, chance, published; owner: say also of which model's codes it is."""
    value, name = decimal(line.best.get("value"), 2), blind_name(line.best, owner=owner)
    return value, name, decimal(line.chance, 2), decimal(line.published, 2)


def counted(record: Record) -> list[tuple[str, list[Row]]]:
    """Benchmark -> a row per model; a range where files of one label differ."""
    found: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries(record, "counts"):
        found.setdefault(entry["setting"], {}).setdefault(entry["model"], []).append(entry)
    return [
        (setting, [_count(record, setting, label, of) for label, of in models.items()])
        for setting, models in found.items()
    ]


def _count(record: Record, setting: str, label: str, of: Sequence[Entry]) -> Row:
    keys = ("scored", "missing", "unreadable", "tied", "defective", "duplicates")
    items, *others = (whole([entry.get(key) for entry in of]) for key in ("items", *keys))
    models = select(entries(record, "models"), model=label)
    cut = whole([(model.get("truncated") or {}).get(setting) for model in models])
    return (label, items, whole([benchmark_of(record, setting).get("expected")]), *others, cut)


def differences(record: Record) -> list[tuple[str, dict[str, dict[str, Cell]]]]:
    """Benchmark -> number -> model -> its difference: the headline numbers, or the first of a benchmark without."""
    names, found = number_names(record), []
    for setting in dict.fromkeys(entry["setting"] for entry in entries(record, "differences")):
        of = select(entries(record, "differences"), setting=setting)
        of = [entry for entry in of if entry.get("headline")] or of
        rows: dict[str, dict[str, Cell]] = {}
        for entry in of:
            if (name := number_name(entry, names)) is not None:
                rows.setdefault(name, {})[with_seed(record, entry)] = difference(entry)
        found.append((setting, dict(list(rows.items())[:MOST])))
    return found


def compared(record: Record) -> list[str]:
    """The models that are compared with the first, file by file."""
    return list(dict.fromkeys(with_seed(record, entry) for entry in entries(record, "differences")))


def first_model(record: Record, key: str) -> str:
    """The model that the others are compared with."""
    return ", ".join(dict.fromkeys(str(entry["against"]) for entry in entries(record, key)))


def mcnemar_rows(record: Record) -> list[tuple[str, list[Row]]]:
    """Benchmark -> a row per part and model that is compared."""
    found: dict[str, list[Row]] = {}
    for entry in entries(record, "mcnemar"):
        counts = (whole([entry.get(key)]) for key in ("both", "only_first", "only_second", "neither", "left_out"))
        row = (str(entry["part"]), with_seed(record, entry), *counts, probability(number(entry, "p")))
        found.setdefault(entry["setting"], []).append(row)
    return list(found.items())
