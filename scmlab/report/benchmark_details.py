"""The long tables of the page of `benchmark`: all numbers and baselines, ties, subsets, cases, attribution."""

from collections.abc import Iterable, Sequence

from scmlab.report.benchmark_cases import accuracy, attribution, long_section, settings, shares, words
from scmlab.report.benchmark_lines import (
    Line,
    benchmark_of,
    difference,
    labels,
    lines,
    number_name,
    number_names,
    score,
    seeds_of,
    ties_of,
    title,
    whole,
    with_seed,
    with_seeds,
)
from scmlab.report.benchmark_names import BLIND, CHANCE, CONTROLS, OWN, TIES
from scmlab.report.names import DASH, decimal
from scmlab.report.record import Entry, Record, entries, select
from scmlab.report.report import Cell, Row, Section


def details(record: Record) -> list[Section]:
    """Every table of which the record has anything."""
    made = (
        _all_numbers, _by_seed, _differences, _ties, _subsets, _overlap, shares, accuracy, attribution, words,
    )  # fmt: skip
    return [section for make in made if (section := make(record)) is not None]


def _all_numbers(record: Record) -> Section | None:
    """Each number with its models and all that stands beside them."""
    there = {row["control"] for row in entries(record, "rows")} - {None, CHANCE}
    controls = [*(name for name in BLIND if name in there), *sorted(there - set(BLIND))]
    numbers = ("score", *(BLIND.get(name, name) for name in controls), CHANCE, "published")
    groups = [
        (title(record, setting), [row for line in of for row in _rows_of(record, line, controls)])
        for setting, of in lines(record).items()
    ]
    text = (
        "Percent with 95 % interval, or mean ± sd over the files of a name. Typical and direction are of the text "
        "codes of the line's model."
    )
    first = "number" if len(labels(record)) == 1 else "number, then models"
    return long_section("All numbers and baselines", (first,), numbers, groups, text)


def _rows_of(record: Record, line: Line, controls: Sequence[str]) -> list[Row]:
    """One row for one model; else the number with what all models share, then a row per model."""
    names = labels(record)
    scores = [score(line.models.get(name, {})) for name in names]
    ends = (decimal(line.chance, 2), decimal(line.published, 2))
    if len(names) == 1:
        return [(line.name, *scores, *_blind(line, names[0], controls), *ends)]
    rows: list[Row] = [(line.name, "", *_blind(line, "", controls, own=False), *ends)]
    for name, one in zip(names, scores, strict=True):
        rows.append((("", with_seeds(record, name)), one, *_blind(line, name, controls, own=True), "", ""))
    return rows


def _blind(line: Line, model: str, controls: Sequence[str], *, own: bool | None = None) -> list[str]:
    """The value of each baseline, of own codes that of `model`; own: only those of own codes, or only the others."""
    found = {(row["control"], row["model"]): score(row)[0] for row in line.blind}
    return [
        found.get((control, model if control in OWN else None), DASH) if own in (None, control in OWN) else ""
        for control in controls
    ]


def _by_seed(record: Record) -> Section | None:
    """The files of those labels that have several."""
    several = {label for label in labels(record) if seeds_of(record, label) > 1}
    of = [row for row in entries(record, "by_seed") if row["control"] is None and row["model"] in several]
    names = number_names(record)
    groups = [
        (
            title(record, setting),
            [
                (name, with_seed(record, row), score(row))
                for row in _by_number(of, setting)
                if (name := number_name(row, names)) is not None
            ],
        )
        for setting in settings(of)
    ]
    return long_section("Single files of models with several seeds", ("number", "model"), ("score",), groups)


def _by_number(of: Iterable[Entry], setting: str) -> list[Entry]:
    """The benchmark's entries, those of one number together."""
    found: dict[str, list[Entry]] = {}
    for entry in select(of, setting=setting):
        found.setdefault(entry["number"], []).append(entry)
    return [entry for group in found.values() for entry in group]


