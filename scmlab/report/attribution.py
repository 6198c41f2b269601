"""The report of `attribution`: scores and shares of word classes before and after each attribution loss."""

from rich.table import Table
from rich.text import Text

from scmlab.report.attribution_figures import distribution, heat_maps, shares, words
from scmlab.report.attribution_names import (
    CAPTIONS,
    CLASSES,
    CONTROLS,
    HOW_TO_READ,
    LISTS,
    METHODS,
    QUESTION,
    SETTINGS,
    TITLE,
)
from scmlab.report.names import DASH, significant_spread, spread
from scmlab.report.record import Entry, Record, check_record, entries, select
from scmlab.report.report import Report, Row, Section
from scmlab.report.table import blank_table

KINDS = tuple(CLASSES)


def tables(record: Record) -> list[Table]:
    """One line per model and method: shares of the classes, and the hinge."""
    check_record(record, LISTS)
    table = blank_table("shares of a caption's attribution, and by how much objects score above the rest")
    table.add_column("model", overflow="fold", max_width=22)
    table.add_column("attributed by", no_wrap=True)
    for name in (*(CLASSES[kind] for kind in KINDS), "hinge"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, rows in _groups(record):
        for place, row in enumerate(rows):
            method, *numbers = row
            cells = [*(text.partition(" ±")[0] for text in numbers[:4]), numbers[-1].partition(" ±")[0]]
            table.add_row(*(Text(text) for text in (name if not place else "", method, *cells)))
    return [table]


def summary(record: Record) -> list[Section]:
    """Shares and hinges of all models."""
    check_record(record, LISTS)
    numbers = (*CLASSES.values(), "objects above rest", "hinge")
    text = (
        "Shares of a caption's attribution, mean over held-out captions; numbers are mean ± sd over seeds. Words of "
        "composition are attributes and relations."
    )
    return [
        _read(record),
        Section("Model", ("", ""), [("", model_rows(record.get("model") or {}))]),
        Section("Attribution", ("attributed by", *numbers), _groups(record), numbers=numbers, text=text),
    ]


def _groups(record: Record) -> list[tuple[str, list[Row]]]:
    found = []
    for model in dict.fromkeys(row["model"] for row in entries(record, "rows")):
        lines = []
        for method in dict.fromkeys(row["method"] for row in select(entries(record, "rows"), model=model)):
            of = {r["word_class"]: r for r in select(entries(record, "rows"), model=model, method=method)}
            of_method = next(iter(select(entries(record, "methods"), model=model, method=method)), {})
            shown = [spread(of.get(kind, {}), "share", 3) for kind in KINDS]
            shown += [significant_spread(of_method, key) for key in ("excess", "hinge")]
            lines.append((METHODS.get(method, method), *shown))
        found.append((SETTINGS.get(model, model), lines))
    return found


def _read(record: Record) -> Section:
    """What was read, of the first seed's data."""
    data = next(iter(entries(record, "data")), {})
    return read_section(data)


def model_rows(model: Entry) -> list[Row]:
    """The model before fine-tuning as lines of a table."""
    return [
        ("source", str(model.get("source", DASH))),
        ("activation", str(model.get("activation", DASH))),
        ("parameters", f"{model['parameters']:,}" if model.get("parameters") else DASH),
    ]


def read_section(data: Entry) -> Section:
    """Counts of a file of captions and its images as a table."""
    names = (
        ("file of captions", "file"),
        ("captions read", "read"),
        ("training pairs", "train_pairs"),
        ("training images", "train_images"),
        ("held-out pairs", "held_pairs"),
        ("held-out images", "held_images"),
        ("repeated training captions (no negatives of each other)", "repeated_captions"),
        ("held-out captions that are training captions too", "also_held"),
        ("missing images", "missing_images"),
        ("damaged images", "corrupt_images"),
    )
    rows = [(label, _count(data[key])) for label, key in names if data.get(key) is not None]
    cut = data.get("truncated") or {}
    rows += [(f"{name} longer than the context, cut off", _count(number)) for name, number in cut.items()]
    for reason, of in (data.get("skipped") or {}).items():
        rows.append((f"skipped: {reason}", (f"{of['count']:,}", f"first: {', '.join(of['places'][:3])}")))
    for label, found in (("missing", data.get("missing_names") or []), ("damaged", list(data.get("corrupt") or {}))):
        if found:
            rows.append((f"names of {label} images", ", ".join(found)))
    return Section("Data", ("", "of the first seed"), [("", rows)])


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def details(record: Record) -> list[Section]:
    """Distribution of the word scores."""
    numbers = ("words", "mean", "5 %", "25 %", "median", "75 %", "95 %")
    keys = ("mean", "q05", "q25", "q50", "q75", "q95")
    groups = []
    for model in dict.fromkeys(row["model"] for row in entries(record, "rows")):
        for method in dict.fromkeys(row["method"] for row in select(entries(record, "rows"), model=model)):
            rows = select(entries(record, "rows"), model=model, method=method)
            lines = [
                (CLASSES[row["word_class"]], f"{row['words']:,.0f}", *(significant_spread(row, key) for key in keys))
                for row in rows
                if row.get("words")
            ]
            groups.append((f"{SETTINGS.get(model, model)}, by {METHODS.get(method, method)}", lines))
    text = "Scores of words, in the unit of the method. Quantiles of each seed, mean ± sd over seeds."
    return [
        Section("Scores", ("word class", *numbers), groups, numbers=numbers, text=text, folded="All models and methods")
    ]


REPORT = Report(
    title=TITLE,
    question=QUESTION,
    how_to_read=HOW_TO_READ,
    figures={"distribution": distribution, "shares": shares, "words": words, "heat_maps": heat_maps},
    captions=CAPTIONS,
    tables=tables,
    summary=summary,
    details=details,
    settings=SETTINGS,
    controls=CONTROLS,
)
