"""The report of `intervention`: what each training does with edited captions, on its law and under do()."""

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from scmlab.report.attribution_names import CLASSES
from scmlab.report.attribution_names import METHODS as ATTRIBUTIONS
from scmlab.report.intervention_figures import FIGURES
from scmlab.report.intervention_names import (
    CAPTIONS,
    CONTROLS,
    HOW_TO_READ,
    LAWS,
    LISTS,
    QUESTION,
    TITLE,
    arms,
    edit_name,
    edits,
    hidden,
    is_part,
    method_name,
    of_arm,
    seeds_of,
)
from scmlab.report.names import DASH, decimal, spread
from scmlab.report.record import Entry, Record, check_record, entries, number, select
from scmlab.report.report import Report, Row, Section
from scmlab.report.table import blank_table

CHANGED = ("object", "attribute", "relation")


def tables(record: Record) -> list[Table]:
    """Accuracy in distribution and under do(), one row per training, one column per edit; then kinds of edits."""
    check_record(record, LISTS)
    shown = edits(record)
    whole, parts = ([edit for edit in shown if is_part(edit) == part] for part in (False, True))
    title = "hard-negative accuracy: in distribution, under do(); chance 0.5; *: hidden by the shortcut"
    found = [_terminal(record, title, whole)]
    return [*found, _terminal(record, "the same by kind of edit", parts)] if parts else found


def _terminal(record: Record, title: str, shown: Sequence[tuple[str, str]]) -> Table:
    table = blank_table(title)
    table.add_column("training", overflow="fold", max_width=22)
    for operator, category in shown:
        star = "*" if hidden(record, (operator, category)) else ""
        table.add_column(f"{operator}{star}\n{category}", justify="right", no_wrap=True)
    for setting, controls in arms(record).items():
        table.add_row(Text(setting, style="bold"))
        for control in controls:
            found = [_rows(record, (setting, control), edit) for edit in shown]
            cells = [" ".join(decimal(row.get("accuracy"), 2).rjust(4) for row in rows) for rows in found]
            table.add_row(Text(method_name(control)), *cells)
        table.add_section()
    return table


def _rows(record: Record, arm: tuple[str, str | None], edit: tuple[str, str]) -> list[Entry]:
    """The rows of both laws; an empty one where there is none."""
    of = select(entries(record, "rows"), operator=edit[0], category=edit[1], **of_arm(arm))
    return [next(iter(select(of, law=law)), {}) for law in LAWS]


def summary(record: Record) -> list[Section]:
    """The main result."""
    check_record(record, LISTS)
    numbers = ("in distribution", "under do()", "image, in distribution", "image, under do()")
    text = (
        "Mean ± sd over seeds; chance is 0.5. Edits marked hidden keep the objects and lead out of the training law at "
        "shortcut 1: to be blind to them, or to see them and not to match captions with images, costs nothing. Image: "
        "the caption chooses between two images."
    )
    text += _seen(record)
    found = [(name, [_accuracy(record, arm, edit) for edit in edits(record)]) for arm, name in _groups(record, "rows")]
    return [Section("Hard-negative accuracy", ("edit", *numbers), found, numbers=numbers, text=text)]


def _seen(record: Record) -> str:
    """Of the first training and edit: whether a side is blind under do(), in numbers; '' where they are not known."""
    if not (shown := edits(record)):
        return ""
    setting, controls = next(iter(arms(record).items()))
    row = _rows(record, (setting, controls[0]), shown[0])[1]
    accuracy, *moved = (number(row, key) for key in ("accuracy", "text_moves", "image_moves"))
    unseen = [number(row, f"blind_{which}") for which in ("both", "text", "image")]
    if any(map(math.isnan, (accuracy, *moved, *unseen))):
        return ""
    what = f"{setting}, {method_name(controls[0])}, {edit_name(*shown[0])} under do()"
    text, image = (decimal(move, 2) for move in moved)
    both, by_text, by_image, neither = (f"{decimal(100 * share, 1)} %" for share in (*unseen, 1 - sum(unseen)))
    return (
        f" At {what}: accuracy {decimal(accuracy, 2)}; the caption's code moves {text}, the image's {image} of the "
        f"distance of two scenes; unseen by both sides {both} of the edits, by the text side only {by_text}, by the "
        f"image side only {by_image}, seen by both {neither}."
    )


