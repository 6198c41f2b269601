"""Which report belongs to which experiment."""

from rich.table import Table

from scmlab.report import (
    attribution,
    audit,
    benchmark,
    finetune,
    identifiability,
    intervention,
    iterated,
    negatives,
    nonidentifiability,
    overlap,
    price,
)
from scmlab.report.record import Record, check_record
from scmlab.report.report import Report
from scmlab.report.table import checks_table

REPORTS: dict[str, Report] = {
    "identifiability": identifiability.REPORT,
    "price": price.REPORT,
    "nonidentifiability": nonidentifiability.REPORT,
    "audit": audit.REPORT,
    "overlap": overlap.REPORT,
    "negatives": negatives.REPORT,
    "intervention": intervention.REPORT,
    "iterated": iterated.REPORT,
    "attribution": attribution.REPORT,
    "finetune": finetune.REPORT,
    "benchmark": benchmark.REPORT,
}


def report_of(record: Record) -> Report:
    """The report of the record's experiment. Errors: a record without its keys, or of an unknown experiment."""
    check_record(record)
    if record["experiment"] not in REPORTS:
        known = ", ".join(REPORTS)
        raise ValueError(f"`record['experiment']` must be one of {known}; got {record['experiment']!r}.")
    return REPORTS[record["experiment"]]


def terminal_table(record: Record) -> list[Table]:
    """The record as tables: what the experiment found, then its checks.

    Errors: ValueError for a record that lacks its required keys.
    """
    report = report_of(record)
    return [*report.tables(record), checks_table(record, report)]
