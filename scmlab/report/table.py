"""The record as tables for a terminal of 100 columns."""

from textwrap import wrap

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from scmlab.report.names import DASH, control_name, decimal, group_name, setting_name, significant, spread
from scmlab.report.record import Record, Summary, check_record, groups, select, summaries

_LABEL = 25  # columns for the name of a setting or control


def terminal_table(record: Record) -> list[Table]:
    """Two tables: what was found, one row per setting, control and side; and the checks.

    Means over seeds; the sd is shown for R2 of z_inv, all others are in the page. Errors: ValueError for a record that
    lacks its required keys.
    """
    check_record(record)
    return [_results(record), _checks(record)]


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )


def _results(record: Record) -> Table:
    found = summaries(record)
    accuracy = any(summary.inv.get("accuracy") is not None for summary in found)
    table = _table("z_inv in the code, and what leaks into it")
    table.add_column("setting, its controls", min_width=12, overflow="fold")
    table.add_column("side", no_wrap=True)
    for name in ("R²", "linear", "back", *(["acc."] if accuracy else [])):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("largest leak", no_wrap=True)
    table.add_column("variance", justify="right", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    for group in groups(record["rows"]):
        of_group = [summary for summary in found if (summary.setting, summary.control) == group]
        for label, summary in zip(_label(*group, lines=len(of_group)), of_group, strict=True):
            table.add_row(*(Text(cell) for cell in (label, *_numbers(summary, accuracy=accuracy))))
        later = [summary.setting for summary in found[found.index(of_group[-1]) + 1 :]]
        if later and later[0] != group[0]:
            table.add_section()
    return table


def _label(setting: str, control: str | None, *, lines: int) -> list[str]:
    """The name over the rows of its sides, one line each; a control is indented under its setting."""
    name = setting_name(setting) if control is None else f"- {control_name(control)}"
    parts = wrap(name, _LABEL, subsequent_indent="  ", break_on_hyphens=False)
    return [*parts[: lines - 1], *[" ".join(parts[lines - 1 :])], *[""] * lines][:lines]


def _numbers(summary: Summary, *, accuracy: bool) -> list[str]:
    block = summary.leak.get("block", "")
    return [
        summary.side,
        spread(summary.inv, "r2").replace(" ± 0.", "±."),
        decimal(summary.inv.get("r2_linear")),
        decimal(summary.inv.get("r2_back")),
        *([decimal(summary.inv.get("accuracy"))] if accuracy else []),
        f"{decimal(summary.leak.get('leak'))} {block}".strip(),
        significant(summary.code.get("variance")),
        decimal(summary.code.get("effective_rank"), 1),
    ]


def _checks(record: Record) -> Table:
    held = len(select(record["checks"], held=True))
    table = _table(f"checks: {held} of {len(record['checks'])} held")
    for name, widest in (("setting and control", 22), ("check", 14), ("expected", None), ("measured", None)):
        table.add_column(name, overflow="fold", max_width=widest)
    table.add_column("result", no_wrap=True)
    for group in groups(record["checks"]):
        for place, check in enumerate(select(record["checks"], setting=group[0], control=group[1])):
            verdict = Text("held", style="green") if check["held"] else Text("FAILED", style="bold red")
            texts = [str(DASH if check[key] is None else check[key]) for key in ("name", "expected", "measured")]
            table.add_row(*(Text(text) for text in (group_name(*group) if not place else "", *texts)), verdict)
    return table