def _accuracy(record: Record, arm: tuple[str, str | None], edit: tuple[str, str]) -> Row:
    rows = _rows(record, arm, edit)
    name = edit_name(*edit)
    cells = [spread(row, key) for key in ("accuracy", "image_accuracy") for row in rows]
    return ((name, "hidden") if hidden(record, edit) else name, *cells)


def details(record: Record) -> list[Section]:
    """Blindness edit by edit, attribution, modality gap."""
    return [_blindness(record), _attribution(record), _codes(record)]


def _blindness(record: Record) -> Section:
    keys = {
        "text moves": "text_moves",
        "image moves": "image_moves",
        "both blind": "blind_both",
        "text blind": "blind_text",
        "image blind": "blind_image",
        "ties": "ties",
    }
    found = []
    for arm, name in _groups(record, "rows"):
        lines = [
            (edit_name(*edit), words, *(spread(row, key, 2) for key in keys.values()))
            for edit in edits(record)
            for words, row in zip(LAWS.values(), _rows(record, arm, edit), strict=True)
        ]
        found.append((name, lines))
    text = (
        "How far an edit moves the codes, and shares of edits that move a code by less than a tenth: on both sides, on "
        "the text side only, on the image side only. Ties: both captions score alike."
    )
    columns = ("edit", "law", *keys)
    return Section("Blindness", columns, found, numbers=tuple(keys), text=text, folded="every edit, both laws")


def _attribution(record: Record) -> Section:
    numbers = (*CLASSES.values(), *(f"change: {CLASSES[kind]}" for kind in CHANGED))
    found = [
        (name, [_shares(record, arm, law, method) for law in LAWS for method in ATTRIBUTIONS])
        for arm, name in _groups(record, "codes")
    ]
    text = (
        "Share of each word class in a caption's attribution, mean ± sd over seeds. Change: to plain training at the "
        "same shortcut, in points of a hundred."
    )
    return Section("Attribution shares", ("law", "attribution", *numbers), found, numbers=numbers, text=text)


def _shares(record: Record, arm: tuple[str, str | None], law: str, method: str) -> Row:
    row, plain = (
        next(iter(select(entries(record, "codes"), **of_arm((arm[0], control), law=law))), {})
        for control in (arm[1], None)
    )
    changes = [
        DASH if arm[1] is None else _points(number(row, f"{method}_{kind}") - number(plain, f"{method}_{kind}"))
        for kind in CHANGED
    ]
    return (LAWS[law], ATTRIBUTIONS[method], *(spread(row, f"{method}_{kind}", 2) for kind in CLASSES), *changes)


def _points(change: float) -> str:
    text = decimal(100 * change, 1)
    return f"+{text}" if change > 0 and float(text) else text


def _codes(record: Record) -> Section:
    keys = {"gap: length": "gap", "gap: spread": "gap_spread", "gap: along": "gap_along", "wording": "prompt_share"}
    found = []
    for arm, name in _groups(record, "codes"):
        of = select(entries(record, "codes"), **of_arm(arm))
        lines = [(LAWS.get(row["law"], row["law"]), *(spread(row, key) for key in keys.values())) for row in of]
        found.append((name, lines))
    text = "Mean ± sd over seeds. Wording: share of the captions' variance that is template and synonyms."
    return Section("Modality gap and wording", ("law", *keys), found, numbers=tuple(keys), text=text)


def _groups(record: Record, key: str) -> Sequence[tuple[tuple[str, str | None], str]]:
    """Each training and its name with the number of seeds."""
    found = []
    for setting, controls in arms(record).items():
        for control in controls:
            seeds = seeds_of(select(entries(record, key), **of_arm((setting, control))))
            name = f"{setting}: {method_name(control)}" + (f" ({seeds})" if seeds else "")
            found.append(((setting, control), name))
    return found


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