def _ties(record: Record) -> Section | None:
    of = entries(record, "ties")
    groups = [
        (
            f"{title(record, setting)}; used: {ties_of(benchmark_of(record, setting))}",
            [
                (str(entry["number"]), _scorer(record, entry), *(decimal(entry.get(key), 2) for key in TIES))
                for entry in _by_number(of, setting)
            ],
        )
        for setting in settings(of)
    ]
    text = "The same scores under each policy for exact ties, models and blind baselines, in percent."
    return long_section("Ties", ("number", "scorer"), TIES, groups, text)


def _scorer(record: Record, entry: Entry) -> str:
    """A model, or a baseline in words."""
    if entry["control"] is None:
        return with_seed(record, entry)
    name = CONTROLS.get(entry["control"], entry["control"])
    return f"{name}, {with_seed(record, entry)}" if entry.get("model") else name


def _subsets(record: Record) -> Section | None:
    """Of each number the score on all items, then on those left by each subset."""
    of, full = entries(record, "subsets"), _full(record)
    columns = list(dict.fromkeys(entry["subset"] for entry in of))
    groups = []
    for setting in settings(of):
        found: dict[tuple, dict[str, Entry]] = {}
        for entry in _by_number(of, setting):
            key = (entry["number"], entry["model"], entry.get("seed"))
            found.setdefault(key, {})[entry["subset"]] = entry
        rows: list[Row] = []
        for (name, model, seed), by_subset in found.items():
            cells = [_subset(by_subset.get(column, {})) for column in columns]
            whole_score = full.get((setting, name, model, seed), full.get((setting, name, model, None), {}))
            rows.append(
                (
                    str(name),
                    with_seed(record, {"model": model, "seed": seed}),
                    decimal(whole_score.get("value"), 2),
                    *cells,
                )
            )
        groups.append((title(record, setting), rows))
    text = "The same number on fewer items, in percent; in small print how many items are left."
    return long_section("Subsets of the items", ("number", "model"), ("all items", *columns), groups, text)


def _full(record: Record) -> dict[tuple, Entry]:
    """(setting, number, model, seed) -> score by the official aggregate; seed None: of all files of the label."""
    rows = [(row, None) for row in entries(record, "rows")] + [(row, row["seed"]) for row in entries(record, "by_seed")]
    official = {of["setting"]: of.get("aggregate") for of in entries(record, "benchmarks")}
    found: dict[tuple, Entry] = {}
    for row, seed in rows:
        if row["control"] is None and official.get(row["setting"]) in (None, row.get("aggregate")):
            found.setdefault((row["setting"], row["number"], row["model"], seed), row)
    return found


def _subset(entry: Entry) -> Cell:
    count = entry.get("scored")
    return decimal(entry.get("value"), 2), "" if count is None else f"{count:,}"


def _overlap(record: Record) -> Section | None:
    rows: list[Row] = [
        (
            title(record, entry["setting"]),
            ", ".join(map(str, entry.get("names") or [])) or DASH,
            *(whole([entry.get(key)]) for key in ("images", "found", "items", "listed")),
        )
        for entry in entries(record, "overlap")
    ]
    text = "Images of the benchmark that are named in the list of training files, and the items that hold one."
    numbers = ("images", "of them listed", "items with one", "names in the list")
    return long_section("Images trained on", ("benchmark", "first of them"), numbers, [("", rows)], text)


def _differences(record: Record) -> Section | None:
    of, names = entries(record, "differences"), number_names(record)
    if all(entry.get("headline") for entry in of):
        return None  # shown before the figures
    groups = [
        (
            title(record, setting),
            [
                (name, f"{with_seed(record, entry)} − {entry['against']}", difference(entry))
                for entry in _by_number(of, setting)
                if (name := number_name(entry, names)) is not None
            ],
        )
        for setting in settings(of)
    ]
    text = "In points with 95 % interval, on the items that both models have scored."
    return long_section("All differences", ("number", "models"), ("difference",), groups, text)
