"""The terminal's tables of `benchmark`."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from scmlab.report.benchmark_lines import Line, benchmark_of, labels, lines, score, with_seeds
from scmlab.report.benchmark_names import LISTS
from scmlab.report.benchmark_rows import (
    COUNTS,
    MOST,
    TESTS,
    beside,
    compared,
    counted,
    differences,
    first_model,
    mcnemar_rows,
)
from scmlab.report.names import DASH
from scmlab.report.record import Record, check_record, entries
from scmlab.report.report import Row
from scmlab.report.table import blank_table

NARROW = 2  # more models than this: the interval stands below its value
SENTENCES = 6


def tables(record: Record) -> list[Table]:
    """Scores with what stands beside them, counts, and with several models their differences and McNemar's tests."""
    check_record(record, LISTS)
    return [_scores(record), *_counts(record), *_differences(record), *_tests(record)]


def _scores(record: Record) -> Table:
    names = labels(record)
    table = blank_table("scores in percent [95 % interval], best blind baseline, chance, published CLIP ViT-B/32")
    table.add_column("number", overflow="fold", max_width=34 if len(names) <= NARROW else 24)
    for name in names:
        table.add_column(Text(with_seeds(record, name)), justify="right", overflow="fold", max_width=22)
    table.add_column("best blind", justify="right", overflow="fold", max_width=20)
    for name in ("chance", "published"):
        table.add_column(name, justify="right", no_wrap=True)
    found = []
    for setting, of in lines(record).items():
        rows = [_line(line, names) for line in of[:MOST]]
        more = [(f"{len(of) - MOST} more: on the page",)] if len(of) > MOST else []
        found.append((_short(record, setting), [*rows, *more]))
    return _filled(table, found, join=" " if len(names) <= NARROW else "\n")


def _line(line: Line, names: Sequence[str]) -> Row:
    best, baseline, chance, published = beside(line, owner=False)
    return (line.name, *(score(line.models.get(name, {})) for name in names), (best, baseline), chance, published)


def _filled(table: Table, groups: Sequence[tuple[str, Sequence[Row]]], *, join: str = " ") -> Table:
    """The table with a bold name over the rows of each group; join: between the two texts of a cell."""
    for name, rows in groups:
        table.add_row(Text(name, style="bold"))
        for row in rows:
            texts = [cell if isinstance(cell, str) else join.join(filter(None, cell)) for cell in row]
            table.add_row(*map(Text, texts))
        table.add_section()
    return table


def _short(record: Record, setting: str) -> str:
    similarity = benchmark_of(record, setting).get("rule") == "similarity"
    return f"{setting} (100 r)" if similarity else setting


def _counts(record: Record) -> list[Table]:
    table = blank_table("items")
    said = [sentence for of in entries(record, "benchmarks") for sentence in of.get("differences") or []]
    more = [f"{len(said) - SENTENCES} more such differences: on the page"] if len(said) > SENTENCES else []
    table.caption, table.caption_justify = "\n".join([*said[:SENTENCES], *more]) or None, "left"
    table.add_column("model", overflow="fold", max_width=24)
    for name in COUNTS:
        table.add_column(name, justify="right", overflow="fold", max_width=10)
    found = counted(record)
    return [_filled(table, found)] if found or said else []


def _differences(record: Record) -> list[Table]:
    if not (found := differences(record)):
        return []
    columns, first = compared(record), first_model(record, "differences")
    table = blank_table(f"difference to {first} in points [95 % interval], headline numbers")
    table.add_column("number", overflow="fold", max_width=24)
    for name in columns:
        table.add_column(Text(name), justify="right", overflow="fold", max_width=22)
    groups = [
        (_short(record, setting), [(name, *(cells.get(one, DASH) for one in columns)) for name, cells in rows.items()])
        for setting, rows in found
    ]
    return [_filled(table, groups, join=" " if len(columns) <= NARROW else "\n")]


def _tests(record: Record) -> list[Table]:
    if not (found := mcnemar_rows(record)):
        return []
    first = first_model(record, "mcnemar")
    table = blank_table(f"McNemar: items that both, only {first}, only the second, neither has right")
    for name, widest in (("part", 19), ("second", 30)):
        table.add_column(name, overflow="fold", max_width=widest)
    for name in TESTS:
        table.add_column(name, justify="right", overflow="fold", max_width=8)
    return [_filled(table, found)]
