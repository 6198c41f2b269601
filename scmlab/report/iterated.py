"""The report of `iterated`: the choice among t-step negatives beside what their number predicts."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from scmlab.report.intervention_names import LAWS, seeds_of
from scmlab.report.iterated_figures import FIGURES
from scmlab.report.iterated_names import (
    CAPTIONS,
    CONTROLS,
    ENCODERS,
    FAMILIES,
    HOW_TO_READ,
    LISTS,
    QUESTION,
    TITLE,
    one,
    values,
)
from scmlab.report.names import decimal, spread
from scmlab.report.record import Record, check_record, number
from scmlab.report.report import Report, Row, Section
from scmlab.report.table import blank_table


def tables(record: Record) -> list[Table]:
    """The choice after one, two and all edits, one column per family; the prediction above the encoders."""
    check_record(record, LISTS)
    steps = _steps(record)
    table = blank_table("choice among a caption and its negatives of at most t edits")
    table.add_column("encoder", overflow="fold", max_width=28)
    for family in values(record, "family"):
        heads = "  ".join(f"t={t}" for t in steps)
        table.add_column(f"{FAMILIES.get(family, family)}\n{heads}", justify="right", no_wrap=True)
    for setting in values(record, "setting"):
        for law in values(record, "law"):
            where = {"setting": setting, "law": law}
            table.add_row(Text(f"{setting}, {LAWS.get(law, law)}", style="bold"))
            table.add_row("prediction, blind to all", *_cells(record, "predicted", steps, encoder="trained", **where))
            for encoder in values(record, "encoder"):
                cells = _cells(record, "choice", steps, encoder=encoder, **where)
                table.add_row(Text(ENCODERS.get(encoder, encoder)), *cells)
            table.add_section()
    return [table]


def _steps(record: Record) -> list[int]:
    """1, 2 and the most edits, each once."""
    known = [t for t in values(record, "t") if t > 0]
    return list(dict.fromkeys([*known[:2], *known[-1:]]))


def _cells(record: Record, key: str, steps: Sequence[int], **where: str) -> list[str]:
    return [
        " ".join(decimal(one(record, family=family, t=t, **where).get(key), 2) for t in steps)
        for family in values(record, "family")
    ]


def summary(record: Record) -> list[Section]:
    """Numbers of negatives, what they predict, and the choices, one line per family and t."""
    check_record(record, LISTS)
    numbers = (
        "t",
        "negatives",
        "prediction",
        "blind to all",
        "bound",
        "blind to hidden",
        "trained",
        "trained, pairwise",
    )
    found = []
    for setting in values(record, "setting"):
        for law in values(record, "law"):
            where = {"setting": setting, "law": law}
            lines = [
                _line(record, family, t, where) for family in values(record, "family") for t in values(record, "t")
            ]
            seeds = seeds_of([one(record, **where)])
            name = f"{setting}, {LAWS.get(law, law)}" + (f" ({seeds})" if seeds else "")
            found.append((name, [line for line in lines if line]))
    text = (
        "Credit in the choice among a caption and its negatives; the trained encoder's as mean ± sd over seeds. "
        "Prediction: of an encoder blind to all edits of the family; bound: of one blind to the hidden edits only. "
        "Pairwise: against one negative."
    )
    return [Section("Choices", ("family", *numbers), found, numbers=numbers, text=text)]


def _line(record: Record, family: str, t: int, where: dict) -> Row:
    rows = {name: one(record, family=family, t=t, encoder=name, **where) for name in ENCODERS}
    first = rows["trained"] or next((row for row in rows.values() if row), {})
    if not first:
        return ()
    return (
        FAMILIES.get(family, family),
        str(t),
        decimal(first.get("orbit"), 1),
        decimal(first.get("predicted")),
        decimal(rows["blind"].get("choice")),
        decimal(first.get("hidden")),
        decimal(rows["pseudo_optimal"].get("choice")),
        spread(rows["trained"], "choice"),
        spread(rows["trained"], "pairwise"),
    )


def details(record: Record) -> list[Section]:
    """Every encoder, folded: with the tie rule of a plain argmax, and how many captions it reads as they are."""
    numbers = ("t", "negatives", "reached", "choice", "argmax", "pairwise", "read as they are")
    found = []
    for setting in values(record, "setting"):
        for law in values(record, "law"):
            for encoder in values(record, "encoder"):
                lines = []
                for family in values(record, "family"):
                    for t in values(record, "t"):
                        row = one(record, setting=setting, law=law, encoder=encoder, family=family, t=t)
                        counts = (decimal(number(row, key), 1) for key in ("orbit", "reached"))
                        shares = (spread(row, key) for key in ("choice", "argmax", "pairwise", "same"))
                        lines.append((FAMILIES.get(family, family), str(t), *counts, *shares))
                found.append((f"{setting}, {LAWS.get(law, law)}: {ENCODERS.get(encoder, encoder)}", lines))
    text = (
        "Argmax: share of scenes in which a plain argmax, which takes the first of those tied, answers the caption. "
        "Read as they are: share of captions that the encoder does not replace by another."
    )
    return [
        Section("Encoders", ("family", *numbers), found, numbers=numbers, text=text, folded="every encoder, law and t")
    ]


REPORT = Report(
    title=TITLE,
    question=QUESTION,
    how_to_read=HOW_TO_READ,
    figures=FIGURES,
    captions=CAPTIONS,
    tables=tables,
    summary=summary,
    details=details,
    controls=CONTROLS,
)
